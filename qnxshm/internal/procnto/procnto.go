//go:build !qnx || linux

// Package procnto is the host's process manager: what QNX's procnto does about
// shared-memory handles, channels and messages, done on Linux between ordinary
// processes, without a daemon. All semantics of the host live here, once; the
// public packages, and the C symbols of qnxhost, only hand their calls on.
//
// Every function follows the libc call of that name in package qnxshm or
// qnxmsg, where the rules are documented. A failure is a syscall.Errno, or a
// qnxerr.Cause where the errno's usual meaning would not tell enough.
//
// The package has three layers, each in its own files:
//
//   - bookkeeping, without I/O and goroutines: handles.go, wire.go
//   - memory and descriptors: objects_linux.go, memory_unsafe_linux.go
//   - talking to other processes: socket_linux.go (the only user of raw
//     socket calls), service_linux.go (what this process serves to others),
//     makers_linux.go (what it asks of others), channel_linux.go and
//     connection_linux.go (messages)
package procnto
