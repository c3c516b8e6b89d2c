//go:build linux

package message

import (
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// acquire takes a lane for one message or pulse. If it has to make one it waits
// for the server until the deadline, unless that is zero.
func (c *connection) acquire(deadline time.Time) (*clientLane, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		l := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.busy[l] = struct{}{}
		c.mu.Unlock()
		return l, nil
	}
	c.mu.Unlock()
	if err := linux.TimersWork(); err != nil {
		return nil, noDescriptors(err)
	}
	const attempts = 3
	for range attempts {
		if l, err := c.newLane(deadline); err != io.EOF {
			return l, err
		}
	}
	return nil, syscall.EBADF
}

// newLane makes a lane, or goes on with one that was not welcomed yet when its
// thread lost patience: the C face has none at all, and comes again. EOF: the
// server has closed it without a word.
func (c *connection) newLane(deadline time.Time) (*clientLane, error) {
	l, err := c.begunLane(deadline)
	if err == nil {
		err = l.conn.Welcomed(deadline)
	}
	switch {
	case err == nil:
		return l, nil
	case l != nil:
		c.giveUp(l, err == syscall.ETIMEDOUT)
	}
	switch {
	case err == io.EOF, err == syscall.ETIMEDOUT, errors.Is(err, syscall.EAGAIN):
		return nil, err
	case procnto.Ended(err), err == syscall.ECONNREFUSED, err == wire.ErrMalformed:
		return nil, syscall.EBADF
	}
	return nil, noDescriptors(err)
}

// begunLane returns a lane that is to be welcomed. ConnectDetach ends the wait.
func (c *connection) begunLane(deadline time.Time) (*clientLane, error) {
	c.mu.Lock()
	if n := len(c.begun); n > 0 {
		l := c.begun[n-1]
		c.begun = c.begun[:n-1]
		c.busy[l] = struct{}{}
		c.mu.Unlock()
		return l, nil
	}
	c.lastLane++
	hello := &wire.HelloLane{Token: procnto.Token(), Lane: c.lastLane, ChannelID: int32(c.chid), SCOID: int32(c.scoid), COID: int32(c.coid)}
	c.mu.Unlock()
	// The server closes its end when the channel or the client is let go.
	if revents, err := linux.PollIn(c.control.Descriptor()); err == nil && revents&^unix.POLLIN != 0 {
		return nil, syscall.EBADF
	}
	conn, err := c.control.Another(hello, deadline)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		conn.CloseAnother()
		return nil, syscall.EBADF
	}
	l := &clientLane{conn: conn, number: hello.Lane}
	c.busy[l] = struct{}{}
	return l, nil
}

// giveUp ends the wait for a welcome, which may still come.
func (c *connection) giveUp(l *clientLane, mayCome bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, l)
	if mayCome && !c.closed && len(c.begun) < maxIdleLanes {
		c.begun = append(c.begun, l)
		return
	}
	l.conn.CloseAnother()
}

// release gives a lane back, to be used again if it is good.
func (c *connection) release(l *clientLane, good bool) {
	c.mu.Lock()
	delete(c.busy, l)
	good = good && len(c.idle) < maxIdleLanes
	if good {
		c.idle = append(c.idle, l)
	}
	c.mu.Unlock()
	if !good {
		// To the server this also means that nobody waits for a reply.
		l.conn.CloseAnother()
	}
}
