//go:build !qnx || linux

// Package message is the host's channels and connections: what QNX's kernel does
// about messages and pulses, done on Linux in memory that client and server share, on
// top of the process manager (package procnto), which makes the connections.
//
// Every function follows the libc call of that name in package qnxmsg, where the
// rules are documented. A failure is a syscall.Errno, or a qnxerr.Cause where the
// errno's usual meaning would not tell enough.
//
// # The life of a message
//
// A client process and a channel share memory and a socket: that is an attachment,
// which the server calls a client. A blocked thread has a slot in the memory, whose
// state is one word (state.go). The client's thread fills the slot (sender.go), makes it
// sent, and enters it in the ring (ring.go). A receiver looks at the rings of the
// clients that were active last, or sleeps, and then the socket's bell wakes it
// (receive.go, bell.go, hear.go). What it finds goes into the channel's queue (queue.go),
// from which it takes the next; it copies the message and makes the slot received
// (deliver.go, answer.go). The rcvid names the slot (rcvid.go), so that MsgReply finds
// it, writes the reply and makes it replied (reply.go). The client's thread has tried
// for a while, and slept then (wait.go); it takes the reply and the slot is idle.
//
// To give up is to change the state, which needs nobody else (sending.go). When one
// side is gone the other one learns it from the socket, or from the process's pidfd,
// and ends what waits (departure.go, rouse.go).
//
// What is too long for a slot is in memory of its own, which the slot keeps
// (parts_unsafe.go). Client and server of one process have the memory, and call each
// other in place of the socket (local.go).
//
// # Rooms
//
// No file refers to one that stands further down here.
//
//	state.go          the state of a slot
//	shared_unsafe.go  the memory's layout; ring.go its ring; pieces.go of replies
//	mapped_unsafe.go  how much may be mapped
//	parts_unsafe.go   making and mapping it; buffer.go for large messages
//	copy.go           to and from a program's memory
//	sleep.go          how threads sleep; sleepers.go those of a channel
//	queue.go          what waits to be received
//	server.go         channels and their clients; rcvid.go their slots' numbers
//	use.go            how long a client's memory is there
//	bell.go           who is woken when; answer.go one slot
//	departure.go      the end of a client
//	hear.go           what comes on a client's socket
//	local.go          a client of the same process
//	look.go           what receivers look at
//	deliver.go        the message itself
//	receive.go        MsgReceive
//	reply.go          MsgReply, MsgError, MsgRead, MsgWrite, MsgInfo
//	clientinfo.go     ConnectClientInfo
//	channel.go        ChannelCreate, ChannelDestroy; how clients come
//	clientside.go     attachments and connections; rouse.go wakes their threads
//	attachment.go     how they are made and end
//	connection.go     coids, ConnectDetach; name.go, attach.go how they are made
//	sender.go         the client's side of a slot
//	sending.go        one message; wait.go the wait for its reply
//	send.go           MsgSend, MsgSendPulse
//	event.go          MsgRegisterEvent, MsgDeliverEvent
//
// # Locks
//
// In the order in which they are taken:
//
//	procnto.Conn.mu       around a hello
//	client.socket         one thread hears what comes; nothing there waits
//	channelTable.mu, attachmentTable.mu, connectionTable.mu
//	channel.mu            its clients and queue; no system call that a peer can
//	                      make slow, no copy of a message
//	served.writers        one thread writes to a reply; apart from channel.mu, which
//	                      is taken inside for a moment
//	attachment.mu         the client's slots
//	attachment.putting    one thread enters something in the ring
//	attachment.sharing    one thread shares memory; inside attachment.mu, too
//	attachment.packets    one thread uses the socket
//	rcvidTable.mu and those of procnto
//	                      leaves
package message
