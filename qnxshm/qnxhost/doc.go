//go:build linux && cgo

// Package qnxhost is the C face of the host: it gives C and C++ programs on
// Linux QNX's calls for shared-memory handles and native messages. The headers
// are in include; the calls are done by the same process manager that serves Go
// programs, so C and Go programs share handles and messages.
//
// Build the library once, and programs with the headers in front:
//
//	go build -buildmode=c-shared -o libqnxhost.so ./qnxshm/qnxhost/lib
//	gcc -I qnxshm/qnxhost/include server.c -o server ./libqnxhost.so
//
// A server in C:
//
//	name_attach_t *attach = name_attach(NULL, "camera", 0);
//	struct _msg_info info;
//	rcvid_t rcvid = MsgReceive(attach->chid, &msg, sizeof msg, &info);
//	shm_create_handle(fd, info.pid, O_RDONLY, &reply.handle, 0);
//	MsgReply(rcvid, EOK, &reply, sizeof reply);
//
// and its client in Go:
//
//	conn, err := qnxmsg.OpenName("camera")
//	status, err := conn.Send(request, reply)
//	obj, err := qnxshm.Open(handle, qnxshm.ReadOnly)
//
// It works the other way round as well.
//
// # Signals
//
// Signals belong to the program: the library's own threads block them all, and
// a call that waits does so in C on the caller's thread, so that a signal ends
// it with EINTR, as on QNX. A signal that comes while a call works is handled
// when that ends or waits, at most some seconds later when the other process is
// stopped.
//
// Some signals have a meaning to the Go runtime inside the library. It handles
// SIGSEGV and its like to find its own faults, and passes on others'. Where a program
// handles SIGSEGV itself, memory of a message that is not there is not EFAULT but
// that signal. A program that handles SIGURG may see a few that nobody has sent. A program that resets
// or handles both SIGURG and SIGSTKFLT lets the library's later threads take
// SIGCHLD, SIGPROF, SIGURG and SIGRTMIN.
//
// Other than on QNX, the library must not be called from a signal handler, and a
// handler must not leave a call by siglongjmp.
//
// # Threads
//
// Any thread may call. MsgSend and MsgReceive and their like are cancellation
// points, and so are dispatch_block and thread_pool_destroy, which wait as well; no
// other call is one, nor those with nc in their name.
// Asynchronous cancellation of a thread in a call is not supported.
//
// A function that a dispatch or a pool calls may end its thread by pthread_exit or be
// cancelled, and let a C++ exception pass: a descriptor of select_attach is looked at
// again, and a thread leaves its pool. It must not leave by longjmp, of which nobody learns.
//
// # Descriptors
//
// The library's own descriptors have numbers from 512, where the limit of
// descriptors allows: a program that closes lower ones, as daemons do, does not harm
// it. One that closes these, too, gets EBADF from calls that need them; a few are the Go
// runtime's, which then ends the process. The limit is the program's: a server of many
// clients raises it.
//
// # Fork
//
// In a child that fork made and that has not called exec, every call fails with
// ENOSYS. Such a child keeps its parent's sockets open: while it lives, nobody else can
// attach a name that its parent had, and a parent that calls exec is taken for the client
// that it was. Who talks to a parent that has died notices all the same.
//
// # What the host cannot do
//
// docs/c.md lists every function, type and constant of the headers, and what
// differs. A call that cannot do what it does on a target fails, with ENOSYS or
// ENOTSUP; the list says which and why.
//
// # Blank import
//
// The package has nothing for a Go program to call. It is imported for its symbols
// only, by a blank import:
//
//	import _ "github.com/go-qnx/shm/qnxshm/qnxhost"
//
// The C library is a program that does so. And so does package qnxshm in Go programs
// built with -tags qnx on Linux, which run the target's own files on these symbols: a
// program has to do it only if its own cgo calls QNX's functions.
package qnxhost
