//go:build linux

package message

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// An event is delivered by the client's own process, which the server asks to: that
// knows its connections, and what it has registered.

// lastSignal is Linux's SIGRTMAX.
const lastSignal = 64

// events are those that this process has registered.
var events = eventTable{byHandle: make(map[uint32]*registration)}

type eventTable struct {
	mu       sync.Mutex
	byHandle map[uint32]*registration
	last     uint32
	lasting  int // how many there were when those that had ended were dropped
}

// A registration allows servers to deliver an event.
type registration struct {
	event  Event
	any    bool
	server *connection // to the only one that may, unless any
	target *connection // of a pulse: its number may be another one's later
}

// stale reports whether the connection has gone for which the event was registered.
func (r *registration) stale() bool { return !r.any && r.server.gate.Closed() }

// add enters a registration.
func (t *eventTable) add(r *registration) (handle uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byHandle) >= 2*t.lasting {
		t.dropEnded()
	}
	for t.last++; t.last == 0 || t.byHandle[t.last] != nil; t.last++ {
	}
	t.byHandle[t.last] = r
	return t.last
}

// dropEnded drops the registrations that have ended. It looks at all, so it comes when
// there are twice as many as last time. The lock is held.
func (t *eventTable) dropEnded() {
	for h, r := range t.byHandle {
		if r.stale() || r.target != nil && r.target.gate.Closed() {
			delete(t.byHandle, h)
			r.forget()
		}
	}
	t.lasting = len(t.byHandle)
}

// get returns a registration.
func (t *eventTable) get(handle uint32) *registration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byHandle[handle]
}

// remove reports whether there was what it removes.
func (t *eventTable) remove(handle uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byHandle[handle]
	if r == nil {
		return false
	}
	delete(t.byHandle, handle)
	r.forget()
	return !r.stale()
}

func (e *Event) kind() int { return e.Notify & nto.EventKind }

func (e *Event) registered() bool { return e.Notify&nto.EventHandle != 0 }

// A Raiser makes a signal, or a thread, of the program's.
type Raiser struct {
	Raise  func(e Event, tid int, check bool) error // check: whether it could
	Forget func(e Event)                            // which was registered, not any more
}

// raiser is handed down by the C face: programs in Go get pulses only.
var raiser atomic.Pointer[Raiser]

// RaiseWith lets r raise events that are no pulses.
func RaiseWith(r Raiser) { raiser.Store(&r) }

func (r *registration) forget() {
	if raiser := raiser.Load(); raiser != nil {
		raiser.Forget(r.event)
	}
}

func init() { procnto.TakeRequests(eventAsked) }

// ServeEvents lets servers reach this process, also when it has no channel.
func ServeEvents() error {
	_, err := procnto.Serve()
	return noDescriptors(err)
}

// MsgRegisterEvent is MsgRegisterEvent: it makes a handle of the event.
func MsgRegisterEvent(e *Event, coid int) error {
	if e.registered() {
		return syscall.EINVAL
	}
	r := &registration{event: *e, any: coid == -1, server: new(connection), target: e.target()}
	if coid != -1 && coid != nto.SystemManager {
		if r.server = connections.get(coid); r.server == nil || r.server.gate.Closed() {
			return syscall.EBADF
		}
	}
	if err := e.raise(r.target, 0, true); err != nil {
		return err
	}
	if err := ServeEvents(); err != nil {
		return err
	}
	e.Which = int(events.add(r))
	e.Notify |= nto.EventHandle
	return nil
}

// MsgUnregisterEvent is MsgUnregisterEvent.
func MsgUnregisterEvent(e Event) error {
	if !e.registered() || !events.remove(uint32(e.Which)) {
		return syscall.ESRCH
	}
	return nil
}

// MsgDeliverEvent is MsgDeliverEvent; rcvid 0 is the calling process.
func MsgDeliverEvent(rcvid int64, e Event) error { return tellEvent(rcvid, e, false) }

// MsgVerifyEvent is MsgVerifyEvent.
func MsgVerifyEvent(rcvid int64, e Event) error { return tellEvent(rcvid, e, true) }

var lastEvent atomic.Uint64

