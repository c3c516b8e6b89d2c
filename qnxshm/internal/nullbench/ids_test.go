//go:build nulllibc && qnx && linux && cgo

package nullbench_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/nullbench"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// TestChannels: what channels and names are made of, and what is left when that fails:
// nothing.
func TestChannels(t *testing.T) {
	opened := func(flags qnxmsg.ChannelFlags) func() error {
		return func() error {
			ch, err := qnxmsg.NewChannel(flags)
			if err != nil {
				return err
			}
			return ch.Close()
		}
	}
	attached := func() error {
		ch, err := qnxmsg.AttachName("name")
		if err != nil {
			return err
		}
		return ch.Close()
	}
	create, dispatch, attach := "ChannelCreate_r(0x9)", "dispatch_create_channel(1, 0)", "name_attach(dpp, name, 0)"
	whole := []string{create, dispatch, attach, "name_detach(attach, 0x1)", "dispatch_destroy(dpp)"}
	both := answers("name_detach", -int64(failure))
	both.Answers = append(both.Answers, answers("dispatch_destroy", -int64(syscall.EBADF)).Answers...)
	for _, a := range []asked{
		{name: "NewChannel", calls: []string{"ChannelCreate_r(0x1)", "ChannelDestroy_r(1)"}, do: opened(0)},
		{name: "all flags", calls: []string{"ChannelCreate_r(0x104b)", "ChannelDestroy_r(1)"},
			do: opened(qnxmsg.ChannelUnblock | qnxmsg.ChannelDisconnect | qnxmsg.ChannelConnectionDeath | qnxmsg.ChannelPrivate)},
		{name: "no channel", libc: fails("ChannelCreate_r"), err: failure, calls: []string{"ChannelCreate_r(0x1)"}, do: opened(0)},
		{name: "not to be destroyed", libc: fails("ChannelDestroy_r"), err: failure, calls: []string{"ChannelCreate_r(0x1)", "ChannelDestroy_r(1)"}, do: opened(0)},
		{name: "AttachName", calls: whole, do: attached},
		{name: "no dispatch", libc: fails("dispatch_create_channel"), err: failure, calls: []string{create, dispatch, "ChannelDestroy(1)"}, do: attached},
		{name: "no name", libc: fails("name_attach"), err: failure, calls: []string{create, dispatch, attach, "dispatch_destroy(dpp)"}, do: attached},
		{name: "not to be detached", libc: fails("name_detach"), err: failure, calls: whole, do: attached},
		{name: "no dispatch to destroy", libc: fails("dispatch_destroy"), err: failure, calls: whole, do: attached},
		{name: "neither", libc: both, err: failure, calls: whole, do: attached},
		{name: "a name with NUL", err: syscall.EINVAL, calls: []string{create, "ChannelDestroy_r(1)"}, do: func() error { return closed(qnxmsg.AttachName("\x00name")) }},
		{name: "one to open", err: syscall.EINVAL, do: func() error { return closed(qnxmsg.OpenName("\x00name")) }},
		{name: "OpenName", libc: fails("name_open"), err: failure, calls: []string{"name_open(name, 0)"}, do: func() error { return closed(qnxmsg.OpenName("name")) }},
		{name: "Connect", libc: fails("ConnectAttach_r"), err: failure, calls: []string{"ConnectAttach_r(0, 4, 1, 0x40000000, 0x1)"}, do: func() error { return closed(qnxmsg.Connect(4, 1)) }},
	} {
		a.check(t)
	}
}

// A channel that gives up a connection's id to one that leads nowhere, step by step.
const (
	connect   = "ConnectAttach_r(0, 4, 1, 0x40000000, 0x1)"
	nowhere   = "ChannelCreate_r(0x1001)"
	detach    = "ConnectDetach_r(5)"
	replace   = "ConnectAttach_r(0, 0, %d, 0x5, 0x1)"
	noChannel = "ChannelDestroy_r(%d)"
)

