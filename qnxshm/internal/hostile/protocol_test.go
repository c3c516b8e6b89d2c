//go:build linux

package hostile_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// All that these tests know of the host's protocol: names of sockets, the packets
// of its first steps, and what a handle says.

// processSocket is the abstract name of the socket that the process pid listens
// on, and would listen on if it does not yet.
func processSocket(pid int) string {
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		panic(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		panic(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return fmt.Sprintf("qnxshm/%s/%d/%s", space, pid, strings.Fields(after)[19])
}

// nameSocket is the abstract name of the socket that stands for the name of a
// channel.
func nameSocket(name string) string {
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		panic(err)
	}
	return "qnxshm/" + space + "/name/:" + name
}

// A listener other than the plain name's is one of these.
func otherSocket(pid int, random uint64) string {
	return fmt.Sprintf("%s/%016x", processSocket(pid), random)
}

// forgedHandle is one that says that the process pid has made it.
func forgedHandle(pid int) uint64 { return uint64(pid)<<42 | 1 }

// The kinds of packets.
const (
	helloHandles = iota + 1
	helloAttach
	helloName
	helloLane
	helloLink
	welcome
	openRequest
	mapRequest
	deleteRequest
	answer
	claimRequest
	registerRequest
)

const (
	frameSize = 64
	connType  = unix.SOCK_SEQPACKET
)

// A packet is what processes send each other first.
type packet struct {
	kind   uint16
	errno  int32
	number int32 // chid of an attaching hello
	id     uint64
	a, b   int64 // device and inode of a registration
	c      uint64
}

func (p packet) encode() []byte {
	const magic, version = 0x51534d48, 1
	b := make([]byte, frameSize)
	e := binary.NativeEndian
	e.PutUint32(b[0:], magic)
	e.PutUint16(b[4:], version)
	e.PutUint16(b[6:], p.kind)
	e.PutUint32(b[8:], uint32(p.errno))
	e.PutUint32(b[12:], uint32(p.number))
	e.PutUint64(b[24:], p.id)
	e.PutUint64(b[32:], uint64(p.a))
	e.PutUint64(b[40:], uint64(p.b))
	e.PutUint64(b[56:], p.c)
	return b
}

func decodePacket(b []byte) (p packet, err error) {
	if len(b) < frameSize {
		return p, syscall.EPROTO
	}
	e := binary.NativeEndian
	return packet{
		kind: e.Uint16(b[6:]), errno: int32(e.Uint32(b[8:])), number: int32(e.Uint32(b[12:])),
		id: e.Uint64(b[24:]), a: int64(e.Uint64(b[32:])), b: int64(e.Uint64(b[40:])), c: e.Uint64(b[56:]),
	}, nil
}

// holdPlace is the hello that keeps a connection's place for longest.
func holdPlace(token uint64) packet { return packet{kind: helloLink, id: token} }

// helloFor is the hello of a connection for a purpose.
func helloFor(purpose string, chid int) packet {
	p := packet{id: 1}
	switch purpose {
	case "handles":
		p.kind = helloHandles
	case "link":
		p.kind = helloLink
	case "channel":
		p.kind, p.number = helloAttach, int32(chid)
	case "name":
		p.kind = helloName
	}
	return p
}

// refused reports whether a hello was not taken well.
func refused(p packet, err error) bool { return err != nil || p.kind != welcome || p.errno != 0 }

// registerBlindly registers the process with the creator of an object that it
// never had, of which it guessed device and inode. The link must stay open.
func registerBlindly(creator int, dev, ino uint64) (link, asked conn, err error) {
	const token = 0x5ec2e7
	if link, err = dial(processSocket(creator)); err != nil {
		return link, asked, err
	}
	if _, err = link.ask(packet{kind: helloLink, id: token}); err != nil {
		return link, asked, err
	}
	if asked, err = dial(processSocket(creator)); err != nil {
		return link, asked, err
	}
	if _, err = asked.ask(packet{kind: helloHandles}); err == nil {
		_, err = asked.ask(packet{kind: registerRequest, id: token, a: int64(dev), b: int64(ino), c: 1})
	}
	return link, asked, err
}

// falseMaker is asked about handles on a connection, and lets give send its
// answers.
func falseMaker(c conn, give func(c conn, answer []byte) error) error {
	for {
		p, err := c.receive()
		if err != nil {
			return err
		}
		if p.kind < openRequest {
			err = c.send(packet{kind: welcome}.encode())
		} else {
			err = give(c, packet{kind: answer, id: p.id}.encode())
		}
		if err != nil {
			return err
		}
	}
}