func tellEvent(rcvid int64, e Event, check bool) error {
	if rcvid == 0 {
		return e.deliver(nil, 0, check)
	}
	sv := rcvids.get(rcvid)
	if sv == nil {
		return syscall.ESRCH
	}
	cl := sv.client
	cl.channel.mu.Lock()
	info, ended := sv.info, cl.ended
	cl.channel.mu.Unlock()
	if ended {
		return syscall.ESRCH
	}
	f := &wire.Event{
		ID: lastEvent.Add(1), SCOID: int32(cl.scoid), TID: int32(info.TID), Check: check,
		Notify: int32(e.Notify), Which: int32(e.Which), Value: e.Value, Code: int32(e.Code), Priority: int32(e.Priority),
	}
	if cl.local != nil {
		_, err, _ := eventAsked(cl.peer, f)
		return err
	}
	return noDescriptors(procnto.Tell(cl.peer.PID, f.ID, f))
}

// eventAsked does what a server asks for with an Event.
func eventAsked(from wire.Peer, frame wire.Frame) (id uint64, err error, known bool) {
	f, ok := frame.(*wire.Event)
	if !ok {
		return 0, nil, false
	}
	by := connections.enterTo(from.PID, int(f.SCOID))
	for _, c := range by {
		defer c.gate.Leave() // until then its memory is there
	}
	if len(by) == 0 || by[0].at.dead() {
		return f.ID, syscall.EBADF, true
	}
	e := Event{Notify: int(f.Notify), Which: int(f.Which), Value: f.Value, Code: int(f.Code), Priority: int(f.Priority)}
	return f.ID, e.deliver(by, int(f.TID), f.Check), true
}

// deliver does what an event asks for, or checks whether that is possible. by are the
// client's connections to the channel of the server that delivers it: an rcvid does not
// tell by which of them the client has sent the event. nil is this process itself.
func (e Event) deliver(by []*connection, tid int, check bool) error {
	if e.registered() {
		r := events.get(uint32(e.Which))
		if err := r.permits(by); err != nil {
			return err
		}
		own := r.event
		if own.Notify&nto.EventUpdateable != 0 {
			own.Value = e.Value
		}
		return own.raise(r.target, tid, check)
	}
	switch {
	case !anyWithout(by, nto.ConnectionNoEvent):
		return syscall.EACCES
	case !anyWithout(by, nto.ConnectionNoEvent|nto.ConnectionRegEvents):
		if e.raise(e.target(), tid, true) == syscall.EINVAL {
			return syscall.EINVAL // it is none
		}
		return syscall.EACCES
	case e.kind() == nto.EventThread: // at an address that another process has chosen
		return syscall.EINVAL
	}
	return e.raise(e.target(), tid, check)
}

// permits returns nil if the event may be delivered by one of these connections, as in
// deliver.
func (r *registration) permits(by []*connection) error {
	switch {
	case r == nil:
		return syscall.EACCES
	case by != nil && !r.any && r.server.at == by[0].at:
		if by = slices.DeleteFunc(slices.Clone(by), func(c *connection) bool { return c != r.server }); len(by) == 0 {
			return syscall.EBADF // the client has closed it
		}
	case r.stale() || by != nil && !r.any:
		return syscall.EACCES
	}
	if !anyWithout(by, nto.ConnectionNoEvent) {
		return syscall.EACCES
	}
	return nil
}

// anyWithout reports whether a connection has none of the flags. This process itself has
// none.
func anyWithout(by []*connection, flags uint32) bool {
	return by == nil || slices.ContainsFunc(by, func(c *connection) bool { return c.flags.Load()&flags == 0 })
}

// target is the connection by which a pulse goes, nil if there is none.
func (e *Event) target() *connection {
	if e.kind() != nto.EventPulse {
		return nil
	}
	return connections.get(e.Which)
}

// raise does what an event of this process's own asks for.
func (e *Event) raise(target *connection, tid int, check bool) error {
	switch e.kind() {
	case nto.EventNone:
		return nil
	case nto.EventPulse:
		return e.pulse(target, check)
	case nto.EventSignal, nto.EventSignalCode, nto.EventSignalThread:
		if e.Which < 1 || e.Which > lastSignal {
			return syscall.EINVAL
		}
	case nto.EventThread:
	default:
		return syscall.EINVAL
	}
	if raiser := raiser.Load(); raiser != nil {
		return raiser.Raise(*e, tid, check)
	}
	return syscall.EINVAL
}

func (e *Event) pulse(target *connection, check bool) error {
	if e.Priority < -1 || e.Priority > 255 || e.Code != int(int8(e.Code)) {
		return syscall.EINVAL
	}
	if target == nil || !target.gate.Enter() {
		return syscall.ESRCH
	}
	defer target.gate.Leave() // until then nobody else gets its number
	if target.at.dead() {
		return syscall.EBADF
	}
	if check {
		return nil
	}
	return MsgSendPulse(target.coid, e.Priority, e.Code, e.Value)
}
