package shmtest

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// attempts are how long a case waits until a client that has called Send must
// be blocked. Nothing tells another process when that is so; hence the case
// takes its errno for final only when waiting longer does not change it.
var attempts = []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}

// replyBlocked makes a client in this process wait for the answer of a worker.
func (c *trial) replyBlocked() (w *worker, ch ref, msg reply, answer <-chan sent) {
	w = c.worker()
	name := uniqueName()
	ch = w.attach(name)
	answer = goSend(c.client(name), text, patience)
	msg = w.receive(ch)
	return w, ch, msg, answer
}

// asked makes a worker wait for the answer of this process.
func (c *trial) asked() (ch *qnxmsg.Channel, w *worker, conn ref, m qnxmsg.Message, answer *call) {
	ch, name := c.server()
	w = c.worker()
	conn = w.openName(name)
	answer = w.send(conn, text, -1)
	return ch, w, conn, c.receive(ch), answer
}

// timedOut lets a client time out after its message was received.
func (c *trial) timedOut() (ch *qnxmsg.Channel, w *worker, conn ref, m qnxmsg.Message) {
	ch, name := c.server()
	w = c.worker()
	conn = w.openName(name)
	answer := w.send(conn, "first", 100*time.Millisecond)
	m = c.receive(ch)
	_, err := answer.wait()
	c.fails("worker: send", err, "ETIMEDOUT")
	return ch, w, conn, m
}

// inlineAndNot are lengths of messages that the host sends in different ways.
var inlineAndNot = []int{64, 200_000}

// unwritable returns memory that can only be read.
func (c *trial) unwritable(n int) []byte {
	return c.mapped(c.object(int64(n)), qnxshm.ReadOnly).Bytes()
}

// cutOff detaches a client that is still connected.
func (c *trial) cutOff(ch *qnxmsg.Channel, scoid int) {
	err := ch.DetachClient(scoid)
	if target && errors.Is(err, syscall.EINVAL) {
		c.skipf("this release keeps a client that is connected: %v", err)
	}
	c.must("detach", err)
}

