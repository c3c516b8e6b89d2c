package shmtest

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// server attaches a new name in this process.
func (c *trial) server() (ch *qnxmsg.Channel, name string) {
	name = uniqueName()
	ch, err := qnxmsg.AttachName(name)
	c.must("attach a name", err)
	return c.ownedChannel(ch), name
}

func (c *trial) channel(flags qnxmsg.ChannelFlags) *qnxmsg.Channel {
	ch, err := qnxmsg.NewChannel(flags)
	c.must("make a channel", err)
	return c.ownedChannel(ch)
}

func (c *trial) ownedChannel(ch *qnxmsg.Channel) *qnxmsg.Channel {
	c.cleanup(func() { ch.Close() })
	return ch
}

// client opens a name in this process.
func (c *trial) client(name string) *qnxmsg.Connection {
	conn, err := qnxmsg.OpenName(name)
	c.must("open a name", err)
	return c.ownedConnection(conn)
}

func (c *trial) connect(pid, chid int) *qnxmsg.Connection {
	conn, err := qnxmsg.Connect(pid, chid)
	c.must("connect", err)
	return c.ownedConnection(conn)
}

func (c *trial) ownedConnection(conn *qnxmsg.Connection) *qnxmsg.Connection {
	c.cleanup(func() { conn.Close() })
	return conn
}

// receiveEither receives a message or a pulse.
func (c *trial) receiveEither(ch *qnxmsg.Channel) qnxmsg.Message {
	m, err := ch.ReceiveTimeout(make([]byte, 256), patience)
	c.must("receive", err)
	return m
}

// receive receives a message that is not a pulse.
func (c *trial) receive(ch *qnxmsg.Channel) qnxmsg.Message {
	m := c.receiveEither(ch)
	if m.IsPulse() {
		c.fatalf("got pulse %+v, want a message", m.Pulse)
	}
	return m
}

func (c *trial) receivePulse(ch *qnxmsg.Channel) qnxmsg.Pulse {
	m := c.receiveEither(ch)
	if !m.IsPulse() {
		c.fatalf("got message %q, want a pulse", m.Data)
	}
	return m.Pulse
}

// nothingComes checks that nothing is received.
func (c *trial) nothingComes(ch *qnxmsg.Channel) {
	m, err := ch.ReceiveTimeout(make([]byte, 256), silence)
	if err == nil {
		c.errorf("received %q, pulse %+v, want nothing", m.Data, m.Pulse)
		return
	}
	c.fails("receive nothing", err, "ETIMEDOUT")
}

// sent is what came of a Send that runs beside the case.
type sent struct {
	status int
	reply  string
	err    error
}

func goSend(conn *qnxmsg.Connection, msg string, timeout time.Duration) <-chan sent {
	return goSendBytes(conn, []byte(msg), make([]byte, 64), timeout)
}

func goSendBytes(conn *qnxmsg.Connection, msg, reply []byte, timeout time.Duration) <-chan sent {
	done := make(chan sent, 1)
	go func() {
		status, err := conn.SendTimeout(msg, reply, timeout)
		done <- sent{status, strings.TrimRight(string(reply), "\x00"), err}
	}()
	return done
}

// goSendv sends a message in two pieces.
func goSendv(conn *qnxmsg.Connection, msg string, timeout time.Duration) <-chan sent {
	done := make(chan sent, 1)
	go func() {
		half := len(msg) / 2
		status, err := conn.SendvTimeout([][]byte{[]byte(msg[:half]), []byte(msg[half:])}, nil, timeout)
		done <- sent{status: status, err: err}
	}()
	return done
}

// echo answers every message of a channel with itself, and its length as the
// status, until the channel is closed.
func (c *trial) echo(ch *qnxmsg.Channel) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1<<10)
		for {
			m, err := ch.Receive(buf)
			if err != nil {
				return
			}
			if !m.IsPulse() {
				m.Reply(len(m.Data), m.Data)
			}
		}
	}()
	c.cleanup(func() {
		ch.Close()
		<-done
	})
}

// exchange sends on a connection and checks that the echo comes back.
func (c *trial) exchange(conn *qnxmsg.Connection) {
	reply := make([]byte, len(text))
	_, err := conn.SendTimeout([]byte(text), reply, patience)
	c.must("send", err)
	equal(c, "reply", string(reply), text)
}