// TestClose: the id of a connection is given to one that leads nowhere, if that can be,
// which is detached in the end, and nothing stays of it.
func TestClose(t *testing.T) {
	attach := func(coid int64) nullbench.Libc {
		return nullbench.Libc{Answers: []nullbench.Answer{{"ChannelCreate_r", 31}, {"ConnectAttach_r", 5}, {"ConnectAttach_r", coid}}}
	}
	first := nullbench.Libc{Answers: []nullbench.Answer{{"ChannelCreate_r", 0}, {"ConnectAttach_r", 5}}}
	lost := attach(5)
	lost.Answers = append(lost.Answers, fails("ConnectDetach_r").Answers...)
	calls := func(chid int, more ...string) []string {
		return append([]string{connect, nowhere, detach, fmt.Sprintf(replace, chid)}, append(more, fmt.Sprintf(noChannel, chid))...)
	}
	// A side channel gets the lowest free id, whatever is asked for.
	lower := attach(3)
	lower.Answers = append(lower.Answers, answers("ConnectAttach_r", 4, 5).Answers...)
	between := attach(3)
	between.Answers = append(between.Answers, answers("ConnectAttach_r", 6).Answers...)
	full := attach(3)
	full.Answers = append(full.Answers, answers("ConnectAttach_r", -int64(syscall.EMFILE)).Answers...)
	again := fmt.Sprintf(replace, 31)
	for _, a := range []asked{
		{name: "lower ids are free", libc: lower, calls: append(calls(31, again, again, "ConnectDetach_r(4)", "ConnectDetach_r(3)"), detach)},
		{name: "lower ids are free, and somebody was faster", libc: between, calls: calls(31, again, "ConnectDetach_r(6)", "ConnectDetach_r(3)")},
		{name: "lower ids are free, and then none", libc: full, calls: calls(31, again, "ConnectDetach_r(3)")},
		{name: "in order", libc: attach(5), calls: append(calls(31), detach)},
		{name: "with the first channel", libc: first, calls: append(calls(0), detach)},
		{name: "somebody was faster", libc: attach(9), calls: calls(31, "ConnectDetach_r(9)")},
		{name: "no connection left", libc: attach(-int64(syscall.EMFILE)), calls: calls(31)},
		{name: "no channel left", libc: fails("ChannelCreate_r"), calls: []string{connect, nowhere, detach}},
		{name: "nothing to detach", libc: lost, err: failure, calls: []string{connect, nowhere, detach, fmt.Sprintf(noChannel, 31)}},
	} {
		a.do = func() error { return closed(qnxmsg.Connect(4, 1)) }
		a.check(t)
	}
}

// TestCloseBelowMany: there is an end to looking for the id.
func TestCloseBelowMany(t *testing.T) {
	const most = 64
	l := nullbench.Libc{Answers: []nullbench.Answer{{"ChannelCreate_r", 31}, {"ConnectAttach_r", 1000}}}
	want := []string{connect, nowhere, "ConnectDetach_r(1000)"}
	for id := range most {
		l.Answers = append(l.Answers, nullbench.Answer{Function: "ConnectAttach_r", Result: int64(id)})
		want = append(want, "ConnectAttach_r(0, 0, 31, 0x3e8, 0x1)")
	}
	for id := most - 1; id >= 0; id-- {
		want = append(want, fmt.Sprintf("ConnectDetach_r(%d)", id))
	}
	asked{name: "Close", libc: l, calls: append(want, "ChannelDestroy_r(31)"), do: func() error { return closed(qnxmsg.Connect(4, 1)) }}.check(t)
}

