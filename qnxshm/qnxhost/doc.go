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
// it with EINTR, as on QNX. Calling the library from a signal handler is not
// supported, other than on QNX.
//
// # Fork
//
// In a child that fork made and that has not called exec, every call fails with
// ENOSYS.
//
// # What the host cannot do
//
// Calls that only a target can do are there, so that programs link, and fail
// with ENOSYS.
//
// The package also serves Go programs built with -tags qnx on Linux, which run
// the target's own files on these symbols.
package qnxhost