// blockedAtStart are the signals that a thread blocked before the cases.
var blockedAtStart uint64

// onThread makes a call on a thread of its own, and tells which that is.
func (c *trial) onThread(call func() error) (done <-chan error, thread int) {
	if _, err := threadID(); err != nil {
		c.skipf("nothing portable signals a thread: %v", err)
	}
	threads, result := make(chan int, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread, _ := threadID()
		threads <- thread
		err := call()
		if after, _ := blocked(thread); after != blockedAtStart {
			c.errorf("the thread blocks signals %#x after the call, others %#x", after, blockedAtStart)
		}
		result <- err
	}()
	return result, <-threads
}

// interrupts signals a thread many times, for a while: nothing tells whether it
// waits already. Whatever it blocks meanwhile, faults are not to be, but for the
// moments in which the Go runtime blocks all.
func (c *trial) interrupts(thread int) {
	faults := []syscall.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT}
	looked, seen := 0, make(map[syscall.Signal]int)
	for deadline := time.Now().Add(silence); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		c.must("signal", interrupt(thread))
		set, err := blocked(thread)
		c.must("signals of the thread", err)
		looked++
		for _, f := range faults {
			seen[f] += int(set >> (f - 1) & 1)
		}
	}
	for _, f := range faults {
		if seen[f] > looked/2 {
			c.errorf("%v is blocked", f)
		}
	}
}

var invalidNames = []string{"", "/", "/x", "..", "../x", "x/..", "x/../y"}

// noticed is a context that tells when somebody has begun to wait for its end.
type noticed struct {
	context.Context
	once   sync.Once
	waited chan struct{}
}

func (n *noticed) Done() <-chan struct{} {
	n.once.Do(func() { close(n.waited) })
	return n.Context.Done()
}

func attachErr(name string) error {
	ch, err := qnxmsg.AttachName(name)
	if err == nil {
		ch.Close()
	}
	return err
}

func openNameErr(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if err == nil {
		conn.Close()
	}
	return err
}

func connectErr(pid, chid int) error {
	conn, err := qnxmsg.Connect(pid, chid)
	if err == nil {
		conn.Close()
	}
	return err
}

