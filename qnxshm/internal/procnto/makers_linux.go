package procnto

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A maker is another process that made handles for this one, with the
// connections kept to it.
type maker struct {
	slots chan struct{} // one for each connection in use
	idle  []*outbound
}

// A process asks another one on so many connections at most; further calls wait.
const maxOutbound = 16

// An outbound is a connection to the service of another process. One call uses
// it at a time.
type outbound struct {
	fd     int
	maker  *maker
	packet packet
	answer frame   // the last one received
	got    receipt // what came with it
	stale  bool    // was idle at the last tidy

	cancels uint64 // of a connection to a channel: how many were sent
}

func (c *outbound) close() {
	c.discard()
	unix.Close(c.fd)
}

// discard closes the descriptor that came with the last answer.
func (c *outbound) discard() {
	if c.got.fd != noFD {
		unix.Close(c.got.fd)
		c.got.fd = noFD
	}
}

// exchange sends a frame and waits for what comes back. With the flag MSG_PEEK
// that stays in the queue, until drop.
func (c *outbound) exchange(f *frame, flags int) (err error) {
	c.got = receipt{fd: noFD}
	// A peer that has no room for the connection says so before it closes it.
	if err = c.packet.send(c.fd, f, nil, noFD); err == nil || ended(err) {
		c.got, err = c.packet.await(c.fd, &c.answer, nil, time.Time{}, true, flags)
	}
	if err == nil && c.got.n != 0 {
		err = errMalformed
	}
	return err
}

// tidy closes what was idle at its last call and reports whether nothing is
// left. The manager's lock is held.
func (k *maker) tidy() (empty bool) {
	kept := k.idle[:0]
	for _, c := range k.idle {
		if c.stale {
			unix.Close(c.fd)
		} else {
			c.stale = true
			kept = append(kept, c)
		}
	}
	clear(k.idle[len(kept):])
	k.idle = kept
	return len(k.idle) == 0 && len(k.slots) == 0
}

// maker returns the record of the process pid. The manager's lock is held.
func (m *manager) maker(pid int) *maker {
	k := m.makers[pid]
	if k == nil {
		k = &maker{slots: make(chan struct{}, maxOutbound)}
		if m.makers == nil {
			m.makers = make(map[int]*maker)
		}
		m.makers[pid] = k
	}
	return k
}

// reserve takes a slot at the maker pid.
func (m *manager) reserve(pid int) (*maker, error) {
	for {
		m.mu.Lock()
		k := m.maker(pid)
		select {
		case k.slots <- struct{}{}:
			m.mu.Unlock()
			return k, nil
		default:
			m.mu.Unlock()
		}
		timer := time.NewTimer(peerTimeout)
		select {
		case k.slots <- struct{}{}:
			timer.Stop()
			m.mu.Lock()
			current := m.makers[pid] == k
			m.mu.Unlock()
			if current {
				return k, nil
			}
			<-k.slots // tidy has dropped it: start again
		case <-timer.C:
			return nil, notAnswering(pid)
		}
	}
}

// kept takes a connection that was kept, nil if there is none.
func (m *manager) kept(k *maker) *outbound {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(k.idle) == 0 {
		return nil
	}
	c := k.idle[len(k.idle)-1]
	k.idle = k.idle[:len(k.idle)-1]
	return c
}

// release gives a slot back, and keeps its connection unless that is nil.
func (m *manager) release(k *maker, c *outbound) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c != nil {
		c.stale = false
		k.idle = append(k.idle, c)
	}
	<-k.slots
	m.tidyLater()
}

// ask makes an exchange with the maker pid. On success the caller has the
// connection, to be released.
func (m *manager) ask(pid int, request *frame, flags int) (*outbound, error) {
	k, err := m.reserve(pid)
	if err != nil {
		return nil, err
	}
	for {
		c := m.kept(k)
		fresh := c == nil
		if fresh {
			start, err := startTime(pid)
			if err == nil {
				c, _, err = dialSocket(processSocket(pid, start), pid, &frame{kind: helloHandles})
			}
			if err != nil {
				m.release(k, nil)
				return nil, peerError(err, pid)
			}
			c.maker = k
		}
		err := c.exchange(request, flags)
		if err == nil && (c.answer.kind != answer || c.answer.id != request.id) {
			err = errMalformed
		}
		if err == nil {
			return c, nil
		}
		c.close()
		if fresh || err == syscall.ETIMEDOUT {
			m.release(k, nil)
			return nil, peerError(err, pid)
		}
		// The maker drops idle connections. Whatever it did with the request,
		// a handle whose connection ended is unused: asking again is safe.
	}
}

// dialSocket connects to a socket of the process pid (0: whoever has it), says
// hello and waits for the welcome, which is the connection's answer. A process
// whose service is just ending closes a connection without a word; then the
// next attempt finds nobody, or its next service.
func dialSocket(name string, pid int, hello *frame) (c *outbound, peer int, err error) {
	const attempts = 3
	for range attempts {
		var fd int
		fd, peer, err = dial(name, pid, peerTimeout)
		if err != nil {
			return nil, pid, err
		}
		c = &outbound{fd: fd}
		err = c.exchange(hello, 0)
		switch {
		case err == nil && (c.answer.kind != welcome || c.got.fd != noFD):
			err = errMalformed
		case err == nil && c.answer.errno != 0:
			err = refusal(c.answer.errno)
		case err == nil:
			return c, peer, nil
		}
		c.close()
		if !ended(err) {
			break
		}
	}
	return nil, peer, err
}

