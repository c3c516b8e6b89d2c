//go:build nulllibc && qnx && linux && cgo

package nullbench_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/nullbench"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// huge is memory that is longer than 32 bits can tell, and of which nobody touches much.
func huge(t *testing.T) []byte {
	t.Helper()
	const length = 1<<32 + 4096
	b, err := syscall.Mmap(-1, 0, length, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(b); err != nil {
			t.Error(err)
		}
	})
	return b
}

// message is an id of a message, which has 64 bits since 8.0.
func message() int64 {
	if nullbench.Release < 800 {
		return 1<<30 | 5
	}
	return 1<<40 | 5
}

// channel and connection are what the null libc has: the chid 1, and the coid 5.
func channel(t *testing.T, flags qnxmsg.ChannelFlags) *qnxmsg.Channel {
	t.Helper()
	ch, err := qnxmsg.NewChannel(flags)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	return ch
}

func connection(t *testing.T) *qnxmsg.Connection {
	t.Helper()
	c, err := qnxmsg.Connect(4, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// received is a message, with a buffer for it.
func received(t *testing.T) *qnxmsg.Message {
	t.Helper()
	ch := channel(t, 0)
	var m qnxmsg.Message
	var err error
	answers("MsgReceive_r", message()).Calls(func() { m, err = ch.Receive(make([]byte, 64)) })
	if err != nil || m.ID() != message() {
		t.Fatal(m, err)
	}
	return &m
}

// TestMessages: each argument comes to libc as it was given, and each failure back.
func TestMessages(t *testing.T) {
	c, ch, big, id := connection(t), channel(t, 0), huge(t), fmt.Sprintf("%#x", message())
	var m *qnxmsg.Message // another one each time
	at, small := unsafe.Pointer(unsafe.SliceData(big)), big[:24]
	status := func(want int) func(int, error) error {
		return func(got int, err error) error { return is(got, want, err) }
	}
	n := func(got int, err error) error { return is(got, len(big), err) }
	arm := func(states, time string) string {
		return fmt.Sprintf("TimerTimeout_r(monotonic, %s, NULL, %s, NULL)", states, time)
	}
	send := fmt.Sprintf("MsgSend_r(5, %p, %d, %p, %d)", at, len(big), at, len(big))
	sendv := fmt.Sprintf("MsgSendv_r(5, %p %d 24, %p 24 %d)", at, len(big), at, len(big))
	for _, a := range []asked{
		{name: "Send", libc: answers("MsgSend_r", math.MaxInt32), calls: []string{send}, do: func() error { return status(math.MaxInt32)(c.Send(big, big)) }},
		{name: "SendTimeout 0", calls: []string{arm("0x50", "NULL"), send}, do: func() error { return status(0)(c.SendTimeout(big, big, 0)) }},
		{name: "SendTimeout", calls: []string{arm("0x50", "3600000000001"), send}, do: func() error { return status(0)(c.SendTimeout(big, big, time.Hour+1)) }},
		{name: "Sendv", calls: []string{sendv}, do: func() error { return status(0)(c.Sendv([][]byte{big, small}, [][]byte{small, big})) }},
		{name: "SendvTimeout", calls: []string{arm("0x50", "1"), sendv}, do: func() error { return status(0)(c.SendvTimeout([][]byte{big, small}, [][]byte{small, big}, 1)) }},
		{name: "SendPulse", calls: []string{"MsgSendPulse_r(5, -1, 127, -2147483648)"}, do: func() error { return c.SendPulse(-1, 127, math.MinInt32) }},
		{name: "SendPulse of 64 bits", calls: []string{"MsgSendPulse_r(5, 255, 0, 2147483648)"}, do: func() error { return c.SendPulse(255, 0, 1<<31) }, since: 800, old: syscall.EINVAL},
		{name: "ServerInfo", calls: []string{"ConnectServerInfo_r(0, 5)"}, do: func() error {
			info, err := c.ServerInfo()
			return is(info, qnxmsg.ServerInfo{PID: 11, ChannelID: 12, SCOID: 13}, err)
		}},
		{name: "ClientInfo", calls: []string{"ConnectClientInfo_r(14, 8)"}, do: func() error {
			info, err := ch.ClientInfo(14)
			groups := info.Groups
			info.Groups = nil
			const want = "{11 12 21 22 23 31 32 33 []} [41 42]"
			return is(fmt.Sprint(info, groups), want, err)
		}},
		{name: "Reply", calls: []string{fmt.Sprintf("MsgReply_r(%s, 2147483647, %p, %d)", id, at, len(big))}, do: func() error { return m.Reply(math.MaxInt32, big) }},
		{name: "Replyv", calls: []string{fmt.Sprintf("MsgReplyv_r(%s, 2147483647, %p %d 24)", id, at, len(big))}, do: func() error { return m.Replyv(math.MaxInt32, [][]byte{big, small}) }},
		{name: "ReplyError", calls: []string{"MsgError_r(" + id + ", 2147483647)"}, do: func() error { return m.ReplyError(syscall.Errno(math.MaxInt32)) }},
		{name: "Restart", calls: []string{fmt.Sprintf("MsgError_r(%s, %d)", id, syscall.ERESTART)}, do: func() error { return m.Restart() }},
		{name: "ReadAt", calls: []string{fmt.Sprintf("MsgRead_r(%s, %p, %d, 1099511627776)", id, at, len(big))}, do: func() error { return n(m.ReadAt(big, 1<<40)) }},
		{name: "WriteAt", calls: []string{fmt.Sprintf("MsgWrite_r(%s, %p, %d, 1099511627776)", id, at, len(big))}, do: func() error { return n(m.WriteAt(big, 1<<40)) }},
		{name: "DetachClient", calls: []string{"ConnectDetach_r(14)"}, do: func() error {
			return ch.DetachClient(14)
		}},
	} {
		m = received(t)
		a.check(t)
		last := function(a.calls[len(a.calls)-1])
		a.name += ", which fails"
		a.libc, a.err = fails(last), failure
		m = received(t)
		a.check(t)
		if len(a.calls) > 1 { // then the timeout was not armed
			a.libc, a.calls = fails(function(a.calls[0])), a.calls[:1]
			a.check(t)
		}
	}
}

// TestStatuses: a server can answer whatever it likes.
func TestStatuses(t *testing.T) {
	c := connection(t)
	for answer, want := range map[int64]error{
		math.MaxInt32: nil, 0: nil, -1: syscall.Errno(1), -math.MaxInt32: syscall.Errno(math.MaxInt32),
		math.MinInt32: syscall.EINVAL, math.MinInt32 - 1: syscall.EINVAL, math.MinInt64: syscall.EINVAL,
	} {
		for function, do := range map[string]func() (int, error){
			"MsgSend_r":  func() (int, error) { return c.Send(nil, nil) },
			"MsgSendv_r": func() (int, error) { return c.Sendv(nil, nil) },
		} {
			answers(function, answer).Calls(func() {
				if status, err := do(); want == nil && (err != nil || int64(status) != answer) || !errors.Is(err, want) {
					t.Errorf("%s returns %d: %d, %v", function, answer, status, err)
				}
			})
		}
	}
}

// TestUnblock: MsgError with -1 is for a client that does not want to wait.
func TestUnblock(t *testing.T) {
	id := fmt.Sprintf("%#x", message())
	info, answer := "MsgInfo_r("+id+")", "MsgError_r("+id+", -1)"
	failed := fails("MsgInfo_r")
	failed.Unblock = true
	for _, a := range []asked{
		{name: "wants to go", libc: nullbench.Libc{Unblock: true}, calls: []string{info, answer}},
		{name: "waits", err: syscall.EINVAL, calls: []string{info}},
		{name: "is gone", libc: failed, err: failure, calls: []string{info}},
		{name: "is gone, and has waited", libc: fails("MsgInfo_r"), err: failure, calls: []string{info}},
	} {
		m := received(t)
		a.do = m.Unblock
		a.check(t)
	}
}

// TestReceive: what is received is what libc has told.
func TestReceive(t *testing.T) {
	ch := channel(t, 0)
	buf := make([]byte, 64)
	call := func(buf []byte, bytes int) string {
		return fmt.Sprintf("MsgReceive_r(1, %p, %d)", unsafe.SliceData(buf), bytes)
	}
	const arm = "TimerTimeout_r(monotonic, 0x20, NULL, %s, NULL)"
	for _, a := range []asked{
		{name: "Receive", calls: []string{call(buf, 64)}, do: func() error { _, err := ch.Receive(buf); return err }},
		{name: "a poll", calls: []string{fmt.Sprintf(arm, "NULL"), call(buf, 64)}, do: func() error { _, err := ch.ReceiveTimeout(buf, 0); return err }},
		{name: "a timeout", calls: []string{fmt.Sprintf(arm, "3600000000001"), call(buf, 64)}, do: func() error { _, err := ch.ReceiveTimeout(buf, time.Hour+1); return err }},
	} {
		a.check(t)
		a.libc, a.err = fails("MsgReceive_r"), failure
		a.check(t)
		if len(a.calls) > 1 {
			a.libc, a.calls = fails("TimerTimeout_r"), a.calls[:1]
			a.check(t)
		}
	}
	answers("MsgReceive_r", message()).Calls(func() {
		m, err := ch.Receive(buf)
		want := qnxmsg.Info{PID: 11, TID: 12, ChannelID: 1, SCOID: 14, COID: 15, Priority: 16, MsgLen: 40, SrcMsgLen: 1 << 33, DstMsgLen: 1 << 34}
		if err != nil || m.ID() != message() || m.Info != want || len(m.Data) != 40 {
			t.Errorf("%+v, %v", m, err)
		}
	})
	wide := int64(-1)<<63 | 1<<35 | 7 // of 7.1 the upper half means nothing
	value := wide
	if nullbench.Release < 800 {
		value = 7
	}
	for _, buf := range [][]byte{buf, buf[:23], nil} {
		l := answers("MsgReceive_r", 0)
		l.Pulses = []nullbench.Pulse{{Code: -128, Value: wide, SCOID: 9}}
		l.Calls(func() {
			m, err := ch.Receive(buf)
			if want := (qnxmsg.Pulse{Code: -128, Value: value, SCOID: 9}); err != nil || !m.IsPulse() || m.Pulse != want {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

// TestClients: a client is one that a message has told of, or the pulse of its end. No
// other number reaches ConnectDetach, which takes files and connections as well.
func TestClients(t *testing.T) {
	ch := channel(t, qnxmsg.ChannelDisconnect)
	l := answers("MsgReceive_r", 0, 0, message())
	l.Pulses = []nullbench.Pulse{{Code: 5, SCOID: 8}, {Code: qnxmsg.PulseDisconnect, SCOID: 9}}
	l.Calls(func() {
		for range 3 {
			if _, err := ch.Receive(make([]byte, 64)); err != nil {
				t.Error(err)
			}
		}
	})
	for scoid, want := range map[int]error{8: syscall.EINVAL, 9: nil, 14: nil, 15: syscall.EINVAL, 9 + 1<<32: syscall.EINVAL} {
		calls := nullbench.Libc{}.Calls(func() {
			if err := ch.DetachClient(scoid); want == nil && err != nil || !errors.Is(err, want) {
				t.Errorf("scoid %d: %v", scoid, err)
			}
		})
		var asked []string
		if want == nil {
			asked = []string{fmt.Sprintf("ConnectDetach_r(%d)", scoid)}
		}
		if !slices.Equal(calls, asked) {
			t.Errorf("scoid %d: %q", scoid, calls)
		}
	}
}

// TestServerOfAnother: ConnectServerInfo tells about the next connection where there is
// none.
func TestServerOfAnother(t *testing.T) {
	c := connection(t)
	for _, l := range []nullbench.Libc{answers("ConnectServerInfo_r", 6), answers("ConnectServerInfo_r", 4), answers("ConnectServerInfo_r", 0)} {
		asked{name: "ServerInfo", libc: l, err: syscall.EINVAL, calls: []string{"ConnectServerInfo_r(0, 5)"}, do: func() error {
			_, err := c.ServerInfo()
			return err
		}}.check(t)
	}
}

// TestEvents: what is registered, and what a server asks of it.
func TestEvents(t *testing.T) {
	ch, c, m := channel(t, 0), connection(t), received(t)
	var e qnxmsg.Event
	register := func(flags qnxmsg.EventFlags, value int64) func() error {
		return func() (err error) {
			e, err = ch.RegisterEvent(c, flags, 21, 22, value)
			return err
		}
	}
	id := fmt.Sprintf("%#x", message())
	for _, a := range []asked{
		{name: "RegisterEvent", calls: []string{"ConnectAttach_r(0, 0, 1, 0x40000000, 0x1)", "MsgRegisterEvent_r(0x5: 0x484, 5, 21, 22, -2147483648)"}, do: register(qnxmsg.EventUpdateable, math.MinInt32)},
		{name: "a value of 64 bits", calls: []string{"MsgRegisterEvent_r(0x5: 0x84, 5, 21, 22, -2147483649)"}, do: register(0, math.MinInt32-1), since: 800, old: syscall.EINVAL},
		{name: "its priority", calls: []string{"MsgRegisterEvent_r(0xffffffffffffffff: 0x84, 5, -1, 0, 2147483647)"}, do: func() error {
			_, err := ch.RegisterEvent(nil, 0, -1, 0, math.MaxInt32)
			return err
		}},
		{name: "no more room", libc: fails("MsgRegisterEvent_r"), err: failure, calls: []string{"MsgRegisterEvent_r(0x5: 0x84, 5, 21, 22, 3)"}, do: register(0, 3)},
		{name: "RegisterEvent again", calls: []string{"MsgRegisterEvent_r(0x5: 0x84, 5, 21, 22, 3)"}, do: register(0, 3)},
		{name: "DeliverEvent", calls: []string{"MsgDeliverEvent_r(" + id + ": 0x84, 77, 21, 22, 3)"}, do: func() error { return m.DeliverEvent(e) }},
		{name: "VerifyEvent", calls: []string{"MsgVerifyEvent_r(" + id + ": 0x84, 77, 21, 22, 3)"}, do: func() error { return m.VerifyEvent(e) }},
		{name: "Unregister", calls: []string{"MsgUnregisterEvent_r(0: 0x84, 77, 21, 22, 3)"}, do: func() error { return e.Unregister() }},
	} {
		a.check(t)
	}
	for name, do := range map[string]func() error{
		"MsgDeliverEvent_r":    func() error { return m.DeliverEvent(e) },
		"MsgVerifyEvent_r":     func() error { return m.VerifyEvent(e) },
		"MsgUnregisterEvent_r": func() error { return e.Unregister() },
	} {
		fails(name).Calls(func() {
			if err := do(); !errors.Is(err, failure) {
				t.Errorf("%s fails: %v", name, err)
			}
		})
	}
}

// TestEventsHaveNothingElse: an event is sent to other processes, and compared, so that
// what of it is no field must not be what happened to be in memory.
func TestEventsHaveNothingElse(t *testing.T) {
	ch, c := channel(t, 0), connection(t)
	for range 10 {
		nullbench.Libc{}.Calls(func() {
			nullbench.UseStack()
			e, err := ch.RegisterEvent(c, 0, 21, 22, 3)
			b, _ := e.AppendBinary(nil)
			if err != nil || len(b) != 32 {
				t.Fatal(b, err)
			}
			for _, at := range []int{4, 5, 6, 7, 12, 13, 14, 15, 28, 29, 30, 31} {
				if b[at] != 0 {
					t.Fatalf("%x at %d of %x", b[at], at, b)
				}
			}
		})
	}
}
