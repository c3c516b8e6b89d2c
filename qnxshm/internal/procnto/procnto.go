//go:build !qnx || linux

// Package procnto is the host's process manager: what QNX's procnto does about
// shared-memory handles, done on Linux between ordinary processes, without a
// daemon. Package memory below it knows objects and mappings, package message
// above it channels and connections; together they are the semantics of the
// host, once. The public packages, and the C symbols of qnxhost, only hand
// their calls on.
//
// Every function follows the libc call of that name in package qnxshm, where the
// rules are documented. A failure is a syscall.Errno, or a qnxerr.Cause where
// the errno's usual meaning would not tell enough.
//
// # Rooms
//
// No file refers to one that stands further down here; what it has to tell that, it
// does by a function or a one-method interface that was handed to it.
//
//	identity.go   what this process is known by
//	lock.go       the lock of all tables
//	limit.go      how many handles there may be
//	handles.go    the life of a handle; bookkeeping only
//	service.go    who does the work
//	process.go    other processes, by pidfd
//	dial.go       connections to them; outbound.go those of package message
//	ask.go        requests on these
//	admission.go  how many connections there may be from others
//	conn.go       one of them
//	listener.go   how they come
//	registry.go   the creator's side of links
//	giveup.go     what a revocation ends in this process
//	link.go       the mapper's side of links
//	grant.go      the maker's side of opening and deleting
//	serve.go      how others reach this process
//	create.go     CreateHandle
//	open.go       OpenHandle, DeleteHandle, mmap_handle
//	revoke.go     Revoke, and how revocation works
//
// # Locks
//
// In the order in which they are taken:
//
//	Conn.mu                   one packet of the connection at a time; held around
//	                          receiving and sending, which never wait. Who has
//	                          one only tries to get another.
//	outboundLink.mu           the same of a link; its holder takes no Conn.mu
//	Listener.mu               held around accepting, of one listener
//	tables                    all tables; no system call that a peer can make
//	                          slow, nothing of /proc (lock.go)
//	those of Service, admission, limit, memory and linux
//	                          leaves
package procnto
