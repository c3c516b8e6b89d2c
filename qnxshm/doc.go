// Package qnxshm brings the shared-memory handles of QNX to Go: one process
// makes a single-use handle for one other process, sends it in a message, and
// that process, and no other, turns it into memory. On QNX Neutrino 7.1 and
// QNX OS 8.0 (the target) the calls go to the real libc by cgo; on Linux (the
// host) the module carries its own small process manager with the same
// semantics and errno across real processes. So the tests that run in ordinary
// CI on Linux test the program that ships.
//
// # A first program
//
// The process that has the memory makes a handle for the process that asked,
// known by its pid, and sends it the handle's bytes (package qnxmsg has the
// native messages to do so):
//
//	obj, err := qnxshm.Create(4096)                       // anonymous object
//	mem, err := obj.Map(qnxshm.ReadWrite)
//	copy(mem.Bytes(), "Hello")
//	h, err := obj.CreateHandle(clientPID, qnxshm.ReadOnly, nil)
//	reply, err := h.AppendBinary(nil)
//
// The other process turns the handle into memory:
//
//	var h qnxshm.Handle
//	err := h.UnmarshalBinary(reply)
//	obj, err := qnxshm.Open(h, qnxshm.ReadOnly)           // uses the handle up
//	mem, err := obj.Map(qnxshm.ReadOnly)
//	obj.Close()                                           // the mapping stays
//
// # Words
//
// The creator of an object is the process that opened it first. The maker of a
// handle is the process that called [CreateHandle]; anyone with a descriptor may.
// The recipient is the process the handle was made for. A descriptor got from a
// handle made by [CreateSubrangeHandle] is a window: all calls of this package
// see only that part of the object, numbered from 0.
//
// # Two layers
//
// The calls ([CreateHandle], [OpenHandle], …) follow libc one to one; the doc of
// each ends with the C prototype it implements and the oldest QNX release that
// has it, where 6 stands for any that is older than the handles. The host has
// them all. [Object] and [Mapping] are what programs are written with.
//
// # Memory for those who are not trusted
//
// A sealed object keeps its size whatever its creator does, so a recipient need
// not fear to lose what it has mapped ([Object.Seal], [Object.Flags]). A handle made
// with [HandleNoFD] becomes memory, but no descriptor: its recipient can neither
// pass the object on nor map it a second time ([Map]). [HandleLimit] says how many
// handles may wait to be used.
//
// # Errors
//
// A failed call returns an *Error, which carries the C name of the call and the
// errno, and unwraps to [syscall.Errno]:
//
//	errors.Is(err, syscall.ESRCH)
//	errors.Is(err, fs.ErrPermission)
//
// Compare with [errors.Is] and by name; errno numbers differ between QNX and
// other systems. Use after Close or Unmap matches [os.ErrClosed].
//
// The doc of each call lists its errno. When several things are wrong at once,
// the list of [CreateHandle] says which is told, because it is in the order of
// checking. The other lists are in no order.
//
// # Systems
//
// On the host nothing has to be started and nothing is left behind: a process
// that makes handles serves them itself, as long as it lives. Two processes see
// each other when they share the pid and network namespaces. Where /proc is not
// mounted, whatever needs it fails with ENOSYS. On systems that are neither
// target nor host every call returns an error that matches [errors.ErrUnsupported].
package qnxshm