// ended reports whether err tells that the other side has closed the connection.
// Sending is told so of a close with something unread, such as in a backlog.
func ended(err error) bool {
	return err == io.EOF || err == syscall.EPIPE || err == syscall.ECONNRESET
}

// refusal is the error of a connection that the other side has turned away.
func refusal(errno int32) error {
	if e := syscall.Errno(errno); e != syscall.EAGAIN {
		return e
	}
	return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the other process has too many connections"}
}

// peerError tells what it means that talking to the process pid failed.
func peerError(err error, pid int) error {
	var version versionError
	switch {
	case errors.As(err, &version):
		return qnxerr.Cause{Errno: syscall.EPROTO, Text: err.Error()}
	case ended(err) || err == syscall.ECONNREFUSED:
		return syscall.ESRCH
	case err == errMalformed || err == errForeignNamespace:
		return qnxerr.Cause{Errno: syscall.ESRCH, Text: "what answers for the maker is not this module: " + err.Error()}
	case err == syscall.ETIMEDOUT || err == syscall.EAGAIN:
		return notAnswering(pid)
	}
	return err
}

func notAnswering(pid int) error {
	who, why := "the other process", "it is busy, or does not run"
	if pid != 0 {
		who = fmt.Sprintf("process %d", pid)
	}
	if stopped(pid) {
		why = "it is stopped, by a signal or a debugger"
	}
	return qnxerr.Cause{Errno: syscall.EAGAIN, Text: fmt.Sprintf("%s did not answer for %v: %s", who, peerTimeout, why)}
}

// useForeign is use of a handle that another process made.
func (m *manager) useForeign(kind frameKind, id uint64, access, pid int, take func(received) error) error {
	deadline := time.Now().Add(peerTimeout)
	for {
		c, err := m.ask(pid, &frame{kind: kind, id: id, number: int32(access)}, unix.MSG_PEEK)
		if err != nil {
			return err
		}
		k := c.maker
		err = c.accept(access, take)
		if err != nil && c.answer.errno == 0 || c.packet.drop(c.fd) != nil {
			// Closing with the answer still in the queue tells the maker that
			// the handle was not used.
			c.close()
			c = nil
			if err == nil {
				err = syscall.ESRCH
			}
		} else if err == nil && kind == mapRequest {
			if err = c.exchange(&frame{kind: claimRequest, id: id}, 0); err == nil && c.answer.errno != 0 {
				err = syscall.ESRCH // not another turn, whatever the maker says
			} else if err != nil {
				c.close() // tells the maker that the handle was not used
				c, err = nil, peerError(err, pid)
			}
		}
		m.release(k, c)
		if err != syscall.EBUSY {
			return err
		}
		// Another thread of this process is just opening it.
		if time.Now().After(deadline) {
			return notAnswering(pid)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// accept gives the descriptor that came with an answer to take, unless the
// answer is an error or something is wrong with it.
func (c *outbound) accept(access int, take func(received) error) error {
	defer c.discard()
	switch errno := syscall.Errno(c.answer.errno); {
	case errno == syscall.EAGAIN:
		return qnxerr.Cause{Errno: errno, Text: "the maker of the handle has no descriptor left; the handle is kept"}
	case errno != 0:
		return errno
	case c.got.lost:
		return outOfDescriptors()
	}
	w := window{c.answer.a, c.answer.b}
	key, ok := checkReceived(c.got.fd, access, w)
	if !ok {
		return qnxerr.Cause{Errno: syscall.ESRCH, Text: "what the maker sent is not the memory that was asked for"}
	}
	err := take(received{c.got.fd, key, w, creator{int(c.answer.coid), c.answer.c}, false})
	if err == nil {
		c.got.fd = noFD
	}
	return err
}

// checkReceived trusts a maker no more than any peer.
func checkReceived(fd, access int, w window) (key objectKey, ok bool) {
	if fd == noFD || !isMemory(fd) {
		return key, false
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return key, false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&(unix.O_ACCMODE|unix.O_PATH) != access {
		return key, false
	}
	if w.offset < 0 || w.size < 0 || w.offset%pageSize != 0 || w.size%pageSize != 0 ||
		w.size == 0 && w.offset != 0 || w.offset+w.size < w.offset {
		return key, false
	}
	return keyOf(&st), true
}

// outOfDescriptors finds out why the kernel could not give this process a
// descriptor.
func outOfDescriptors() error {
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
		return syscall.EMFILE // somebody has closed one meanwhile
	}
	if err == syscall.ENFILE {
		return err
	}
	return syscall.EMFILE
}

// tell makes a request to the process pid of which only the errno comes back.
func (m *manager) tell(pid int, request *frame) error {
	c, err := m.ask(pid, request, 0)
	if err != nil {
		return err
	}
	c.discard()
	errno := syscall.Errno(c.answer.errno) // from release on it is another call's
	m.release(c.maker, c)
	if errno != 0 {
		return errno
	}
	return nil
}

// deleteForeign deletes a handle that another process made for this one.
func (m *manager) deleteForeign(id uint64, pid int) error {
	return m.tell(pid, &frame{kind: deleteRequest, id: id})
}
