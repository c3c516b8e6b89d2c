package shmtest

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// short is a timeout that passes while a case waits.
const short = 100 * time.Millisecond

// unblocking makes a channel with the flag ChannelUnblock, and a worker connected to
// it.
func (c *trial) unblocking(flags qnxmsg.ChannelFlags) (ch *qnxmsg.Channel, w *worker, conn ref) {
	ch = c.channel(qnxmsg.ChannelUnblock | flags)
	w = c.worker()
	return ch, w, w.must(request{Op: "connect", PID: os.Getpid(), N: ch.ID()}).Ref
}

// staying makes a worker stay blocked after its timeout, and receives the pulse
// that tells of it.
func (c *trial) staying(flags qnxmsg.ChannelFlags) (ch *qnxmsg.Channel, w *worker, conn ref, m qnxmsg.Message, answer *call) {
	ch, w, conn = c.unblocking(flags)
	answer = w.send(conn, text, short)
	m = c.receive(ch)
	c.unblockPulse(ch, &m)
	return ch, w, conn, m, answer
}

// unblockPulse receives the pulse that tells that the client of m does not want
// to wait.
func (c *trial) unblockPulse(ch *qnxmsg.Channel, m *qnxmsg.Message) {
	p := c.receivePulse(ch)
	equal(c, "code", p.Code, qnxmsg.PulseUnblock)
	equal(c, "value", p.Value, m.ID())
}

// stays checks that a call does not return.
func (c *trial) stays(what string, answer *call) {
	select {
	case r := <-answer.ch:
		c.fatalf("%s returned %s (%s), want it to stay blocked", what, r.Err, r.Text)
	case <-time.After(silence):
	}
}

