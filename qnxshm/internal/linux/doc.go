//go:build !qnx || linux

// Package linux has what the host needs of Linux and no semantics of its own:
// descriptors that live high, files of /proc, processes by pidfd, epoll and
// eventfd, files in memory, random numbers, how a thread waits, and how
// descriptors of strangers are closed. A failure is a syscall.Errno.
//
// The packages of the host, each of which uses those before it:
//
//	linux    this
//	wire     frames between processes, and how they travel
//	memory   objects, windows, mappings, control
//	procnto  the process manager: service, handles, revocation
//	message  channels and connections
//
// Package testproc is beside them, for their tests.
package linux
