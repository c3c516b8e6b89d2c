package shmtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// typed is a message of a type.
func typed(what uint16) string { return string(binary.NativeEndian.AppendUint16(nil, what)) }

// serving runs Serve on a new channel until the case ends.
func (c *trial) serving(s *qnxmsg.Server) (ch *qnxmsg.Channel, name string, stop func() error) {
	ch, name = c.server()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ch.Serve(ctx, s) }()
	stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	c.cleanup(func() { stop() })
	return ch, name, stop
}

var serveCases = map[string]caseFunc{
	"serve/answers": func(c *trial) {
		_, name, _ := c.serving(&qnxmsg.Server{Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
			0x200: func(_ *qnxmsg.Client, m *qnxmsg.Message) error { return m.Reply(3, []byte(text)) },
			0x201: func(*qnxmsg.Client, *qnxmsg.Message) error { return fmt.Errorf("refused: %w", syscall.EACCES) },
		}})
		w := c.worker()
		conn := w.openName(name)
		r := c.replied(w.send(conn, typed(0x200), patience))
		equal(c, "status", r.N, 3)
		equal(c, "reply", string(r.Data[:len(text)]), text)
		_, err := w.send(conn, typed(0x201), patience).wait()
		c.fails("worker: send", err, "EACCES")
	},
	"serve/refuses": func(c *trial) {
		_, name, _ := c.serving(new(qnxmsg.Server))
		w := c.worker()
		conn := w.openName(name)
		for msg, want := range map[string]string{"": "EBADMSG", "x": "EBADMSG", typed(0x200): "ENOSYS", typed(0x101): "ENOSYS"} {
			_, err := w.send(conn, msg, patience).wait()
			c.fails("worker: send", err, want)
		}
		c.replied(w.send(conn, typed(0x100), patience))
	},
	"serve/clients": func(c *trial) {
		gone := make(chan any, 10)
		ch, name, stop := c.serving(&qnxmsg.Server{
			Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
				0x200: func(cl *qnxmsg.Client, m *qnxmsg.Message) error {
					n, _ := cl.State.(int)
					cl.State = n + 1
					return m.Reply(cl.SCOID, nil)
				},
			},
			Gone: func(cl *qnxmsg.Client) { gone <- cl.State },
		})
		w := c.worker()
		conn := w.openName(name)
		scoid := 0
		for range 3 {
			scoid = c.replied(w.send(conn, typed(0x200), patience)).N
		}
		w.kill()
		equal(c, "state", <-gone, any(3))
		c.must("stop", stop())
		equal(c, "told again", len(gone), 0)
		c.fails("detach", ch.DetachClient(scoid), "EINVAL")
	},
	"serve/stops": func(c *trial) {
		began, proceed := make(chan bool), make(chan bool)
		ch, name, stop := c.serving(&qnxmsg.Server{Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
			0x200: func(_ *qnxmsg.Client, m *qnxmsg.Message) error {
				began <- true
				<-proceed
				return m.Reply(1, nil)
			},
		}})
		w := c.worker()
		conn := w.openName(name)
		answer := w.send(conn, typed(0x200), patience)
		<-began
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		close(proceed)
		c.must("stop", <-stopped)
		equal(c, "status", c.replied(answer).N, 1)
		answer = w.send(conn, text, patience) // it is received by who receives now
		m, err := ch.ReceiveTimeout(make([]byte, 64), patience)
		for err == nil && m.IsPulse() {
			m, err = ch.ReceiveTimeout(make([]byte, 64), patience)
		}
		c.must("receive", err)
		c.must("reply", m.Reply(0, nil))
		c.replied(answer)
	},
}