var unblockCases = map[string]caseFunc{
	"unblock/stays": func(c *trial) {
		_, _, _, m, answer := c.staying(0)
		c.stays("worker: send", answer)
		c.must("reply", m.Reply(42, []byte("late")))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, 42)
		equal(c, "reply", strings.TrimRight(string(r.Data), "\x00"), "late")

		ch := c.channel(qnxmsg.ChannelUnblock)
		own := goSend(c.connect(0, ch.ID()), text, short)
		m = c.receive(ch)
		c.unblockPulse(ch, &m)
		select {
		case got := <-own:
			c.fatalf("send returned %v, want it to stay blocked", got.err)
		case <-time.After(silence):
		}
		c.must("reply", m.Reply(7, []byte("late")))
		got := <-own
		c.must("send", got.err)
		equal(c, "status", got.status, 7)
		equal(c, "reply", got.reply, "late")
	},
	"unblock/pulse": func(c *trial) {
		ch, w, conn := c.unblocking(0)
		for range 3 {
			answer := w.send(conn, text, short)
			m := c.receive(ch)
			if m.ID() == 0 {
				c.errorf("the id of a message is 0")
			}
			c.unblockPulse(ch, &m)
			c.nothingComes(ch)
			c.must("reply", m.Reply(0, nil))
			_, err := answer.wait()
			c.must("worker: send", err)
		}
		// Each pulse names its own message. That of one may come before the next.
		var calls []*call
		var pulses []qnxmsg.Pulse
		pending := make(map[int64]qnxmsg.Message)
		for range 3 {
			calls = append(calls, w.send(conn, text, short))
			m := c.receiveEither(ch)
			for ; m.IsPulse(); m = c.receiveEither(ch) {
				pulses = append(pulses, m.Pulse)
			}
			pending[m.ID()] = m
		}
		equal(c, "messages", len(pending), 3)
		for len(pulses) < 3 {
			pulses = append(pulses, c.receivePulse(ch))
		}
		for _, p := range pulses {
			equal(c, "code", p.Code, qnxmsg.PulseUnblock)
			m, ok := pending[p.Value]
			if !ok {
				c.fatalf("a pulse has the value %#x, which is the id of no message that waits", p.Value)
			}
			delete(pending, p.Value)
			c.must("reply", m.Reply(0, nil))
		}
		for _, answer := range calls {
			_, err := answer.wait()
			c.must("worker: send", err)
		}
	},
	"unblock/error": func(c *trial) {
		for errno, name := range map[syscall.Errno]string{syscall.EINTR: "EINTR", syscall.ETIMEDOUT: "ETIMEDOUT", syscall.EBUSY: "EBUSY"} {
			_, _, _, m, answer := c.staying(0)
			c.must("error", m.ReplyError(errno))
			_, err := answer.wait()
			c.fails("worker: send", err, name)
		}
	},
	"unblock/send-blocked": func(c *trial) {
		ch, w, conn := c.unblocking(0)
		began := time.Now()
		_, err := w.send(conn, text, short).wait()
		c.errno("other process", err)
		_, err = w.send(conn, text, 0).wait()
		c.errno("other process, timeout 0", err)
		own := c.connect(0, ch.ID())
		c.errno("own process", (<-goSend(own, text, short)).err)
		c.errno("own process, timeout 0", (<-goSend(own, text, 0)).err)
		c.lasted("four sends", began, 2*short, patience)
	},
	"unblock/send-blocked-silent": func(c *trial) {
		ch, w, conn := c.unblocking(0)
		_, err := w.send(conn, "withdrawn", short).wait()
		c.fails("worker: send", err, "ETIMEDOUT")
		c.fails("send", (<-goSend(c.connect(0, ch.ID()), "withdrawn", short)).err, "ETIMEDOUT")
		c.nothingComes(ch)
		answer := w.send(conn, text, patience)
		m := c.receive(ch)
		equal(c, "message", string(m.Data), text)
		c.must("reply", m.Reply(0, nil))
		_, err = answer.wait()
		c.must("worker: send", err)
	},
	"unblock/in-time": func(c *trial) {
		ch, w, conn := c.unblocking(0)
		answer := w.send(conn, text, 2*time.Second)
		m := c.receive(ch)
		c.must("reply", m.Reply(1, nil))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, 1)
		c.nothingComes(ch)
	},
	"unblock/late-reply": func(c *trial) {
		_, _, _, m, answer := c.staying(0)
		c.must("reply", m.Reply(1, []byte("first")))
		c.errno("second reply", m.Reply(2, []byte("second")))
		c.fails("error", m.ReplyError(syscall.EINTR), "ESRCH")
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "reply", strings.TrimRight(string(r.Data), "\x00"), "first")
		c.errno("third reply", m.Reply(3, nil))
	},
	"unblock/withdrawn": func(c *trial) {
		ch, w, conn := c.unblocking(0)
		own := c.connect(0, ch.ID())
		for range 3 {
			answers := []*call{w.send(conn, text, short), w.send(conn, text, short)}
			mine := goSend(own, text, short)
			messages := []qnxmsg.Message{c.receive(ch), c.receive(ch), c.receive(ch)}
			time.Sleep(2 * short) // and the pulses wait
			for i := range messages {
				c.must("reply", messages[i].Reply(4, nil))
			}
			for _, answer := range answers {
				r, err := answer.wait()
				c.must("worker: send", err)
				equal(c, "status", r.N, 4)
			}
			c.must("send", (<-mine).err)
			c.nothingComes(ch)
		}
	},
	"unblock/let-go": func(c *trial) {
		_, _, _, m, answer := c.staying(0)
		c.must("unblock", m.Unblock())
		_, err := answer.wait()
		c.errno("worker: send", err)
		c.fails("reply", m.Reply(0, nil), "ESRCH")

		ch := c.channel(qnxmsg.ChannelUnblock)
		own := goSend(c.connect(0, ch.ID()), text, short)
		m = c.receive(ch)
		c.unblockPulse(ch, &m)
		c.must("unblock", m.Unblock())
		c.errno("send", (<-own).err)
	},
	"unblock/let-go-waiting": func(c *trial) {
		for _, flags := range []qnxmsg.ChannelFlags{0, qnxmsg.ChannelUnblock} {
			ch := c.channel(flags)
			own := goSend(c.connect(0, ch.ID()), text, patience)
			m := c.receive(ch)
			c.errno("unblock", m.Unblock())
			c.must("reply", m.Reply(5, nil))
			got := <-own
			c.must("send", got.err)
			equal(c, "status", got.status, 5)
			c.fails("unblock an answered message", m.Unblock(), "ESRCH")
			var pulse qnxmsg.Message
			c.errno("unblock a pulse", pulse.Unblock())
		}
	},
	"unblock/detached": func(c *trial) {
		ch, w, conn := c.unblocking(0)
		answer := w.send(conn, text, patience)
		m := c.receive(ch)
		w.close(conn)
		c.unblockPulse(ch, &m)
		c.stays("worker: send", answer)
		c.must("reply", m.Reply(42, []byte("late")))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, 42)
		equal(c, "reply", strings.TrimRight(string(r.Data), "\x00"), "late")

		own := c.connect(0, ch.ID())
		answers := []<-chan sent{goSend(own, text, patience), goSend(own, text, patience)}
		pending := make(map[int64]qnxmsg.Message)
		for range answers {
			m := c.receive(ch)
			pending[m.ID()] = m
		}
		c.must("close", own.Close())
		for range answers {
			p := c.receivePulse(ch)
			equal(c, "code", p.Code, qnxmsg.PulseUnblock)
			m, ok := pending[p.Value]
			equal(c, "is that of a message", ok, true)
			c.must("reply", m.Reply(7, nil))
			delete(pending, p.Value)
		}
		for _, answer := range answers {
			got := <-answer
			c.must("send", got.err)
			equal(c, "status", got.status, 7)
		}
		c.nothingComes(ch)
	},
	"unblock/detached-unreceived": func(c *trial) {
		ch, w, conn := c.unblocking(0)
		own := c.connect(0, ch.ID())
		answer, mine := w.send(conn, text, patience), goSend(own, text, patience)
		time.Sleep(short) // and both wait
		w.close(conn)
		c.must("close", own.Close())
		_, err := answer.wait()
		c.fails("worker: send", err, "ErrClosed")
		c.fails("send", (<-mine).err, "ErrClosed")
		c.nothingComes(ch)
	},
	"unblock/other-clients": func(c *trial) {
		ch, w, conn, m, answer := c.staying(0)
		other := c.worker()
		theirs := other.must(request{Op: "connect", PID: os.Getpid(), N: ch.ID()}).Ref
		for range 5 {
			for _, client := range []struct {
				w    *worker
				conn ref
			}{{other, theirs}, {w, conn}} {
				call := client.w.send(client.conn, "other", patience)
				next := c.receive(ch)
				equal(c, "message", string(next.Data), "other")
				c.must("reply", next.Reply(0, nil))
				_, err := call.wait()
				c.must("worker: send", err)
			}
		}
		c.stays("worker: send", answer)
		c.must("reply", m.Reply(0, nil))
		_, err := answer.wait()
		c.must("worker: send", err)
	},
	"unblock/channel-closed": func(c *trial) {
		ch, _, _, m, answer := c.staying(0)
		c.must("close", ch.Close())
		_, err := answer.wait()
		c.errno("worker: send", err)
		if err := m.Reply(0, nil); err == nil {
			c.errorf("reply on a closed channel succeeded")
		}

		ch = c.channel(qnxmsg.ChannelUnblock)
		own := goSend(c.connect(0, ch.ID()), text, short)
		m = c.receive(ch)
		c.unblockPulse(ch, &m)
		c.must("close", ch.Close())
		c.errno("send", (<-own).err)
	},
	"unblock/killed": func(c *trial) {
		c.hostOnly() // on a target the client would not end
		ch, w, _, m, _ := c.staying(qnxmsg.ChannelDisconnect)
		w.kill()
		p := c.receivePulse(ch)
		equal(c, "code", p.Code, qnxmsg.PulseDisconnect)
		c.errno("reply", m.Reply(0, nil))
		if err := m.ReplyError(syscall.EINTR); !errors.Is(err, syscall.ESRCH) {
			c.errorf("error: got %v, want ESRCH", err)
		}
	},
}
