package shmtest

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// sendPattern makes a worker send the pattern of n bytes, and receives the first 64.
func (c *trial) sendPattern(n, room int) (m qnxmsg.Message, answer *call, want []byte) {
	ch, name := c.server()
	w := c.worker()
	answer = w.start(request{Op: "send", Ref: w.openName(name), Pattern: n, N: room, Timeout: patience})
	m, err := ch.ReceiveTimeout(make([]byte, 64), patience)
	c.must("receive", err)
	return m, answer, pattern(n)
}

// unreadable returns memory that cannot be read: it was revoked.
func (c *trial) unreadable(n int) []byte {
	creator := c.worker()
	obj := creator.create(int64(n))
	c.must("worker: make it revocable", creator.control(obj, qnxshm.ControlRevocable, 0))
	b := c.mapped(c.open(creator.mustHandle(obj, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite), qnxshm.ReadWrite).Bytes()
	c.must("worker: shm_revoke", creator.revoke(obj, os.Getpid()))
	return b
}

// sameBytes compares data, of which there may be much.
func (c *trial) sameBytes(what string, got, want []byte) {
	if !bytes.Equal(got, want) {
		c.errorf("%s: %d bytes are not the %d that were sent", what, len(got), len(want))
	}
}

// sameReply compares what a worker got, of which there may be more than is carried.
func (c *trial) sameReply(r reply, want []byte) {
	equal(c, "sum of the reply", r.Sum, crc32.ChecksumIEEE(want))
}

// replied waits for the answer to a worker's message.
func (c *trial) replied(answer *call) reply {
	r, err := answer.wait()
	c.must("worker: send", err)
	return r
}

var pieceCases = map[string]caseFunc{
	"pieces/send": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		for _, n := range inlineAndNot {
			answer := w.start(request{Op: "sendv", Ref: conn, Pattern: n, Size: int64(n/7 + 1), N: n, Timeout: patience})
			m, err := ch.ReceiveTimeout(make([]byte, n+1), patience)
			c.must("receive", err)
			c.sameBytes("message", m.Data, pattern(n))
			equal(c, "bytes sent", m.Info.SrcMsgLen, int64(n))
			equal(c, "room for the reply", m.Info.DstMsgLen, int64(n))
			want := pattern(n + 1)[1:]
			c.must("reply", m.Reply(3, want))
			r := c.replied(answer)
			equal(c, "status", r.N, 3)
			c.sameReply(r, want)
		}
	},
	"pieces/none": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		for _, pieces := range [][][]byte{nil, {}, {nil}, {{}, nil, {}}} {
			done := make(chan error, 1)
			go func() {
				_, err := conn.SendvTimeout(pieces, pieces, patience)
				done <- err
			}()
			m := c.receive(ch)
			equal(c, "length", m.Info.SrcMsgLen+m.Info.DstMsgLen, 0)
			c.must("reply", m.Replyv(0, pieces))
			c.must("send", <-done)
		}
	},
	"pieces/reply": func(c *trial) {
		for _, n := range inlineAndNot {
			m, answer, _ := c.sendPattern(1, n)
			c.must("reply", m.Replyv(4, inPieces(pattern(n), n/5+1)))
			r := c.replied(answer)
			equal(c, "status", r.N, 4)
			c.sameReply(r, pattern(n))
		}
	},
	"pieces/too-many": func(c *trial) {
		_, _, _, m, answer := c.asked()
		conn := c.connect(0, c.channel(0).ID())
		many := make([][]byte, 524289)
		_, err := conn.SendvTimeout(many, nil, 0)
		c.errno("message", err)
		_, err = conn.SendvTimeout(nil, many, 0)
		c.errno("room for the reply", err)
		c.errno("reply", m.Replyv(0, many))
		c.must("reply", m.Replyv(0, many[:524288]))
		c.replied(answer)
	},
	"pieces/message-bad": func(c *trial) {
		ch := c.channel(0)
		conn := c.connect(0, ch.ID())
		for _, n := range inlineAndNot {
			_, err := conn.SendvTimeout([][]byte{[]byte(text), c.unreadable(n), []byte(text)}, nil, 100*time.Millisecond)
			c.errno("send", err)
		}
		c.nothingComes(ch)
	},
	"pieces/message-bad-unseen": func(c *trial) {
		ch, name := c.server()
		conn := c.client(name)
		bad := c.unreadable(100)
		received := make(chan qnxmsg.Message, 1)
		go func() {
			if m, err := ch.ReceiveTimeout(make([]byte, 256), patience); err == nil {
				received <- m
			}
			close(received)
		}()
		for range 3 {
			_, err := conn.SendTimeout(bad, nil, patience)
			c.fails("send", err, "EFAULT")
		}
		answer := goSend(conn, text, patience)
		m, ok := <-received
		if !ok {
			c.fatalf("the server received nothing")
		}
		equal(c, "message", string(m.Data), text)
		c.must("reply", m.Reply(0, nil))
		c.must("send", (<-answer).err)
	},

	"read/offset": func(c *trial) {
		for _, n := range inlineAndNot {
			m, answer, want := c.sendPattern(n, 0)
			c.sameBytes("received", m.Data, want[:64])
			whole, err := io.ReadAll(io.NewSectionReader(&m, 0, int64(n)))
			c.must("read all of it", err)
			c.sameBytes("all of it", whole, want)
			for _, off := range []int{0, 1, n / 2, n - 3, n - 1} {
				b := make([]byte, 5)
				k, err := m.ReadAt(b, int64(off))
				if err != nil && err != io.EOF {
					c.errorf("read at %d: %v", off, err)
				}
				equal(c, "bytes", k, min(5, n-off))
				equal(c, "at the end", err == io.EOF, k < 5)
				c.sameBytes("read", b[:k], want[off:off+k])
			}
			c.must("reply", m.Reply(0, nil))
			c.replied(answer)
		}
	},
	"read/past-end": func(c *trial) {
		for _, n := range inlineAndNot {
			m, answer, _ := c.sendPattern(n, 0)
			for _, off := range []int64{int64(n), int64(n) + 1, 1 << 40} {
				k, err := m.ReadAt(make([]byte, 5), off)
				equal(c, "bytes", k, 0)
				equal(c, "error", err, io.EOF)
			}
			c.must("reply", m.Reply(0, nil))
			c.replied(answer)
		}
	},
	"read/answered": func(c *trial) {
		m, answer, _ := c.sendPattern(100, 0)
		c.must("reply", m.Reply(0, nil))
		_, err := m.ReadAt(make([]byte, 1), 0)
		c.errno("read", err)
		c.replied(answer)
	},
	"read/client-timed-out": func(c *trial) {
		_, _, _, m := c.timedOut()
		_, err := m.ReadAt(make([]byte, 1), 0)
		c.errno("read", err)
	},
	"read/buffer-bad": func(c *trial) {
		m, answer, want := c.sendPattern(200, 0)
		_, err := m.ReadAt(c.unwritable(100), 0)
		c.errno("read", err)
		b := make([]byte, 200)
		_, err = m.ReadAt(b, 0)
		c.must("read again", err)
		c.sameBytes("read again", b, want)
		c.must("reply", m.Reply(0, nil))
		c.replied(answer)
	},
	"read/negative": func(c *trial) {
		m, answer, _ := c.sendPattern(100, 100)
		_, err := m.ReadAt(make([]byte, 1), -1)
		c.errno("read", err)
		_, err = m.WriteAt(make([]byte, 1), -1)
		c.errno("write", err)
		c.must("reply", m.Reply(0, nil))
		c.replied(answer)
		ch := c.channel(0)
		c.must("pulse", c.connect(0, ch.ID()).SendPulse(-1, 1, 1))
		m = c.receiveEither(ch)
		_, err = m.ReadAt(make([]byte, 1), 0)
		c.errno("read a pulse", err)
		_, err = m.WriteAt(make([]byte, 1), 0)
		c.errno("write to a pulse", err)
	},

	"write/offset": func(c *trial) {
		for _, n := range inlineAndNot {
			m, answer, _ := c.sendPattern(1, n)
			want := make([]byte, n)
			for _, off := range []int{n - 7, 3, n / 2} {
				copy(want[off:], "written")
				k, err := m.WriteAt([]byte("written"), int64(off))
				c.must("write", err)
				equal(c, "bytes", k, 7)
			}
			c.must("reply", m.Reply(5, nil))
			r := c.replied(answer)
			equal(c, "status", r.N, 5)
			c.sameReply(r, want)
		}
	},
	"write/before-reply": func(c *trial) {
		for _, n := range inlineAndNot {
			m, answer, _ := c.sendPattern(1, n)
			want := pattern(n)
			_, err := m.WriteAt(want[10:], 10)
			c.must("write", err)
			_, err = m.WriteAt([]byte("changed"), 0)
			c.must("write", err)
			c.must("reply", m.Reply(0, want[:10]))
			c.sameReply(c.replied(answer), want)
		}
	},
	"write/past-end": func(c *trial) {
		for _, n := range inlineAndNot {
			m, answer, _ := c.sendPattern(1, n)
			want := make([]byte, n)
			copy(want[n-3:], "abc")
			k, err := m.WriteAt([]byte("abcdef"), int64(n-3))
			equal(c, "bytes", k, 3)
			equal(c, "error", errors.Is(err, io.ErrShortWrite), true)
			for _, off := range []int64{int64(n), 1 << 40} {
				k, err = m.WriteAt([]byte("x"), off)
				equal(c, "bytes", k, 0)
				equal(c, "error", errors.Is(err, io.ErrShortWrite), true)
			}
			c.must("reply", m.Reply(0, nil))
			c.sameReply(c.replied(answer), want)
		}
	},
	"write/answered": func(c *trial) {
		m, answer, _ := c.sendPattern(1, 100)
		c.must("reply", m.Reply(0, nil))
		_, err := m.WriteAt([]byte("late"), 0)
		c.errno("write", err)
		c.sameReply(c.replied(answer), make([]byte, 100))
	},
	"write/data-bad": func(c *trial) {
		m, answer, _ := c.sendPattern(1, 100)
		_, err := m.WriteAt(c.unreadable(50), 0)
		c.errno("write", err)
		c.must("reply", m.Reply(0, []byte(text)))
		equal(c, "reply", string(c.replied(answer).Data[:len(text)]), text)
	},
}