// TestDeathsThatAreNoNews: of a connection that led nowhere a channel gets a pulse when
// that is gone, which Receive keeps to itself, and goes on waiting for the rest of its
// time.
func TestDeathsThatAreNoNews(t *testing.T) {
	death, other := nullbench.Pulse{Code: qnxmsg.PulseConnectionDeath, Value: 5}, nullbench.Pulse{Code: 5, Value: 5}
	receive := func(buf []byte) string {
		return fmt.Sprintf("MsgReceive_r(1, %p, %d)", unsafe.SliceData(buf), len(buf))
	}
	const arm = "TimerTimeout_r(monotonic, 0x20, NULL, %s, NULL)"
	buf := huge(t)
	for _, c := range []struct {
		name    string
		closed  int            // connections that were, and whose id was kept
		lost    int            // and whose id was not
		libc    nullbench.Libc // of Receive
		timeout time.Duration
		code    int   // of the pulse that is received
		err     error // if none is
		calls   []string
	}{
		{name: "no timeout", closed: 1, libc: nullbench.Libc{Pulses: []nullbench.Pulse{death, other}}, timeout: -1, code: 5, calls: []string{receive(buf), receive(buf)}},
		{name: "a poll", closed: 1, libc: nullbench.Libc{Pulses: []nullbench.Pulse{death, other}}, code: 5,
			calls: []string{fmt.Sprintf(arm, "NULL"), receive(buf), fmt.Sprintf(arm, "NULL"), receive(buf)}},
		{name: "a timeout", closed: 1, libc: nullbench.Libc{Pulses: []nullbench.Pulse{death, other}, Time: uint64(time.Hour)}, timeout: time.Hour, code: 5,
			calls: []string{fmt.Sprintf(arm, "3600000000000"), receive(buf), fmt.Sprintf(arm, "the rest"), receive(buf)}},
		{name: "two with the same id", closed: 2, libc: nullbench.Libc{Pulses: []nullbench.Pulse{death, death, death}}, timeout: -1, code: qnxmsg.PulseConnectionDeath,
			calls: []string{receive(buf), receive(buf), receive(buf)}},
		{name: "another pulse comes first", closed: 1, libc: nullbench.Libc{Pulses: []nullbench.Pulse{other}}, timeout: -1, code: 5, calls: []string{receive(buf)}},
		{name: "the id was not kept", lost: 1, libc: nullbench.Libc{Pulses: []nullbench.Pulse{death}}, timeout: -1, code: qnxmsg.PulseConnectionDeath, calls: []string{receive(buf)}},
		{name: "the second wait fails", closed: 1, libc: func() nullbench.Libc {
			l := answers("MsgReceive_r", 0, -int64(failure))
			l.Pulses = []nullbench.Pulse{death}
			return l
		}(), timeout: -1, err: failure, calls: []string{receive(buf), receive(buf)}},
		{name: "the channel is gone", closed: 1, libc: fails("MsgReceive_r"), timeout: -1, err: failure, calls: []string{receive(buf)}},
	} {
		ch := channel(t, qnxmsg.ChannelConnectionDeath)
		for i := range c.closed + c.lost {
			l := nullbench.Libc{}
			if i >= c.closed {
				l.Answers = []nullbench.Answer{{"ConnectAttach_r", 5}, {"ConnectAttach_r", 9}}
			}
			l.Calls(func() {
				if err := closed(qnxmsg.Connect(4, 1)); err != nil {
					t.Error(err)
				}
			})
		}
		var m qnxmsg.Message
		asked{name: c.name, libc: c.libc, err: c.err, calls: c.calls, do: func() (err error) {
			m, err = ch.ReceiveTimeout(buf, c.timeout)
			return err
		}}.check(t)
		if c.err == nil && m.Pulse.Code != c.code {
			t.Errorf("%s: %+v", c.name, m.Pulse)
		}
		ch.Close()
	}
}

// TestNoPulse: a message is none, whatever its bytes are.
func TestNoPulse(t *testing.T) {
	ch := channel(t, qnxmsg.ChannelConnectionDeath)
	if err := closed(qnxmsg.Connect(4, 1)); err != nil {
		t.Error(err)
	}
	for _, buf := range [][]byte{make([]byte, 64), make([]byte, 23)} {
		l := answers("MsgReceive_r", message())
		l.Pulses = []nullbench.Pulse{{Code: qnxmsg.PulseConnectionDeath, Value: 5}}
		l.Calls(func() {
			if m, err := ch.Receive(buf); err != nil || m.IsPulse() {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

// TestDeathsOfOthers: a channel that was not asked to tell of deaths, or that is closed,
// keeps nothing to itself.
func TestDeathsOfOthers(t *testing.T) {
	ch := channel(t, qnxmsg.ChannelConnectionDeath)
	if err := closed(qnxmsg.Connect(4, 1)); err != nil {
		t.Error(err)
	}
	ch.Close()
	next := channel(t, qnxmsg.ChannelConnectionDeath)
	l := nullbench.Libc{Pulses: []nullbench.Pulse{{Code: qnxmsg.PulseConnectionDeath, Value: 5}}}
	l.Calls(func() {
		if m, err := next.Receive(nil); err != nil || m.Pulse.Value != 5 {
			t.Errorf("%+v, %v", m, err)
		}
	})
}
