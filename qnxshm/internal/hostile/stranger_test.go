//go:build linux

package hostile_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"golang.org/x/sys/unix"
)

// strange are what strangers do.
func (n *node) strange() testproc.Procedures {
	return testproc.Procedures{
		"blockers":   testproc.NeedBlockers,
		"packet":     n.packet,
		"abuse":      n.abuse,
		"taken":      n.taken,
		"falsemaker": n.falseMaker,
		"asked":      n.asked.Load,
		"answer":     func() error { n.answers <- struct{}{}; return <-n.answered },
		"take":       n.takeName,
		"crowd":      n.crowdNames,
		"hold":       n.holdPlaces,
		"register":   n.register,
		"flood":      n.flood,
		"dial":       dialProcess, "dialname": dialName,
		"steal": steal,
		"hello": hello, "bequeath": bequeath,
	}
}

// packet sends the first packet of connections, with descriptors that block.
func (n *node) packet(socket string, packets, descriptors int) error {
	for range packets {
		c, err := dial(socket)
		if err != nil {
			return err
		}
		n.raw = append(n.raw, c)
		if err := sendBlockers(c, testproc.Encode(helloFor("handles", 0)), descriptors); err != nil {
			return err
		}
	}
	return nil
}

// abuse sends descriptors that block on every socket that this process has with
// another one.
func (n *node) abuse(pid int) error {
	sockets := unixSockets(pid)
	if len(sockets) == 0 {
		return syscall.ENOTCONN
	}
	for _, c := range sockets {
		if err := sendBlockers(c, make([]byte, frameSize), 1); err != nil {
			return err
		}
	}
	n.raw = append(n.raw, sockets...)
	return nil
}

// taken waits until others have taken what they were sent, or perhaps cannot
// because they suffer.
func (n *node) taken() {
	for deadline := time.Now().Add(200 * time.Millisecond); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if !slices.ContainsFunc(n.raw, func(c testproc.Raw) bool { return !hasTaken(c) }) {
			break
		}
	}
}

// falseMaker takes the place of the library of this process. Asked for memory it
// answers with a descriptor that blocks, when it is told to.
func (n *node) falseMaker() (handle uint64, err error) {
	l, err := testproc.Listen(processSocket(os.Getpid()), backlog)
	if err != nil {
		return 0, err
	}
	give := func(c testproc.Raw, b []byte) error {
		n.asked.Add(1)
		<-n.answers
		err := sendBlockers(c, b, 1)
		n.answered <- err
		return err
	}
	go func() {
		for {
			if c, err := l.Accept(); err == nil {
				go falseMaker(c, give)
			}
		}
	}()
	return forgedHandle(os.Getpid()), nil
}

// takeName takes the name of another process's socket as soon as that is free,
// and tells whether it got it.
func (n *node) takeName(how string, within time.Duration, name string) (taken bool, err error) {
	for deadline := time.Now().Add(within); ; {
		c, err := testproc.Bind(name)
		if err == nil && how == "listen" {
			err = unix.Listen(c.FD, backlog)
		}
		if err == nil {
			n.raw = append(n.raw, c)
			return true, nil
		}
		if err != syscall.EADDRINUSE {
			return false, err
		}
		if time.Now().After(deadline) {
			return false, nil
		}
		time.Sleep(time.Millisecond)
	}
}

// crowdNames takes names like those of a process whose own is taken.
func (n *node) crowdNames(pid, count int) error {
	for range count {
		c, err := testproc.Listen(otherSocket(pid, rand.Uint64()), backlog)
		if err != nil {
			return err
		}
		n.raw = append(n.raw, c)
	}
	return nil
}

// holdPlaces makes connections, as many as there is room for, and keeps them.
func (n *node) holdPlaces(socket string, count int) (held int) {
	for range count {
		c, err := dial(socket)
		if err != nil {
			break
		}
		n.raw = append(n.raw, c)
		p, err := c.Ask(holdPlace())
		if err == syscall.EAGAIN { // no answer: there is no room
			break
		}
		if !refused(p, err) {
			held++
		}
	}
	return held
}

func (n *node) register(pid int, ino uint64) error {
	link, err := registerBlindly(pid, ino)
	n.raw = append(n.raw, link)
	return err
}

// flood registers without end what it never had, on as many links as there is room
// for.
func (n *node) flood(socket string, links int) (held int) {
	before := len(n.raw)
	held = n.holdPlaces(socket, links)
	open := n.raw[before:]
	go func() {
		packet := testproc.Encode(guessedRegistration(0))
		for {
			for _, c := range open {
				for unix.Send(c.FD, packet, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) == nil {
				}
			}
		}
	}()
	return held
}

// dialProcess connects to a process, dialName to a channel by its name.
func dialProcess(pid int) (conn int, err error) {
	c, err := dial(processSocket(pid))
	return c.FD, err
}

func dialName(name string) (conn int, err error) {
	c, err := dial(nameSocket(name))
	return c.FD, err
}

// steal duplicates a descriptor of another process.
func steal(pid, theirs int) (fd int, err error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(pidfd)
	return unix.PidfdGetfd(pidfd, theirs, 0)
}

// hello says what a connection is for, and tells whether it is welcome.
func hello(conn int, purpose string, chid int) (welcome bool) {
	return !refused(testproc.Raw{FD: conn}.Ask(helloFor(purpose, chid)))
}

// bequeath starts a process that has the listening sockets of this one, as a
// forked child would.
func bequeath() (heir int, err error) {
	listening := slices.DeleteFunc(openDescriptors(), func(fd int) bool { return !isListening(fd) })
	if len(listening) == 0 {
		return 0, syscall.ENOENT
	}
	return testproc.Bequeath(listening...)
}
