//go:build linux

package hostile_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What strangers do.
var strangerCommands = map[string]func(*node, arguments) ([]any, error){
	"blockers":   func(*node, arguments) ([]any, error) { return nil, blocksInClose() },
	"packet":     (*node).packet,
	"abuse":      (*node).abuse,
	"taken":      (*node).taken,
	"falsemaker": (*node).falseMaker,
	"asked":      func(n *node, _ arguments) ([]any, error) { return []any{n.asked.Load()}, nil },
	"answer":     func(n *node, _ arguments) ([]any, error) { n.answers <- struct{}{}; return nil, <-n.answered },
	"take":       (*node).takeName,
	"crowd":      (*node).crowdNames,
	"hold":       (*node).holdPlaces,
	"register":   (*node).register,
	"flood":      (*node).flood,
	"dial":       (*node).dial,
	"steal":      steal,
	"hello":      hello,
	"bequeath":   bequeath,
}

// packet sends the first packet of connections, with descriptors that block.
func (n *node) packet(a arguments) ([]any, error) { // socket packets descriptors
	for range a.int(1) {
		c, err := dial(a[0])
		if err != nil {
			return nil, err
		}
		n.raw = append(n.raw, c)
		if err := c.sendBlockers(helloFor("handles", 0).encode(), a.int(2)); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// abuse sends descriptors that block on every socket that this process has with
// another one.
func (n *node) abuse(a arguments) ([]any, error) { // pid
	sockets := unixSockets(a.int(0))
	if len(sockets) == 0 {
		return nil, syscall.ENOTCONN
	}
	for _, c := range sockets {
		if err := c.sendBlockers(make([]byte, frameSize), 1); err != nil {
			return nil, err
		}
	}
	n.raw = append(n.raw, sockets...)
	return nil, nil
}

// taken waits until others have taken what they were sent, or perhaps cannot
// because they suffer.
func (n *node) taken(arguments) ([]any, error) {
	for deadline := time.Now().Add(200 * time.Millisecond); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if !slices.ContainsFunc(n.raw, func(c conn) bool { return !c.taken() }) {
			break
		}
	}
	return nil, nil
}

// falseMaker takes the place of the library of this process. Asked for memory it
// answers with a descriptor that blocks, when it is told to.
func (n *node) falseMaker(arguments) ([]any, error) {
	l, err := bind(processSocket(os.Getpid()), true)
	if err != nil {
		return nil, err
	}
	unix.SetsockoptTimeval(l.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{})
	give := func(c conn, b []byte) error {
		n.asked.Add(1)
		<-n.answers
		err := c.sendBlockers(b, 1)
		n.answered <- err
		return err
	}
	go func() {
		for {
			fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC)
			if err == nil {
				go falseMaker(conn{fd}, give)
			}
		}
	}()
	return []any{forgedHandle(os.Getpid())}, nil
}

// takeName takes the name of another process's socket as soon as that is free,
// and tells whether it got it.
func (n *node) takeName(a arguments) ([]any, error) { // listen|bound ms name
	deadline := time.Now().Add(time.Duration(a.int(1)) * time.Millisecond)
	for {
		c, err := bind(a[2], a[0] == "listen")
		if err == nil {
			n.raw = append(n.raw, c)
			return []any{"taken"}, nil
		}
		if err != syscall.EADDRINUSE {
			return nil, err
		}
		if time.Now().After(deadline) {
			return []any{"kept"}, nil
		}
		time.Sleep(time.Millisecond)
	}
}

// crowdNames takes names like those of a process whose own is taken.
func (n *node) crowdNames(a arguments) ([]any, error) { // pid count
	for range a.int(1) {
		c, err := bind(otherSocket(a.int(0), rand.Uint64()), true)
		if err != nil {
			return nil, err
		}
		n.raw = append(n.raw, c)
	}
	return nil, nil
}

// holdPlaces makes connections, as many as there is room for, and keeps them.
func (n *node) holdPlaces(a arguments) ([]any, error) { // socket count
	held := 0
	for range a.int(1) {
		c, err := dial(a[0])
		if err != nil {
			break
		}
		n.raw = append(n.raw, c)
		p, err := c.ask(holdPlace())
		if err == syscall.EAGAIN { // no answer: there is no room
			break
		}
		if !refused(p, err) {
			held++
		}
	}
	return []any{held}, nil
}

func (n *node) register(a arguments) ([]any, error) { // pid dev ino
	link, err := registerBlindly(a.int(0), a.uint(1), a.uint(2))
	n.raw = append(n.raw, link)
	return nil, err
}

// flood registers without end what it never had, on as many links as there is room
// for.
func (n *node) flood(a arguments) ([]any, error) { // socket links
	before := len(n.raw)
	held, err := n.holdPlaces(a)
	links := n.raw[before:]
	go func() {
		packet := guessedRegistration(0).encode()
		for {
			for _, c := range links {
				for unix.Send(c.fd, packet, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) == nil {
				}
			}
		}
	}()
	return held, err
}

// dial connects to a process, or to a channel by its name.
func (n *node) dial(a arguments) ([]any, error) { // pid|name
	socket := nameSocket(a[0])
	if pid, err := strconv.Atoi(a[0]); err == nil {
		socket = processSocket(pid)
	}
	c, err := dial(socket)
	return []any{c.fd}, err
}

// steal duplicates a descriptor of another process.
func steal(_ *node, a arguments) ([]any, error) { // pid fd
	pidfd, err := unix.PidfdOpen(a.int(0), 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, a.int(1), 0)
	return []any{fd}, err
}

// hello says what a connection is for, and tells what comes of it.
func hello(_ *node, a arguments) ([]any, error) { // conn purpose [chid]
	chid := 0
	if len(a) > 2 {
		chid = a.int(2)
	}
	if refused(conn{a.int(0)}.ask(helloFor(a[1], chid))) {
		return []any{"refused"}, nil
	}
	return []any{"welcome"}, nil
}

// holdEnv, when set, makes a node hold what it inherits, and do nothing.
const (
	holdEnv = "QNXSHM_HOSTILE_HOLD"
	holdFor = 30 * time.Second
)

// bequeath starts a process that has the listening sockets of this one, as a
// forked child would.
func bequeath(*node, arguments) ([]any, error) {
	heir := exec.Command("/proc/self/exe")
	heir.Env = append(os.Environ(), holdEnv+"=1")
	for _, fd := range openDescriptors() {
		if isListening(fd) {
			own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return nil, err
			}
			heir.ExtraFiles = append(heir.ExtraFiles, os.NewFile(uintptr(own), "listener"))
		}
	}
	if len(heir.ExtraFiles) == 0 {
		return nil, syscall.ENOENT
	}
	err := heir.Start()
	for _, f := range heir.ExtraFiles {
		f.Close()
	}
	if err != nil {
		return nil, err
	}
	return []any{heir.Process.Pid}, nil
}
