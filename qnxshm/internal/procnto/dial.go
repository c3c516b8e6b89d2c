//go:build linux

package procnto

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// PeerTimeout is how long a process may take to answer another one's library.
// One that takes longer is stopped, or at a breakpoint.
const PeerTimeout = 5 * time.Second

// An Outbound is a connection to the service of another process. One call uses
// it at a time.
type Outbound struct {
	fd      int
	process *process
	packet  wire.Packet

	// While nobody uses it; of tables.
	unused *list.Element
	stale  bool // since before the last tidy
}

func (c *Outbound) blame() uint32 { return c.packet.Blame }

// close closes the connection. What is still in its queue tells the peer that it
// was not taken.
func (c *Outbound) close() {
	linux.Dispose(c.packet.Blame, c.fd)
	c.fd = linux.NoFD
}

// exchange sends a frame and waits for what comes back. With the flag MSG_PEEK
// that stays in the queue, until Drop.
func (c *Outbound) exchange(f wire.Frame, flags int) (wire.Receipt, error) {
	// A peer that has no room for the connection says so before it closes it.
	if err := c.packet.Send(c.fd, f, nil, linux.NoFD); err != nil && !Ended(err) {
		return wire.Receipt{FD: linux.NoFD}, err
	}
	return c.await(PeerTimeout, flags)
}

func (c *Outbound) await(limit time.Duration, flags int) (wire.Receipt, error) {
	r, err := c.packet.Await(c.fd, wire.OneRight, nil, time.Time{}, limit, flags)
	if err == nil && r.N != 0 {
		c.packet.Discard(&r)
		err = wire.ErrMalformed
	}
	return r, err
}

// silence is how long who listens under a name of a process may take to welcome a
// connection before the next name is tried: it may be a child that holds a dead
// process's socket.
const silence = 100 * time.Millisecond

// maxSilent bounds the sockets that are waited for. How many are tried only time
// bounds: else fakes could keep the right one out.
const maxSilent = 16

// dial makes a connection to the service of a process, which it has from then on,
// and says hello. The caller has the process in use.
func (p *process) dial(hello wire.Frame) (*Outbound, *wire.Welcome, error) {
	deadline := time.Now().Add(PeerTimeout)
	for {
		busy := false
		var silent []*Outbound
		for name := range p.sockets() {
			c, err := p.connect(name, hello, PeerTimeout)
			if err == nil {
				var w *wire.Welcome
				w, err = c.welcome(silence)
				if err == nil {
					closeAll(silent)
					p.reached(name)
					return c, w, nil
				}
				if err == syscall.ETIMEDOUT && len(silent) < maxSilent {
					silent = append(silent, c)
					continue
				}
				c.close()
			}
			if !passable(err) {
				closeAll(silent)
				return nil, nil, err
			}
			busy = busy || err == syscall.EAGAIN && p.mayBe(name)
			if time.Now().After(deadline) {
				break
			}
		}
		switch {
		case len(silent) > 0:
			return firstWelcome(silent, deadline)
		case p.exited():
			return nil, nil, syscall.ESRCH
		case time.Now().After(deadline):
			return nil, nil, syscall.ETIMEDOUT
		case !busy:
			return nil, nil, syscall.ESRCH
		}
		time.Sleep(5 * time.Millisecond) // until the listener's queue has room
	}
}

func closeAll(conns []*Outbound) {
	for _, c := range conns {
		c.close()
	}
}

// reached remembers the name that the process was reached under.
func (p *process) reached(name string) {
	tables.lock()
	defer tables.unlock()
	p.socket = name
}

// passable reports whether after a failed attempt the next name may be tried: it
// was not the process that answered.
func passable(err error) bool {
	return err == syscall.EAGAIN || err == syscall.ECONNREFUSED || err == wire.ErrMalformed || err == wire.ErrForeignNamespace || Ended(err)
}

// sockets returns the names that the process may listen under: that which it was
// reached under, that which its number makes, and those that the kernel lists.
func (p *process) sockets() iter.Seq[string] {
	return func(yield func(string) bool) {
		known := p.knownSocket()
		plain := processSocket(p.pid)
		if known != "" && !yield(known) || plain != known && !yield(plain) {
			return
		}
		for _, l := range p.candidates(plain + "/") {
			if l.Name != known && isSocketOf(l.Name, p.pid) && !yield(l.Name) {
				return
			}
		}
	}
}

// candidates returns the sockets that listen under names that begin with prefix,
// first those that the process's user has made. The process may have been another
// user's when it made its own.
func (p *process) candidates(prefix string) []wire.Listener {
	candidates := wire.Listeners(prefix)
	if uid, ok := linux.OwnerOf(p.pid); ok {
		slices.SortStableFunc(candidates, func(a, b wire.Listener) int {
			return rank(a, uid) - rank(b, uid)
		})
	}
	return candidates
}

func rank(l wire.Listener, uid uint32) int {
	if l.KnowsUID && l.UID != uid {
		return 1
	}
	return 0
}

// mayBe reports whether the process may listen under the name, and not another
// user's.
func (p *process) mayBe(name string) bool {
	for _, l := range p.candidates(name) {
		if uid, ok := linux.OwnerOf(p.pid); l.Name == name {
			return !ok || rank(l, uid) == 0
		}
	}
	return false
}

