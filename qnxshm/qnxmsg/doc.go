// Package qnxmsg brings QNX native messages to Go: a server receives on a
// channel, a client sends on a connection and is blocked until the server
// replies. On QNX Neutrino 7.1 and QNX OS 8.0 (the target) the calls go to the
// real libc; on Linux (the host) processes talk to each other directly, with
// the same semantics and errno. It carries what package qnxshm needs carried:
// handles, made for the process that the message came from.
//
// A server makes a channel under a name and answers what it receives, until ctx ends:
//
//	ch, err := qnxmsg.AttachName("camera")
//	err = ch.Serve(ctx, &qnxmsg.Server{
//		Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
//			typeFrame: func(cl *qnxmsg.Client, m *qnxmsg.Message) error {
//				return m.Reply(0, frame(m.Info.PID, m.Data))
//			},
//		},
//		Gone: func(cl *qnxmsg.Client) { free(cl.State) },
//	})
//
// Serve is a loop around Receive, which a server can have of its own. A message may be
// answered later, by any goroutine.
//
// A client opens the name and sends:
//
//	conn, err := qnxmsg.OpenWait(ctx, "camera")
//	status, err := conn.Send(request, reply)
//
// # Message types
//
// A message begins with its type, a 16-bit number. QNX keeps those up to 0x1ff
// (_IO_MAX): on a target a client that opens a name may first send _IO_CONNECT
// (0x100), which a server answers with Reply(0, nil), and others up to 0x1ff, to
// be answered with ReplyError(syscall.ENOSYS). Serve does so. The host never sends them,
// so choose types from 0x200 on and answer these all the same.
//
// # Blocking
//
// Send and Receive block in the kernel, one thread for each blocked call, as on
// the target. They take no context: the kernel there could not honour one.
// Timeouts are durations, and Close wakes whoever is blocked.
//
// # Errors
//
// A failed call returns an *Error with the C name of the call and the errno;
// [errors.Is] matches the errno. Use after Close matches [os.ErrClosed]. No signal
// that the Go runtime handles ends a blocked call (EINTR).
//
// The doc of each call ends with the C prototype it implements and the oldest
// QNX release that has it, where 6 stands for any that is older than the handles
// of package qnxshm. The host has them all.
//
// # Host and target
//
// Threads of the host have priority 10, and so have their messages; pulses with a higher
// priority come first. What one process sends to a channel with the same priority
// arrives in the order in which it was sent. A channel holds 4096 pulses or more of each
// client process that it has not received yet, then SendPulse fails with EAGAIN. Client
// and server must share the pid and network namespaces.
package qnxmsg
