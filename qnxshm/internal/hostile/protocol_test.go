//go:build linux

package hostile_test

import (
	"fmt"
	"os"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
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
	return fmt.Sprintf("qnxshm/%s/%d", space, pid)
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

const frameSize = wire.FrameSize

// holdPlace is the hello that keeps a connection's place for longest.
func holdPlace() wire.Frame { return new(wire.HelloLink) }

// helloFor is the hello of a connection for a purpose.
func helloFor(purpose string, chid int) wire.Frame {
	switch purpose {
	case "link":
		return holdPlace()
	case "channel":
		return &wire.HelloAttach{ChannelID: int32(chid)}
	case "name":
		return &wire.HelloName{}
	}
	return new(wire.HelloHandles)
}

// refused reports whether a hello was not taken well.
func refused(f wire.Frame, err error) bool {
	w, ok := f.(*wire.Welcome)
	return err != nil || !ok || w.Errno != 0
}

// guessedRegistration is for an object whose secret is not known.
func guessedRegistration(secret uint64) wire.Frame {
	return &wire.Register{Secret: secret, Serial: 1, Number: 1}
}

// registerBlindly registers the process with the creator of an object that it
// never had, whose inode it knows and whose secret it guesses. The link must stay
// open.
func registerBlindly(creator int, ino uint64) (link testproc.Raw, err error) {
	if link, err = dial(processSocket(creator)); err != nil {
		return link, err
	}
	if _, err = link.Ask(holdPlace()); err == nil {
		err = link.Say(guessedRegistration(ino))
	}
	return link, err
}

// falseMaker is asked about handles on a connection, and lets give send its
// answers.
func falseMaker(c testproc.Raw, give func(c testproc.Raw, answer []byte) error) error {
	for {
		p, err := c.ReceiveFrame()
		if err != nil {
			return err
		}
		var handle uint64
		switch f := p.(type) {
		case *wire.Open:
			handle = f.Handle
		case *wire.Map:
			handle = f.Handle
		default:
			if err := c.Say(new(wire.Welcome)); err != nil {
				return err
			}
			continue
		}
		if err := give(c, testproc.Encode(&wire.Granted{Handle: handle})); err != nil {
			return err
		}
	}
}
