//go:build !qnx || linux

// Package wire has the frames in which processes of the host talk, and what
// carries them: packets of a SOCK_SEQPACKET socket in the abstract namespace,
// each a frame of one kind, perhaps a payload, perhaps a descriptor. It keeps no
// state and knows no meaning.
//
// Bytes from a peer are hostile: Decode takes nothing for granted, and what a
// peer attaches to a packet never blocks who receives it (see Packet.Receive).
package wire