var sendCases = map[string]caseFunc{
	"send/status": func(c *trial) {
		ch, w, conn, m, answer := c.asked()
		for _, status := range []int{42, 0, 1, math.MaxInt32} {
			c.must("reply", m.Reply(status, nil))
			r, err := answer.wait()
			c.must("worker: send", err)
			equal(c, "status", r.N, status)
			answer = w.send(conn, text, -1)
			m = c.receive(ch)
		}
		c.must("reply", m.Reply(0, nil))
		_, err := answer.wait()
		c.must("worker: send", err)
	},
	"send/status-negative": func(c *trial) {
		_, _, _, m, answer := c.asked()
		for _, status := range append(wide(0), -1, math.MinInt32) {
			c.errno("status", m.Reply(status, nil))
		}
		c.must("reply", m.Reply(7, nil))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, 7)
	},
	"send/error-passes": func(c *trial) {
		ch, w, conn, m, answer := c.asked()
		errnos := map[syscall.Errno]string{
			syscall.EPERM: "EPERM", syscall.ENOENT: "ENOENT", syscall.EINVAL: "EINVAL", syscall.EBADF: "EBADF", syscall.ESRCH: "ESRCH",
			syscall.ENOSYS: "ENOSYS", qnxerr.EBADMSG: "EBADMSG", syscall.ETIMEDOUT: "ETIMEDOUT", syscall.ENOTSUP: "ENOTSUP",
			syscall.EINTR: "EINTR", syscall.EAGAIN: "EAGAIN", qnxmsg.ESRVRFAULT: "ESRVRFAULT",
		}
		for errno, name := range errnos {
			c.must("error", m.ReplyError(errno))
			_, err := answer.wait()
			c.fails("worker: send", err, name)
			answer = w.send(conn, text, -1)
			m = c.receive(ch)
		}
		c.must("reply", m.Reply(0, nil))
		_, err := answer.wait()
		c.must("worker: send", err)
	},
	"send/error-zero": func(c *trial) {
		_, _, _, m, answer := c.asked()
		c.must("error", m.ReplyError(syscall.Errno(0)))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, 0)
	},
	"send/receive-buffer-bad": func(c *trial) {
		for _, n := range inlineAndNot {
			ch, name := c.server()
			answer := goSendBytes(c.client(name), make([]byte, n), make([]byte, 1), patience)
			_, err := ch.ReceiveTimeout(c.unwritable(n), patience)
			c.errno("receive", err)
			<-answer
			answer = goSendBytes(c.client(name), make([]byte, n), make([]byte, 1), patience)
			m := c.receive(ch)
			equal(c, "length of the next message", m.Info.SrcMsgLen, int64(n))
			c.must("reply", m.Reply(0, nil))
			c.must("send again", (<-answer).err)
		}
	},
	"send/server-buffer-bad": func(c *trial) {
		for _, n := range inlineAndNot {
			ch, name := c.server()
			conn := c.client(name)
			answer := goSendBytes(conn, make([]byte, n), make([]byte, 1), patience)
			_, err := ch.ReceiveTimeout(c.unwritable(n), patience)
			c.fails("receive", err, "EFAULT")
			c.errno("send", (<-answer).err)
			c.echo(ch)
			c.exchange(conn)
		}
	},
	"send/reply-buffer-bad": func(c *trial) {
		for _, n := range inlineAndNot {
			ch, name := c.server()
			conn := c.client(name)
			answer := goSendBytes(conn, []byte("x"), c.unwritable(n), patience)
			m := c.receive(ch)
			m.Reply(0, make([]byte, n)) // a target tells the server, too
			c.errno("send", (<-answer).err)
			c.echo(ch)
			c.exchange(conn)
		}
	},
	"send/restart": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn, own := w.openName(name), c.client(name)
		for _, large := range []int{0, 100 << 10} {
			msg := append([]byte(text), pattern(large)...)
			answer := w.start(request{Op: "send", Ref: conn, Data: msg, N: 64, Timeout: patience})
			mine := goSendBytes(own, msg, make([]byte, 64), patience)
			for range 8 {
				m := c.receive(ch)
				equal(c, "length", m.Info.SrcMsgLen, int64(len(msg)))
				equal(c, "message", string(m.Data[:len(text)]), text)
				c.must("restart", m.Restart())
				c.fails("reply", m.Reply(0, nil), "ESRCH")
			}
			for range 2 {
				m := c.receive(ch)
				c.must("reply", m.Reply(9, []byte("done")))
			}
			r, err := answer.wait()
			c.must("worker: send", err)
			equal(c, "status", r.N, 9)
			got := <-mine
			c.must("send", got.err)
			equal(c, "reply", got.reply, "done")
			c.nothingComes(ch)
		}
		var pulse qnxmsg.Message
		c.fails("restart a pulse", pulse.Restart(), "EINVAL")
	},
	"send/restart-timeout": func(c *trial) {
		for _, flags := range []qnxmsg.ChannelFlags{0, qnxmsg.ChannelUnblock} {
			ch := c.channel(flags)
			answer := goSend(c.connect(0, ch.ID()), text, 2*short)
			for range 1000 {
				m, err := ch.ReceiveTimeout(make([]byte, 64), 4*short)
				if err != nil {
					c.fails("receive", err, "ETIMEDOUT")
					break
				}
				if !m.IsPulse() {
					time.Sleep(short / 10)
					m.Restart() // the client may have gone
				}
			}
			c.errno("send", (<-answer).err)
		}
	},
	"send/error-out-of-range": func(c *trial) {
		_, _, _, m, answer := c.asked()
		for _, errno := range wide(int(syscall.EPERM)) {
			c.errno("error", m.ReplyError(syscall.Errno(errno)))
		}
		c.errno("all ones", m.ReplyError(^syscall.Errno(0)))
		c.must("error", m.ReplyError(nil))
		_, err := answer.wait()
		c.must("worker: send", err)
	},
	"send/far-buffers": func(c *trial) {
		buf := c.mapped(c.large(large), qnxshm.ReadWrite).Bytes()
		ch, name := c.server()
		answer := goSend(c.client(name), text, patience)
		m, err := ch.ReceiveTimeout(buf, patience)
		c.must("receive", err)
		equal(c, "message", string(m.Data), text)
		c.must("reply", m.Reply(0, nil))
		c.must("send", (<-answer).err)

		c.echo(ch)
		_, err = c.client(name).SendTimeout([]byte(text), buf[1:], patience)
		c.must("send", err)
		equal(c, "reply", string(buf[1:1+len(text)]), text)
	},
	"send/sizes": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		buf := make([]byte, 16<<20)
		for _, n := range []int{0, 1, 63, 64, 65, 4095, 4096, 4097, 65535, 65536, 65537, 200_000, 1 << 20, 16 << 20} {
			for _, back := range []int{0, n} {
				answer := w.start(request{Op: "send", Ref: conn, Pattern: n, N: back, Timeout: patience})
				m, err := ch.ReceiveTimeout(buf, patience)
				c.must("receive", err)
				equal(c, "length", len(m.Data), n)
				equal(c, "message", crc32.ChecksumIEEE(m.Data), crc32.ChecksumIEEE(pattern(n)))
				want := pattern(back / 2)
				c.must("reply", m.Reply(n, want))
				r, err := answer.wait()
				c.must("worker: send", err)
				equal(c, "status", r.N, n)
				want = append(want, make([]byte, back-back/2)...)
				equal(c, fmt.Sprintf("reply of %d bytes", back), r.Sum, crc32.ChecksumIEEE(want))
			}
		}
		// The same with nothing but the reply long.
		answer := w.start(request{Op: "send", Ref: conn, N: 16 << 20, Timeout: patience})
		m := c.receive(ch)
		want := pattern(16 << 20)
		c.must("reply", m.Reply(0, want))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "long reply", r.Sum, crc32.ChecksumIEEE(want))
	},
	"send/receive-short": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		for _, n := range []int{100, 5000, 300_000} {
			for _, room := range []int{0, 10, n - 1} {
				answer := w.start(request{Op: "send", Ref: conn, Pattern: n, N: 1, Timeout: patience})
				buf := make([]byte, n)
				m, err := ch.ReceiveTimeout(buf[:room], patience)
				c.must("receive", err)
				equal(c, "received", m.Info.MsgLen, int64(room))
				equal(c, "length of the data", len(m.Data), room)
				equal(c, "sent", m.Info.SrcMsgLen, int64(n))
				equal(c, "message", string(m.Data), string(pattern(n)[:room]))
				equal(c, "what lies behind the buffer", strings.Trim(string(buf[room:]), "\x00"), "")
				c.must("reply", m.Reply(0, nil))
				_, err = answer.wait()
				c.must("worker: send", err)
			}
		}
	},
	"send/reply-long": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		for _, n := range []int{20, 5000, 300_000} {
			answer := pattern(n)
			done := make(chan error, 1)
			reply := make([]byte, n)
			go func() {
				_, err := conn.SendTimeout(nil, reply[:10], patience)
				done <- err
			}()
			m := c.receive(ch)
			c.must("reply", m.Reply(0, answer))
			c.must("send", <-done)
			equal(c, "reply", string(reply[:10]), string(answer[:10]))
			equal(c, "what lies behind the buffer", strings.Trim(string(reply[10:]), "\x00"), "")
		}
	},
	"send/reply-short": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		for _, n := range []int{0, 3} {
			done := make(chan error, 1)
			reply := []byte("............")
			go func() {
				_, err := conn.SendTimeout(nil, reply, patience)
				done <- err
			}()
			m := c.receive(ch)
			c.must("reply", m.Reply(0, []byte("abc")[:n]))
			c.must("send", <-done)
			equal(c, "reply", string(reply), "abc"[:n]+"............"[n:])
		}
	},
	"send/lengths": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		for _, n := range []struct{ send, reply int }{{0, 0}, {1, 0}, {0, 1}, {200, 3000}, {70_000, 80_000}} {
			answer := w.start(request{Op: "send", Ref: conn, Pattern: n.send, N: n.reply, Timeout: patience})
			m := c.receive(ch)
			equal(c, "received", m.Info.MsgLen, int64(min(n.send, 256)))
			equal(c, "sent", m.Info.SrcMsgLen, int64(n.send))
			equal(c, "wanted in reply", m.Info.DstMsgLen, int64(n.reply))
			c.must("reply", m.Reply(0, nil))
			_, err := answer.wait()
			c.must("worker: send", err)
		}
	},
	"send/sender": func(c *trial) {
		_, w, _, m, answer := c.asked()
		equal(c, "pid", m.Info.PID, w.pid())
		c.must("reply", m.Reply(0, nil))
		_, err := answer.wait()
		c.must("worker: send", err)
		ch, name := c.server()
		own := goSend(c.client(name), text, patience)
		m = c.receive(ch)
		equal(c, "own pid", m.Info.PID, os.Getpid())
		c.must("reply", m.Reply(0, nil))
		c.must("send", (<-own).err)
	},
	"send/connection-id": func(c *trial) {
		ch, name := c.server()
		seen := make(map[int]bool)
		for range 2 {
			answer := goSend(c.client(name), text, patience)
			m := c.receive(ch)
			if m.Info.COID <= 0 || seen[m.Info.COID] {
				c.errorf("coid %d after %v", m.Info.COID, seen)
			}
			seen[m.Info.COID] = true
			c.must("reply", m.Reply(0, nil))
			c.must("send", (<-answer).err)
		}
	},
	"send/client-id": func(c *trial) {
		ch, name := c.server()
		first, second := c.worker(), c.worker()
		id := func(w *worker, conn ref) int {
			answer := w.send(conn, text, patience)
			m := c.receive(ch)
			c.must("reply", m.Reply(0, nil))
			_, err := answer.wait()
			c.must("worker: send", err)
			return m.Info.SCOID
		}
		a, b, other := first.openName(name), first.openName(name), second.openName(name)
		scoid := id(first, a)
		equal(c, "same connection", id(first, a), scoid)
		equal(c, "second connection", id(first, b), scoid)
		if id(second, other) == scoid {
			c.errorf("two processes have the scoid %#x", scoid)
		}
	},
	"send/own-process": func(c *trial) {
		ch, name := c.server()
		c.echo(ch)
		conn := c.client(name)
		for range 10 {
			c.exchange(conn)
		}
	},
	"send/handle": func(c *trial) {
		_, w, _, m, answer := c.asked()
		obj := c.object(page)
		c.write(obj, 0, text)
		b, err := c.handle(obj, m.Info.PID, qnxshm.ReadOnly).AppendBinary(nil)
		c.must("AppendBinary", err)
		c.must("reply", m.Reply(len(b), b))
		r, err := answer.wait()
		c.must("worker: send", err)
		var h qnxshm.Handle
		c.must("UnmarshalBinary", h.UnmarshalBinary(r.Data[:r.N]))
		equal(c, "contents", w.mustRead(w.mustOpen(h, qnxshm.ReadOnly), 0, len(text)), text)
	},
	"send/handle-to-server": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		ch := w.attach(name)
		conn := c.client(name)
		server, err := conn.ServerPID()
		c.must("ServerPID", err)
		obj := c.object(page)
		c.write(obj, 0, text)
		b, err := c.handle(obj, server, qnxshm.ReadOnly).AppendBinary(nil)
		c.must("AppendBinary", err)
		answer := goSend(conn, string(b), patience)
		m := w.receive(ch)
		var h qnxshm.Handle
		c.must("UnmarshalBinary", h.UnmarshalBinary(m.Data))
		equal(c, "contents", w.mustRead(w.mustOpen(h, qnxshm.ReadOnly), 0, len(text)), text)
		w.must(request{Op: "reply", Ref: m.Ref})
		c.must("send", (<-answer).err)
	},
	"send/out-of-order": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		w := c.worker()
		theirs := w.openName(name)
		const n = 5
		var own []<-chan sent
		var others []*call
		for i := range n {
			own = append(own, goSend(conn, fmt.Sprintf("own %d", i), patience))
			others = append(others, w.send(theirs, fmt.Sprintf("other %d", i), patience))
		}
		var messages []qnxmsg.Message
		for range 2 * n {
			messages = append(messages, c.receive(ch))
		}
		for i := len(messages) - 1; i >= 0; i-- {
			c.must("reply", messages[i].Reply(0, messages[i].Data))
		}
		for i := range n {
			got := <-own[i]
			c.must("send", got.err)
			equal(c, "reply", got.reply, fmt.Sprintf("own %d", i))
			r, err := others[i].wait()
			c.must("worker: send", err)
			equal(c, "reply", strings.TrimRight(string(r.Data), "\x00"), fmt.Sprintf("other %d", i))
		}
	},
	"send/concurrent": func(c *trial) {
		ch, name := c.server()
		for range 4 {
			c.echo(ch)
		}
		conn := c.client(name)
		c.same("sends", race(100, func(i int) error {
			for j := range 10 {
				msg := fmt.Sprintf("%d of %d", j, i)
				if got := <-goSend(conn, msg, patience); got.err != nil {
					return got.err
				} else if got.reply != msg {
					return fmt.Errorf("sent %q, got the answer to %q", msg, got.reply)
				}
			}
			return nil
		}), map[string]int{"EOK": 100})
	},
	"send/many-clients": func(c *trial) {
		const processes, each = 8, 25
		ch, name := c.server()
		var calls []*call
		for range processes {
			calls = append(calls, c.worker().start(request{Op: "sendmany", Name: name, N: each}))
		}
		// All of them wait at once before the first one is answered.
		var messages []qnxmsg.Message
		for len(messages) < processes*each {
			messages = append(messages, c.receive(ch))
		}
		for _, m := range messages {
			c.must("reply", m.Reply(len(m.Data), m.Data))
		}
		for _, call := range calls {
			r, err := call.wait()
			c.must("worker: sends", err)
			c.same("sends", r.Counts, map[string]int{"EOK": each})
		}
	},
	"send/second-reply": func(c *trial) {
		_, _, _, m, answer := c.asked()
		c.must("reply", m.Reply(1, []byte("first")))
		c.errno("second reply", m.Reply(2, []byte("second")))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "reply", strings.TrimRight(string(r.Data), "\x00"), "first")
		c.errno("third reply", m.Reply(3, nil))
	},
	"send/second-error": func(c *trial) {
		_, _, _, m, answer := c.asked()
		c.must("error", m.ReplyError(syscall.EPERM))
		c.errno("second error", m.ReplyError(syscall.EACCES))
		c.fails("reply after the error", m.Reply(0, nil), "ESRCH")
		_, err := answer.wait()
		c.fails("worker: send", err, "EPERM")
	},
	"send/client-killed": func(c *trial) {
		_, w, _, m, _ := c.asked()
		w.kill()
		c.errno("reply", m.Reply(0, nil))
		_, w, _, m, _ = c.asked()
		w.kill()
		c.errno("error", m.ReplyError(syscall.EPERM))
	},
	"send/reply-after-timeout": func(c *trial) {
		_, _, _, m := c.timedOut()
		c.errno("reply", m.Reply(0, []byte("late")))
		_, _, _, m = c.timedOut()
		c.errno("error", m.ReplyError(syscall.EPERM))
	},
	"send/next-after-timeout": func(c *trial) {
		ch, w, conn, late := c.timedOut()
		c.fails("late reply", late.Reply(1, []byte("late")), "ESRCH")
		answer := w.send(conn, "second", patience)
		m := c.receive(ch)
		equal(c, "message", string(m.Data), "second")
		c.must("reply", m.Reply(2, []byte("own")))
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, 2)
		equal(c, "reply", strings.TrimRight(string(r.Data), "\x00"), "own")
	},
	"send/late-reply-newer": func(c *trial) {
		ch, w, conn, late := c.timedOut()
		answer := w.send(conn, "second", patience)
		m := c.receive(ch)
		status := 1
		if late.ID() != m.ID() { // another thread's
			c.fails("late reply", late.Reply(status, nil), "ESRCH")
			status = 2
			c.must("reply", m.Reply(status, nil))
		} else {
			c.must("late reply", late.Reply(status, nil))
			c.fails("reply", m.Reply(2, nil), "ESRCH")
		}
		r, err := answer.wait()
		c.must("worker: send", err)
		equal(c, "status", r.N, status)
	},
	"send/timeout-send-blocked": func(c *trial) {
		_, name := c.server()
		began := time.Now()
		c.errno("own process", (<-goSend(c.client(name), text, 50*time.Millisecond)).err)
		c.lasted("send", began, 50*time.Millisecond, patience)
		c.errno("in pieces", (<-goSendv(c.client(name), text, 50*time.Millisecond)).err)
		w := c.worker()
		_, err := w.send(w.openName(name), text, 50*time.Millisecond).wait()
		c.errno("other process", err)
	},
	"send/timeout-reply-blocked": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		answer := w.send(w.openName(name), text, 100*time.Millisecond)
		c.receive(ch)
		_, err := answer.wait()
		c.errno("other process", err)
		own := goSend(c.client(name), text, 100*time.Millisecond)
		c.receive(ch)
		c.errno("own process", (<-own).err)
		inPieces := goSendv(c.client(name), text, 100*time.Millisecond)
		c.receive(ch)
		c.errno("in pieces", (<-inPieces).err)
	},
	"send/timeout-zero": func(c *trial) {
		_, name := c.server()
		began := time.Now()
		c.errno("own process", (<-goSend(c.client(name), text, 0)).err)
		c.lasted("send", began, 0, patience)
		w := c.worker()
		_, err := w.send(w.openName(name), text, 0).wait()
		c.errno("other process", err)
	},
	"send/timeout-large": func(c *trial) {
		ch, name := c.server()
		answer, inPieces := goSend(c.client(name), text, time.Duration(large)), goSendv(c.client(name), text, time.Duration(large))
		m, other := c.receive(ch), c.receive(ch)
		time.Sleep(silence) // in which a timeout of less would be over
		c.must("reply", m.Reply(0, nil))
		c.must("reply", other.Reply(0, nil))
		c.must("send", (<-answer).err)
		c.must("send in pieces", (<-inPieces).err)
	},
	"send/timeout-withdraws": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		_, err := w.send(conn, "withdrawn", 50*time.Millisecond).wait()
		c.fails("worker: send", err, "ETIMEDOUT")
		c.fails("send", (<-goSend(c.client(name), "withdrawn", 50*time.Millisecond)).err, "ETIMEDOUT")
		c.nothingComes(ch)
		answer := w.send(conn, text, patience)
		m := c.receive(ch)
		equal(c, "message", string(m.Data), text)
		c.must("reply", m.Reply(0, nil))
		_, err = answer.wait()
		c.must("worker: send", err)
	},
	"send/signals": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		answer, thread := c.onThread(func() error {
			_, err := conn.SendTimeout([]byte(text), nil, patience)
			return err
		})
		m := c.receive(ch)
		c.interrupts(thread)
		c.must("reply", m.Reply(0, nil))
		c.must("send", <-answer)
		c.nothingComes(ch)
	},
	"send/server-killed-reply-blocked": func(c *trial) {
		w, _, _, answer := c.replyBlocked()
		w.kill()
		c.errno("send", (<-answer).err)
	},
	"send/server-killed-send-blocked": func(c *trial) {
		for i, wait := range attempts {
			w := c.worker()
			name := uniqueName()
			w.attach(name)
			answer := goSend(c.client(name), text, patience)
			time.Sleep(wait)
			w.kill()
			got := <-answer
			if last := i == len(attempts)-1; nameOf(got.err) != "EBADF" || last {
				c.errno("send", got.err)
				return
			}
		}
	},
	"send/server-exits": func(c *trial) {
		w, _, _, answer := c.replyBlocked()
		w.exit()
		c.errno("send", (<-answer).err)
	},
	"send/server-gone": func(c *trial) {
		for _, end := range []func(*worker){(*worker).kill, (*worker).exit} {
			w := c.worker()
			name := uniqueName()
			w.attach(name)
			conn := c.client(name)
			chid := w.must(request{Op: "channel"}).N
			other := c.connect(w.pid(), chid)
			end(w)
			for _, conn := range []*qnxmsg.Connection{conn, other, conn} {
				c.errno("send", (<-goSend(conn, text, patience)).err)
			}
		}
	},
	"send/channel-gone": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		ch := w.attach(name)
		w.must(request{Op: "channel"}) // the process itself goes on
		conn := c.client(name)
		w.close(ch)
		c.errno("other process", (<-goSend(conn, text, patience)).err)
		own, name := c.server()
		conn = c.client(name)
		own.Close()
		c.errno("own process", (<-goSend(conn, text, patience)).err)
	},
	"send/channel-closed-send-blocked": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		ch := w.attach(name)
		answer := goSend(c.client(name), text, patience)
		time.Sleep(attempts[1]) // see there; too early is EBADF as well
		w.close(ch)
		c.errno("other process", (<-answer).err)
		own, name := c.server()
		answer = goSend(c.client(name), text, patience)
		time.Sleep(attempts[1])
		own.Close()
		c.errno("own process", (<-answer).err)
	},
	"send/channel-closed-reply-blocked": func(c *trial) {
		w, ch, _, answer := c.replyBlocked()
		w.close(ch)
		c.errno("other process", (<-answer).err)
		own, name := c.server()
		answer = goSend(c.client(name), text, patience)
		c.receive(own)
		own.Close()
		c.errno("own process", (<-answer).err)
	},
	"send/closed-wakes": func(c *trial) {
		ch, name := c.server()
		for _, received := range []bool{true, false} {
			conn := c.client(name)
			const n = 3
			var answers []<-chan sent
			for range n {
				answers = append(answers, goSend(conn, text, patience))
			}
			for range n {
				if received {
					c.receive(ch)
				}
			}
			c.must("close", conn.Close())
			for _, answer := range answers {
				if err := (<-answer).err; !errors.Is(err, os.ErrClosed) {
					c.errorf("received %v: Send: got %v, want os.ErrClosed", received, err)
				}
			}
		}
	},
	"send/reply-after-close": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		answer := w.send(conn, text, patience)
		m := c.receive(ch)
		w.close(conn)
		_, err := answer.wait()
		c.fails("worker: send", err, "ErrClosed")
		c.errno("reply", m.Reply(0, nil))
	},

	"detach/unknown-client": func(c *trial) {
		ch, _, _, m, _ := c.asked()
		for _, scoid := range append(wide(m.Info.SCOID), m.Info.SCOID+1000, -1, 0, math.MaxInt32) {
			if scoid != m.Info.SCOID {
				c.errno("scoid", ch.DetachClient(scoid))
			}
		}
		c.must("reply", m.Reply(0, nil))
	},
	"detach/not-this-channels": func(c *trial) {
		ch, _, _, m, answer := c.asked()
		other, name := c.server()
		conn := c.client(name)
		own := goSend(conn, text, patience)
		from := c.receive(other)
		c.must("reply", from.Reply(0, nil))
		c.must("send", (<-own).err)
		file, err := os.Open(os.DevNull)
		c.must("open a file", err)
		defer file.Close()

		c.errno("another channel's client", other.DetachClient(m.Info.SCOID))
		c.errno("another channel's client", ch.DetachClient(from.Info.SCOID))
		c.errno("the server's own connection", other.DetachClient(from.Info.COID))
		c.errno("an open file", ch.DetachClient(int(file.Fd())))

		_, err = file.Stat()
		c.must("use the file", err)
		own = goSend(conn, text, patience)
		from = c.receive(other)
		c.must("reply", from.Reply(0, nil))
		c.must("send again", (<-own).err)
		c.must("reply", m.Reply(0, nil))
		_, err = answer.wait()
		c.must("worker: send", err)
	},
	"detach/client-gone": func(c *trial) {
		ch, w, _, m, _ := c.asked()
		w.kill()
		p := c.receivePulse(ch)
		equal(c, "code", p.Code, qnxmsg.PulseDisconnect)
		equal(c, "scoid", p.SCOID, m.Info.SCOID)
		c.must("detach", ch.DetachClient(p.SCOID))
		c.fails("detach again", ch.DetachClient(p.SCOID), "EINVAL")
	},
	"detach/several": func(c *trial) {
		type client struct {
			ch    *qnxmsg.Channel
			scoid int
		}
		var clients []client
		workers := []*worker{c.worker(), c.worker()}
		for range 2 {
			ch, name := c.server()
			for _, w := range workers {
				clients = append(clients, client{ch, c.introduced(ch, w, w.openName(name))})
			}
		}
		for _, one := range clients {
			c.must("detach", one.ch.DetachClient(one.scoid))
		}
	},
	"detach/blocked-client": func(c *trial) {
		ch, _, _, m, answer := c.asked()
		c.cutOff(ch, m.Info.SCOID)
		if _, err := answer.wait(); err == nil {
			c.errorf("worker: send succeeded after it was cut off")
		}
		c.fails("reply", m.Reply(0, nil), "ESRCH")
	},
	"detach/cuts-off": func(c *trial) {
		ch, w, conn, m, answer := c.asked()
		c.must("reply", m.Reply(0, nil))
		_, err := answer.wait()
		c.must("worker: send", err)
		c.cutOff(ch, m.Info.SCOID)
		_, err = w.send(conn, text, patience).wait()
		c.errno("later send", err)
	},
}
