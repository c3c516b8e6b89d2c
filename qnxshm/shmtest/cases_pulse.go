package shmtest

import (
	"math"
	"os"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// pulses sends pulses with the values 0 to n-1.
func (c *trial) pulses(conn *qnxmsg.Connection, n int) {
	for i := range n {
		c.must("pulse", conn.SendPulse(-1, i%128, int64(i)))
	}
}

// disconnected receives the one disconnect pulse of a client.
func (c *trial) disconnected(ch *qnxmsg.Channel, scoid int) {
	c.disconnectedNotDetached(ch, scoid)
	c.must("detach", ch.DetachClient(scoid))
}

func (c *trial) disconnectedNotDetached(ch *qnxmsg.Channel, scoid int) {
	p := c.receivePulse(ch)
	equal(c, "code", p.Code, qnxmsg.PulseDisconnect)
	equal(c, "scoid", p.SCOID, scoid)
}

// introduced exchanges one message with a worker and returns its scoid.
func (c *trial) introduced(ch *qnxmsg.Channel, w *worker, conn ref) (scoid int) {
	answer := w.send(conn, text, patience)
	m := c.receive(ch)
	c.must("reply", m.Reply(0, nil))
	_, err := answer.wait()
	c.must("worker: send", err)
	return m.Info.SCOID
}

// message10 stands for a message among the codes of pulses.
const message10 = -1

// looked lets the server look at all clients, by pulses that come before what they have
// sent.
func (c *trial) looked(ch *qnxmsg.Channel, conn *qnxmsg.Connection) {
	const often = 32
	for range often {
		c.must("pulse", conn.SendPulse(255, 127, 0))
		equal(c, "code", c.receivePulse(ch).Code, 127)
	}
}

var pulseCases = map[string]caseFunc{
	"pulse/received": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		scoid := c.introduced(ch, w, conn)
		for i, value := range []int64{0, 1, -1, math.MaxInt32, math.MinInt32} {
			w.must(request{Op: "pulse", Ref: conn, N: i * 31, Size: value})
			m, err := ch.ReceiveTimeout(make([]byte, 64), patience)
			c.must("receive", err)
			equal(c, "is a pulse", m.IsPulse(), true)
			equal(c, "info", m.Info, qnxmsg.Info{})
			equal(c, "length", len(m.Data), 0)
			equal(c, "pulse", m.Pulse, qnxmsg.Pulse{Code: i * 31, Value: value, SCOID: scoid})
		}
	},
	"pulse/wide-value": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		for _, value := range []int64{math.MaxInt64, math.MinInt64, 0x0123456789abcdef} {
			c.must("pulse", conn.SendPulse(-1, 0, value))
			equal(c, "value", c.receivePulse(ch).Value, value)
		}
	},
	"pulse/no-wait": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		c.pulses(conn, 3)
		w := c.worker()
		w.must(request{Op: "pulse", Ref: w.openName(name), N: 9})
		for range 4 {
			c.receivePulse(ch)
		}
	},
	"pulse/order": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		for range 20 {
			w.must(request{Op: "pulse", Ref: conn, N: 1})
			w.must(request{Op: "pulse", Ref: conn, N: 2})
			answer := w.send(conn, text, patience)
			equal(c, "first", c.receivePulse(ch).Code, 1)
			equal(c, "second", c.receivePulse(ch).Code, 2)
			m := c.receive(ch)
			c.must("reply", m.Reply(0, nil))
			_, err := answer.wait()
			c.must("worker: send", err)
		}
	},
	"pulse/not-answered": func(c *trial) {
		ch, name := c.server()
		c.pulses(c.client(name), 1)
		m, err := ch.ReceiveTimeout(nil, patience)
		c.must("receive", err)
		c.errno("Reply", m.Reply(0, nil))
		c.errno("ReplyError", m.ReplyError(syscall.EPERM))
		c.errno("ReplyError 0", m.ReplyError(nil))
	},
	"pulse/priority": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		for _, priority := range append(wide(10), -2, 256, math.MinInt32, math.MaxInt32) {
			c.errno("priority", conn.SendPulse(priority, 0, 0))
		}
		if target {
			return // the pulses may have been sent
		}
		for code, priority := range []int{1, 255, -1} {
			c.must("pulse", conn.SendPulse(priority, code, 0))
			equal(c, "code", c.receivePulse(ch).Code, code)
		}
		c.nothingComes(ch)
	},
	"pulse/priority-zero": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		for code, priority := range []int{2, 1, 0, 1, 0, 2} {
			c.must("pulse", conn.SendPulse(priority, code, 0))
		}
		for _, code := range []int{0, 5, 1, 2, 3, 4} {
			equal(c, "code", c.receivePulse(ch).Code, code)
		}
	},
	"pulse/higher-first": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		for _, message := range []func() (answered func() error){
			func() func() error {
				answer := goSend(c.client(name), text, patience)
				return func() error { return (<-answer).err }
			},
			func() func() error {
				answer := w.send(w.openName(name), text, patience)
				return func() error { _, err := answer.wait(); return err }
			},
		} {
			conn := c.client(name)
			answered := message()
			time.Sleep(silence)
			c.looked(ch, conn) // and the message waits
			want := []int{4, 3, 7, message10, 2, 5, 1, 6}
			for code, priority := range []int{0: 0, 1: 9, 2: 10, 3: 11, 4: 255, 5: -1, 6: 9, 7: 11} {
				if code > 0 {
					c.must("pulse", conn.SendPulse(priority, code, 0))
				}
			}
			for i, code := range want {
				m := c.receiveEither(ch)
				if code == message10 {
					equal(c, "is a pulse", m.IsPulse(), false)
					c.must("reply", m.Reply(0, nil))
					continue
				}
				equal(c, "is a pulse", m.IsPulse(), true)
				if m.Pulse.Code != code {
					c.errorf("pulse %d is %d, want %d", i, m.Pulse.Code, code)
				}
			}
			c.must("send", answered())
		}
	},
	"pulse/code": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		for _, code := range append(wide(1), -1, 128, qnxmsg.PulseDisconnect, qnxmsg.PulseUnblock, math.MaxInt32) {
			c.errno("code", conn.SendPulse(-1, code, 0))
		}
		c.nothingComes(ch)
	},
	"pulse/dead-channel": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		ch := w.attach(name)
		w.must(request{Op: "channel"})
		conn := c.client(name)
		w.close(ch)
		c.errno("other process", conn.SendPulse(-1, 0, 0))
		own, name := c.server()
		conn = c.client(name)
		own.Close()
		c.errno("own process", conn.SendPulse(-1, 0, 0))
	},
	"pulse/dead-server": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		conn := c.client(name)
		w.kill()
		c.errno("pulse", conn.SendPulse(-1, 0, 0))
	},
	"pulse/many": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		for i := range 100 {
			w.must(request{Op: "pulse", Ref: conn, N: i, Size: int64(i)})
		}
		for i := range 100 {
			p := c.receivePulse(ch)
			equal(c, "code", p.Code, i)
			equal(c, "value", p.Value, int64(i))
		}
		c.nothingComes(ch)
	},
	"pulse/flood": func(c *trial) {
		c.hostOnly()
		w := c.worker()
		name := uniqueName()
		theirs := w.attach(name)
		own, ownName := c.server()
		for _, name := range []string{name, ownName} {
			conn := c.client(name)
			n := 0
			var err error
			for ; err == nil && n < 1<<16; n++ {
				err = conn.SendPulse(-1, 0, int64(n))
			}
			c.errno("pulse", err)
			if n--; n < 100 {
				c.errorf("only %d pulses wait", n)
			}
			for i := range n {
				var p qnxmsg.Pulse
				if name == ownName {
					p = c.receivePulse(own)
				} else if r := w.must(request{Op: "receive", Ref: theirs, Timeout: patience}); r.Pulse != nil {
					p = *r.Pulse
				}
				equal(c, "value", p.Value, int64(i))
			}
			// There is room again.
			c.soon("a pulse", func() bool { return conn.SendPulse(-1, 0, 0) == nil })
		}
	},

	"disconnect/closed": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		scoid := c.introduced(ch, w, conn)
		w.close(conn)
		c.disconnected(ch, scoid)
		c.nothingComes(ch)
		// The same for a client in the server's process.
		own := c.client(name)
		answer := goSend(own, text, patience)
		m := c.receive(ch)
		c.must("reply", m.Reply(0, nil))
		c.must("send", (<-answer).err)
		own.Close()
		c.disconnected(ch, m.Info.SCOID)
		c.nothingComes(ch)
	},
	"disconnect/killed": func(c *trial) {
		ch, w, _, m, _ := c.asked()
		w.kill()
		c.disconnected(ch, m.Info.SCOID)
		c.nothingComes(ch)
	},
	"disconnect/overtakes": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		scoid := c.introduced(ch, w, conn)
		const n = 5
		for i := range n {
			w.must(request{Op: "pulse", Ref: conn, N: i, Priority: 200})
		}
		own := c.client(name)
		w.close(conn)
		time.Sleep(silence)
		// It comes before everything that waits, once the server has seen it.
		const most = 32
		for i := 0; ; i++ {
			c.must("pulse", own.SendPulse(255, 127, 0))
			p := c.receivePulse(ch)
			if p.Code == qnxmsg.PulseDisconnect {
				equal(c, "scoid", p.SCOID, scoid)
				c.must("detach", ch.DetachClient(scoid))
				equal(c, "code", c.receivePulse(ch).Code, 127)
				break
			}
			if p.Code != 127 || i == most {
				c.fatalf("got pulse %+v, want the disconnect pulse", p)
			}
		}
		for i := range n {
			equal(c, "code", c.receivePulse(ch).Code, i)
		}
		c.nothingComes(ch)
	},
	"disconnect/blocked-thread": func(c *trial) {
		ch := c.channel(qnxmsg.ChannelUnblock | qnxmsg.ChannelDisconnect)
		w := c.worker()
		conn := w.must(request{Op: "connect", PID: os.Getpid(), N: ch.ID()}).Ref
		answer := w.send(conn, text, patience)
		m := c.receive(ch)
		w.close(conn)
		c.unblockPulse(ch, &m)
		c.nothingComes(ch)
		c.must("reply", m.Reply(3, nil))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, 3)
		c.disconnected(ch, m.Info.SCOID)
		c.nothingComes(ch)
	},
	"disconnect/last": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		first, second := w.openName(name), w.openName(name)
		scoid := c.introduced(ch, w, first)
		equal(c, "scoid", c.introduced(ch, w, second), scoid)
		w.close(first)
		c.nothingComes(ch)
		equal(c, "scoid", c.introduced(ch, w, second), scoid)
		w.close(second)
		c.disconnected(ch, scoid)
		c.nothingComes(ch)
	},
	"disconnect/silent-client": func(c *trial) {
		ch, name := c.server()
		for _, end := range []func(w *worker, conn ref){
			func(w *worker, conn ref) { w.close(conn) },
			func(w *worker, _ ref) { w.kill() },
			func(w *worker, _ ref) { w.exit() },
		} {
			w := c.worker()
			end(w, w.openName(name))
			p := c.receivePulse(ch)
			equal(c, "code", p.Code, qnxmsg.PulseDisconnect)
			c.must("detach", ch.DetachClient(p.SCOID))
			c.nothingComes(ch)
		}
	},
	"disconnect/each": func(c *trial) {
		ch, name := c.server()
		var workers []*worker
		scoids := make(map[int]bool)
		for range 5 {
			w := c.worker()
			scoids[c.introduced(ch, w, w.openName(name))] = true
			workers = append(workers, w)
		}
		equal(c, "clients", len(scoids), 5)
		for _, w := range workers {
			w.kill()
		}
		for range workers {
			p := c.receivePulse(ch)
			equal(c, "code", p.Code, qnxmsg.PulseDisconnect)
			equal(c, "is a client that has not gone yet", scoids[p.SCOID], true)
			delete(scoids, p.SCOID)
			c.must("detach", ch.DetachClient(p.SCOID))
		}
		c.nothingComes(ch)
	},
	"disconnect/not-asked": func(c *trial) {
		ch := c.channel(0)
		w := c.worker()
		conn := w.must(request{Op: "connect", PID: os.Getpid(), N: ch.ID()}).Ref
		c.introduced(ch, w, conn)
		w.close(conn)
		c.nothingComes(ch)
		again := w.must(request{Op: "connect", PID: os.Getpid(), N: ch.ID()}).Ref
		c.introduced(ch, w, again)
		w.kill()
		c.nothingComes(ch)
	},
}