func (p *process) knownSocket() string {
	tables.lock()
	defer tables.unlock()
	return p.socket
}

// connect connects to a socket, if this very process listens there, and says
// hello.
func (p *process) connect(name string, hello wire.Frame, answerIn time.Duration) (*Outbound, error) {
	c, peer, err := reach(name, answerIn)
	if err != nil {
		return nil, err
	}
	return c, p.greet(c, peer, hello)
}

// greet says hello on a new connection, which it closes on failure.
func (p *process) greet(c *Outbound, peer wire.Peer, hello wire.Frame) error {
	c.process = p
	lives := peer.PID == p.pid
	var err error
	if lives {
		lives, err = wire.PeerLives(c.fd)
	}
	switch {
	case err != nil:
	case !lives || p.exited():
		err = syscall.ECONNREFUSED // somebody else has the name
	default:
		if err = c.packet.Send(c.fd, hello, nil, linux.NoFD); err == nil || Ended(err) {
			return nil // who has closed it may have said why
		}
	}
	c.close()
	return err
}

// reach connects to a socket of whomever. Receiving on the connection waits no
// longer than answerIn, if that is not 0.
func reach(name string, answerIn time.Duration) (*Outbound, wire.Peer, error) {
	fd, err := wire.Connect(name, answerIn)
	if err != nil {
		return nil, wire.Peer{}, linux.Refused(err, "connect to a socket in the abstract namespace", "reaches the process at the other end, such as a handle's maker or a channel's server")
	}
	c := &Outbound{fd: fd}
	peer, err := wire.PeerOf(fd)
	c.packet.Blame = peer.UID
	if err != nil {
		c.close()
		return nil, peer, err
	}
	return c, peer, nil
}

// welcome waits for the answer to the hello, of that process and no other.
func (c *Outbound) welcome(limit time.Duration) (*wire.Welcome, error) {
	r, err := c.packet.Try(c.fd, wire.OneRight, nil, 0)
	if err == syscall.EAGAIN {
		if err = linux.WaitFor(c.fd, unix.POLLIN, time.Now().Add(limit)); err == nil {
			r, err = c.await(PeerTimeout, 0)
		}
	}
	c.packet.Discard(&r)
	if err != nil {
		return nil, err
	}
	w, ok := r.Frame.(*wire.Welcome)
	switch {
	case !ok || r.N != 0 || r.From != c.process.pid:
		return nil, wire.ErrMalformed
	case w.Errno != 0:
		return nil, refusal(w.Errno)
	}
	wire.TrustPeer(c.fd)
	return w, nil
}

// firstWelcome waits for one of those that were silent, and closes the others.
func firstWelcome(silent []*Outbound, deadline time.Time) (*Outbound, *wire.Welcome, error) {
	err := error(syscall.ESRCH)
	for len(silent) > 0 {
		wanted := make([]unix.PollFd, len(silent))
		for i, c := range silent {
			wanted[i] = unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN}
		}
		if err = linux.WaitForAny(wanted, deadline); err != nil {
			break
		}
		i := slices.IndexFunc(wanted, func(p unix.PollFd) bool { return p.Revents != 0 })
		c := silent[i]
		silent = slices.Delete(silent, i, i+1)
		var w *wire.Welcome
		if w, err = c.welcome(0); err == nil {
			closeAll(silent)
			return c, w, nil
		}
		c.close()
		if !passable(err) {
			break
		}
	}
	closeAll(silent)
	return nil, nil, err
}

// Ended reports whether err tells that the other side has closed the connection.
// Sending is told so of a close with something unread, such as in a backlog.
func Ended(err error) bool {
	return err == io.EOF || err == syscall.EPIPE || err == syscall.ECONNRESET
}

// refusal is the error of a connection that the other side has turned away.
func refusal(errno int32) error {
	if e := syscall.Errno(errno); e != syscall.EAGAIN {
		return e
	}
	return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the other process has too many connections"}
}

// PeerError tells what it means that talking to the process pid failed; 0 if that
// is not known.
func PeerError(err error, pid int) error {
	var version wire.VersionError
	switch {
	case errors.As(err, &version):
		return qnxerr.Cause{Errno: syscall.EPROTO, Text: err.Error()}
	case Ended(err) || err == syscall.ECONNREFUSED:
		return syscall.ESRCH
	case err == wire.ErrMalformed || err == wire.ErrForeignNamespace:
		return qnxerr.Cause{Errno: syscall.ESRCH, Text: "what answers for the process is not this module: " + err.Error()}
	case err == syscall.ETIMEDOUT || err == syscall.EAGAIN:
		return NotAnswering(pid)
	}
	return err
}

// NotAnswering is the error of a process that does not answer.
func NotAnswering(pid int) error {
	who, why := "the other process", "it is busy, or does not run"
	if pid != 0 {
		who = fmt.Sprintf("process %d", pid)
	}
	if linux.Stopped(pid) {
		why = "it is stopped, by a signal or a debugger"
	}
	return qnxerr.Cause{Errno: syscall.EAGAIN, Text: fmt.Sprintf("%s did not answer for %v: %s", who, PeerTimeout, why)}
}
