//go:build !qnx || linux

// Package message is the host's channels and connections: what QNX's kernel does
// about messages and pulses, done on Linux on top of the process manager (package
// procnto), which serves and makes the connections.
//
// Every function follows the libc call of that name in package qnxmsg, where the
// rules are documented. A failure is a syscall.Errno, or a qnxerr.Cause where the
// errno's usual meaning would not tell enough.
//
// Locks, in the order in which they are taken: that of a procnto.Conn,
// channelTable.mu, channel.mu, lane.mu; connection.mu apart from them.
package message