var channelCases = map[string]caseFunc{
	"channel/flags-unknown": func(c *trial) {
		for _, flags := range []qnxmsg.ChannelFlags{1 << 31, 1 << 30, qnxmsg.ChannelDisconnect | 1<<29} {
			ch, err := qnxmsg.NewChannel(flags)
			if err == nil {
				ch.Close()
			}
			c.errno("flags", err)
		}
	},
	"channel/table-full": func(c *trial) {
		c.hostOnly()
		for _, warm := range []bool{false, true} {
			w := c.worker()
			if warm {
				w.must(request{Op: "channel"})
			}
			w.must(request{Op: "fill"})
			_, err := w.do(request{Op: "channel"})
			c.errno("channel", err)
		}
	},
	"channel/receive-timeout": func(c *trial) {
		ch := c.channel(0)
		began := time.Now()
		_, err := ch.ReceiveTimeout(nil, 50*time.Millisecond)
		c.errno("receive", err)
		c.lasted("receive", began, 50*time.Millisecond, patience)
	},
	"channel/signals": func(c *trial) {
		ch := c.channel(0)
		conn := c.connect(os.Getpid(), ch.ID())
		received, thread := c.onThread(func() error {
			_, err := ch.ReceiveTimeout(nil, patience)
			return err
		})
		c.interrupts(thread)
		c.pulses(conn, 1)
		c.must("receive", <-received)
	},
	"channel/receive-timeout-large": func(c *trial) {
		ch := c.channel(0)
		conn := c.connect(os.Getpid(), ch.ID())
		received := make(chan error, 1)
		go func() {
			_, err := ch.ReceiveTimeout(nil, time.Duration(large))
			received <- err
		}()
		time.Sleep(silence) // in which a timeout of less would be over
		c.pulses(conn, 1)
		c.must("receive", <-received)
	},
	"channel/receive-poll": func(c *trial) {
		began := time.Now()
		_, err := c.channel(0).ReceiveTimeout(nil, 0)
		c.errno("receive", err)
		c.lasted("receive", began, 0, patience)
	},
	"channel/receive-poll-ready": func(c *trial) {
		ch := c.channel(0)
		c.must("pulse", c.connect(0, ch.ID()).SendPulse(-1, 5, 6))
		m, err := ch.ReceiveTimeout(nil, 0)
		c.must("receive", err)
		equal(c, "code", m.Pulse.Code, 5)
	},
	"channel/closed-wakes": func(c *trial) {
		ch := c.channel(0)
		done := make(chan error)
		const n = 5
		for range n {
			go func() {
				_, err := ch.Receive(nil)
				done <- err
			}()
		}
		c.must("close", ch.Close())
		for range n {
			if err := <-done; !errors.Is(err, os.ErrClosed) {
				c.errorf("Receive: got %v, want os.ErrClosed", err)
			}
		}
	},
	"channel/closed-before": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		answer := goSend(conn, text, patience)
		m := c.receive(ch)
		c.must("close", ch.Close())
		c.must("close again", ch.Close())
		<-answer
		_, err := ch.Receive(nil)
		_, errPoll := ch.ReceiveTimeout(nil, 0)
		for what, err := range map[string]error{"Receive": err, "poll": errPoll, "Reply": m.Reply(0, nil), "ReplyError": m.ReplyError(syscall.EPERM), "DetachClient": ch.DetachClient(m.Info.SCOID)} {
			if !errors.Is(err, os.ErrClosed) {
				c.errorf("%s: got %v, want os.ErrClosed", what, err)
			}
		}
	},
	"channel/many-receivers": func(c *trial) {
		ch, name := c.server()
		for range 8 {
			c.echo(ch)
		}
		c.same("sends", sendMany(name, 40), map[string]int{"EOK": 40})
		w := c.worker()
		c.same("sends of another process", w.must(request{Op: "sendmany", Name: name, N: 40}).Counts, map[string]int{"EOK": 40})
	},

	"name/taken": func(c *trial) {
		ch, name := c.server()
		c.errno("attach", attachErr(name))
		c.echo(ch)
		c.exchange(c.client(name)) // the first server is unharmed
	},
	"name/taken-elsewhere": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		c.errno("attach", attachErr(name))
		_, own := c.server()
		_, err := w.do(request{Op: "attach", Name: own})
		c.errno("worker: attach", err)
	},
	"name/attach-with-zero-byte": func(c *trial) {
		_, name := c.server()
		for _, bad := range []string{name + "\x00", name + "\x00x", "\x00" + name, uniqueName() + "\x00"} {
			got, err := qnxmsg.AttachName(bad)
			if err == nil {
				got.Close()
			}
			c.errno("name", err)
		}
	},
	"name/attach-invalid": func(c *trial) {
		for _, name := range invalidNames {
			c.errno("name "+name, attachErr(name))
		}
	},
	"name/attach-long": func(c *trial) {
		c.errno("256 bytes", attachErr(strings.Repeat("x", 256)))
		c.errno("100000 bytes", attachErr(strings.Repeat("x", 100000)))
	},
	"name/attach-longest": func(c *trial) {
		base := uniqueName()
		name := base + strings.Repeat("x", 255-len(base))
		ch, err := qnxmsg.AttachName(name)
		c.must("attach", err)
		c.echo(c.ownedChannel(ch))
		c.exchange(c.client(name))
		c.fails("name that differs at its end", openNameErr(name[:254]+"y"), "ENOENT")
	},
	"name/attach-race": func(c *trial) {
		name := uniqueName()
		var mu sync.Mutex
		var won *qnxmsg.Channel
		got := race(50, func(int) error {
			ch, err := qnxmsg.AttachName(name)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				won = ch
			}
			return err
		})
		if won != nil {
			won.Close()
		}
		got["EEXIST"] += got["EBUSY"]
		delete(got, "EBUSY")
		c.same("attaches", got, map[string]int{"EOK": 1, "EEXIST": 49})
	},
	"name/closed": func(c *trial) {
		ch, name := c.server()
		c.must("close", ch.Close())
		c.fails("open", openNameErr(name), "ENOENT")
		c.must("attach again", attachErr(name))
		w := c.worker()
		w.close(w.attach(name))
		c.must("attach after another process", attachErr(name))
	},
	"name/server-killed": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		conn := c.client(name)
		w.kill()
		c.fails("open", openNameErr(name), "ENOENT")
		c.must("attach", attachErr(name))
		c.must("close", conn.Close())
	},
	"name/no-server": func(c *trial) {
		c.errno("open", openNameErr(uniqueName()))
		_, name := c.server()
		c.errno("longer name", openNameErr(name+"x"))
		c.errno("shorter name", openNameErr(name[:len(name)-1]))
	},
	"name/open-with-zero-byte": func(c *trial) {
		_, name := c.server()
		for _, bad := range []string{name + "\x00", name + "\x00x", "\x00" + name, uniqueName() + "\x00"} {
			got, err := qnxmsg.OpenName(bad)
			if err == nil {
				got.Close()
			}
			c.errno("name", err)
		}
	},
	"name/open-invalid": func(c *trial) {
		for _, name := range invalidNames {
			if !strings.Contains(name, "..") {
				c.errno("name "+name, openNameErr(name))
			}
		}
	},
	"name/open-parent": func(c *trial) {
		for _, name := range invalidNames {
			if strings.Contains(name, "..") {
				c.errno("name "+name, openNameErr(name))
			}
		}
	},
	"name/open-long": func(c *trial) {
		c.errno("256 bytes", openNameErr(strings.Repeat("x", 256)))
		c.errno("100000 bytes", openNameErr(strings.Repeat("x", 100000)))
	},
	"name/open-at-once": func(c *trial) {
		_, name := c.server()
		c.client(name)
		w := c.worker()
		w.openName(name)
		theirs := uniqueName()
		w.attach(theirs)
		c.client(theirs)
	},
	"name/first-message": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		answer := w.send(conn, text, patience)
		m := c.receive(ch)
		equal(c, "message", string(m.Data), text)
		c.must("reply", m.Reply(0, nil))
		_, err := answer.wait()
		c.must("worker: send", err)
	},
	"name/wait": func(c *trial) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		waiting := &noticed{Context: ctx, waited: make(chan struct{})}
		name := uniqueName()
		done := make(chan error, 1)
		go func() {
			conn, err := qnxmsg.OpenWait(waiting, name)
			if err == nil {
				err = conn.Close()
			}
			done <- err
		}()
		<-waiting.waited
		ch, err := qnxmsg.AttachName(name)
		c.must("attach", err)
		c.ownedChannel(ch)
		c.must("OpenWait", <-done)
	},
	"name/wait-ends": func(c *trial) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		waiting := &noticed{Context: ctx, waited: make(chan struct{})}
		done := make(chan error, 1)
		go func() {
			_, err := qnxmsg.OpenWait(waiting, uniqueName())
			done <- err
		}()
		<-waiting.waited
		cancel()
		if err := <-done; !errors.Is(err, syscall.ENOENT) || !errors.Is(err, context.Canceled) {
			c.errorf("OpenWait: got %v, want ENOENT and %v", err, context.Canceled)
		}
	},

	"connect/no-process": func(c *trial) {
		w := c.worker()
		chid := w.must(request{Op: "channel"}).N
		w.exit()
		c.errno("ended process", connectErr(w.pid(), chid))
		c.errno("pid never given", connectErr(noProcess, 1))
	},
	"connect/pid-negative": func(c *trial) {
		ch := c.channel(0)
		for _, pid := range append(wide(os.Getpid()), -1, -os.Getpid(), math.MinInt32) {
			c.errno("pid", connectErr(pid, ch.ID()))
		}
	},
	"connect/no-channel": func(c *trial) {
		ch := c.channel(0)
		for _, chid := range append(wide(ch.ID()), ch.ID()+1000, -1, math.MaxInt32, math.MinInt32) {
			c.errno("pid 0", connectErr(0, chid))
			c.errno("own pid", connectErr(os.Getpid(), chid))
		}
	},
	"connect/no-channel-elsewhere": func(c *trial) {
		w := c.worker()
		c.errno("process without a channel", connectErr(w.pid(), 1))
		chid := w.must(request{Op: "channel"}).N
		c.errno("process with another", connectErr(w.pid(), chid+1000))
		c.errno("negative", connectErr(w.pid(), -1))
	},
	"connect/channel-closed": func(c *trial) {
		ch := c.channel(0)
		c.channel(0)
		c.must("close", ch.Close())
		c.errno("own", connectErr(os.Getpid(), ch.ID()))
		w := c.worker()
		theirs := w.must(request{Op: "channel"})
		w.must(request{Op: "channel"})
		w.close(theirs.Ref)
		c.errno("of another process", connectErr(w.pid(), theirs.N))
	},
	"connect/pid-zero": func(c *trial) {
		ch := c.channel(0)
		c.echo(ch)
		conn := c.connect(0, ch.ID())
		c.exchange(conn)
		pid, err := conn.ServerPID()
		c.must("ServerPID", err)
		equal(c, "server", pid, os.Getpid())
	},
	"connect/other": func(c *trial) {
		ch := c.channel(0)
		w := c.worker()
		conn := w.must(request{Op: "connect", PID: os.Getpid(), N: ch.ID()}).Ref
		answer := w.send(conn, text, patience)
		m := c.receive(ch)
		equal(c, "message", string(m.Data), text)
		equal(c, "channel", m.Info.ChannelID, ch.ID())
		c.must("reply", m.Reply(0, []byte("answer")))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "reply", strings.TrimRight(string(r.Data), "\x00"), "answer")
	},
	"connect/server-stopped": func(c *trial) {
		c.hostOnly()
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		chid := w.must(request{Op: "channel"}).N
		c.must("stop the server", stop(w.cmd.Process))
		c.cleanup(func() { resume(w.cmd.Process) })
		byName := make(chan error, 1)
		go func() { byName <- openNameErr(name) }()
		began := time.Now()
		c.errno("by pid", connectErr(w.pid(), chid))
		c.errno("by name", <-byName)
		c.lasted("connecting", began, 4*time.Second, 15*time.Second)
		c.must("let the server go on", resume(w.cmd.Process))
		c.must("by pid", connectErr(w.pid(), chid))
		c.must("by name", openNameErr(name))
	},
	"connect/private": func(c *trial) {
		w := c.worker()
		theirs := w.must(request{Op: "channel", N: int(qnxmsg.ChannelPrivate)})
		_, err := qnxmsg.Connect(w.pid(), theirs.N)
		c.errno("connect", err)
		own := c.channel(qnxmsg.ChannelPrivate | qnxmsg.ChannelDisconnect)
		_, err = w.do(request{Op: "connect", PID: os.Getpid(), N: own.ID()})
		c.errno("worker: connect", err)
		c.nothingComes(own)
	},
	"connect/private-own": func(c *trial) {
		ch := c.channel(qnxmsg.ChannelPrivate)
		answer := goSend(c.connect(0, ch.ID()), text, patience)
		m := c.receive(ch)
		c.must("reply", m.Reply(6, nil))
		got := <-answer
		c.must("send", got.err)
		equal(c, "status", got.status, 6)
		c.must("pulse", c.connect(os.Getpid(), ch.ID()).SendPulse(-1, 4, 5))
		equal(c, "code", c.receivePulse(ch).Code, 4)
	},
	"connect/server-pid": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		chid := w.must(request{Op: "channel"}).N
		for what, conn := range map[string]*qnxmsg.Connection{"by name": c.client(name), "by pid": c.connect(w.pid(), chid)} {
			pid, err := conn.ServerPID()
			c.must("ServerPID "+what, err)
			equal(c, "server "+what, pid, w.pid())
		}
	},
	"connect/use-after-close": func(c *trial) {
		_, name := c.server()
		conn := c.client(name)
		c.must("close", conn.Close())
		c.must("close again", conn.Close())
		_, errSend := conn.Send(nil, nil)
		_, errTimeout := conn.SendTimeout(nil, nil, 0)
		_, errPID := conn.ServerPID()
		for what, err := range map[string]error{"Send": errSend, "SendTimeout": errTimeout, "SendPulse": conn.SendPulse(-1, 0, 0), "ServerPID": errPID} {
			if !errors.Is(err, os.ErrClosed) {
				c.errorf("%s: got %v, want os.ErrClosed", what, err)
			}
		}
	},
}
