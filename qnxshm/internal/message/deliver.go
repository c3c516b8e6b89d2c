//go:build linux

package message

import (
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// deliver makes a result of what has arrived. EAGAIN: its sender does not wait any more.
func (a *arrival) deliver(parts [][]byte) (Received, error) {
	switch {
	case a.unblock != nil && !a.unblock.waits(a.generation):
		return Received{}, syscall.EAGAIN
	case a.pulse != nil:
		return *a.pulse, nil
	case a.sent.pulse():
		return Received{Code: a.sent.code(), Value: int64(a.sent.value), SCOID: a.client.scoid}, nil
	}
	return a.client.receive(a.sent, parts)
}

// receive takes a message that is in the client's memory. EAGAIN: its thread does not
// wait any more. EFAULT: it did not go into the buffer, and its thread has been told.
func (cl *client) receive(e entry, parts [][]byte) (Received, error) {
	sv, err := cl.served(e)
	if err != nil {
		return Received{}, err
	}
	defer cl.leave()
	generation := e.which
	m, ok := sv.read(generation)
	m.priority = e.priority()
	defer m.buffer.drop()
	if !ok {
		return Received{}, syscall.EAGAIN
	}
	if m.lost {
		sv.refuse(generation, syscall.ENOMEM)
		return Received{}, syscall.EAGAIN
	}
	if !m.whole() {
		cl.expel()
		return Received{}, syscall.EAGAIN
	}
	r, ok := sv.begin(generation, &m)
	if !ok {
		return Received{}, syscall.EAGAIN
	}
	n, err := Scatter(parts, m.request())
	if err != nil {
		sv.refuse(generation, qnxerr.ESRVRFAULT)
		return Received{}, err
	}
	r.MsgLen = n
	if !sv.setLength(generation, n) {
		return Received{}, syscall.EAGAIN
	}
	return r, nil
}
