//go:build linux && cgo

package qnxhost_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// What a pair says to each other: as testdata/pair.h.
const (
	pairWho = 0x200 + iota
	pairPieces
	pairOrder
	pairHold
	pairLetGo
	pairHeld
	pairDie

	pairStatus = 77
)

// Two processes use what there is of messages: who is there, pieces, priorities, timeouts,
// connections that are closed while a call waits, private channels, a server that ends.
// Either is in C or C++, for 7.1 or 8.0, or in Go.
func TestCPairs(t *testing.T) {
	t.Parallel()
	for dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			t.Run("alone", func(t *testing.T) {
				t.Parallel()
				s := start(t, "c-pair_server-"+dialect)
				start(t, "c-pair_client-"+dialect, strings.Fields(s.line(t))...).succeeds(t)
				s.succeeds(t)
			})
			t.Run("Go server", func(t *testing.T) {
				t.Parallel()
				var s pairServer
				c := start(t, "c-pair_client-"+dialect, s.open(t)...)
				s.serve(t)
				c.succeeds(t)
			})
			t.Run("Go client", func(t *testing.T) {
				t.Parallel()
				s := start(t, "c-pair_server-"+dialect)
				pairClient(t, s.line(t))
				s.succeeds(t)
			})
		})
	}
}

// A pairServer is testdata/pair_server.c in Go.
type pairServer struct {
	main, aside, private *qnxmsg.Channel

	held map[int64]*qnxmsg.Message
}

func (s *pairServer) open(t *testing.T) (args []string) {
	args = []string{fmt.Sprint(os.Getpid())}
	for _, ch := range []struct {
		to    **qnxmsg.Channel
		flags qnxmsg.ChannelFlags
	}{
		{&s.main, qnxmsg.ChannelUnblock | qnxmsg.ChannelDisconnect},
		{&s.aside, 0},
		{&s.private, qnxmsg.ChannelPrivate},
	} {
		var err error
		*ch.to, err = qnxmsg.NewChannel(ch.flags)
		require.NoError(t, err)
		t.Cleanup(func() { (*ch.to).Close() })
		args = append(args, fmt.Sprint((*ch.to).ID()))
	}
	return args
}

func (s *pairServer) serve(t *testing.T) {
	s.held = make(map[int64]*qnxmsg.Message)
	for {
		m, err := s.main.ReceiveTimeout(make([]byte, 8), patience)
		require.NoError(t, err)
		if m.IsPulse() {
			s.pulse(t, m.Pulse)
			continue
		}
		n := int(binary.NativeEndian.Uint32(m.Data[4:]))
		switch what := binary.NativeEndian.Uint16(m.Data); what {
		case pairWho:
			client, err := s.main.ClientInfo(m.Info.SCOID)
			require.NoError(t, err)
			reply, err := binary.Append(nil, binary.NativeEndian, []int32{int32(os.Getpid()), int32(m.Info.PID), int32(m.Info.TID),
				int32(m.Info.COID), int32(m.Info.SCOID), int32(m.Info.Priority), int32(client.PID), int32(client.EffectiveUID)})
			require.NoError(t, err)
			require.NoError(t, m.Reply(0, reply))
		case pairPieces:
			s.pieces(t, &m, n)
		case pairOrder:
			codes := make([]byte, n)
			for i := range codes {
				p, err := s.aside.ReceiveTimeout(nil, patience)
				require.NoError(t, err)
				codes[i] = byte(p.Pulse.Code)
			}
			require.NoError(t, m.Reply(0, codes))
		case pairHold, pairLetGo:
			s.held[m.ID()] = &m
		case pairHeld:
			require.NoError(t, m.Reply(len(s.held), nil))
		case pairDie:
			require.NoError(t, s.main.Close())
			require.NoError(t, s.aside.Close())
			return
		default:
			require.NoError(t, m.ReplyError(syscall.ENOSYS))
		}
	}
}

func (s *pairServer) pulse(t *testing.T, p qnxmsg.Pulse) {
	switch p.Code {
	case qnxmsg.PulseUnblock:
		m := s.held[p.Value]
		require.NotNil(t, m)
		delete(s.held, p.Value)
		if binary.NativeEndian.Uint16(m.Data) == pairLetGo {
			require.NoError(t, m.Unblock())
		} else {
			require.NoError(t, m.Reply(pairStatus, nil))
		}
	case qnxmsg.PulseDisconnect:
		require.NoError(t, s.main.DetachClient(p.SCOID))
	}
}

func (s *pairServer) pieces(t *testing.T, m *qnxmsg.Message, n int) {
	text := make([]byte, n)
	for _, half := range [][2]int{{n / 2, n}, {0, n / 2}} {
		part := text[half[0]:half[1]]
		_, err := m.ReadAt(part, 8+int64(half[0]))
		require.NoError(t, err)
		copy(part, otherCase(part))
		_, err = m.WriteAt(part, int64(half[0]))
		require.NoError(t, err)
	}
	require.NoError(t, m.Reply(n, nil))
}

func otherCase(text []byte) []byte {
	other := make([]byte, len(text))
	for i, c := range text {
		other[i] = c ^ ('a' ^ 'A')
	}
	return other
}

// pairClient is testdata/pair_client.c in Go.
func pairClient(t *testing.T, line string) {
	var pid, chid, asideID, private int
	_, err := fmt.Sscan(line, &pid, &chid, &asideID, &private)
	require.NoError(t, err)
	connect := func(chid int) *qnxmsg.Connection {
		c, err := qnxmsg.Connect(pid, chid)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	conn, aside := connect(chid), connect(asideID)
	_, err = qnxmsg.Connect(pid, private)
	require.ErrorIs(t, err, syscall.EPERM)
	ask := func(c *qnxmsg.Connection, what uint16, n uint32, timeout time.Duration, reply []byte) (int, error) {
		return c.SendTimeout(pairAsk(what, n), reply, timeout)
	}

	who := make([]byte, 32)
	_, err = ask(conn, pairWho, 0, patience, who)
	require.NoError(t, err)
	server, err := conn.ServerInfo()
	require.NoError(t, err)
	require.Equal(t, qnxmsg.ServerInfo{PID: pid, ChannelID: chid, SCOID: server.SCOID}, server)
	got := make([]int32, 8)
	_, err = binary.Decode(who, binary.NativeEndian, got)
	require.NoError(t, err)
	require.Equal(t, []int32{int32(pid), int32(os.Getpid()), got[2], int32(conn.ID()), int32(server.SCOID), 10, int32(os.Getpid()), int32(os.Geteuid())}, got)
	require.NotZero(t, got[2])

	text := []byte(strings.Repeat("abcdefghijklmnopqrstuvwxy", 4000))
	reply := make([]byte, len(text))
	status, err := conn.SendvTimeout([][]byte{pairAsk(pairPieces, uint32(len(text))), text[:10], nil, text[10:]}, [][]byte{reply[:70000], reply[70000:]}, patience)
	require.NoError(t, err)
	require.Equal(t, len(text), status)
	require.Equal(t, otherCase(text), reply)

	for code, priority := range []int{10, 20, 5, -1, 1} {
		require.NoError(t, aside.SendPulse(priority, code, 0))
	}
	codes := make([]byte, 5)
	_, err = ask(conn, pairOrder, 5, patience, codes)
	require.NoError(t, err)
	require.Equal(t, []byte{1, 0, 3, 2, 4}, codes)

	status, err = ask(conn, pairHold, 0, 500*time.Millisecond, nil)
	require.NoError(t, err)
	require.Equal(t, pairStatus, status)
	_, err = ask(conn, pairLetGo, 0, 500*time.Millisecond, nil)
	require.ErrorIs(t, err, syscall.ETIMEDOUT)
	_, err = ask(aside, pairHold, 0, 20*time.Millisecond, nil)
	require.ErrorIs(t, err, syscall.ETIMEDOUT)

	untilHeld := func() {
		for {
			n, err := ask(conn, pairHeld, 0, patience, nil)
			require.NoError(t, err)
			if n > 0 {
				return
			}
		}
	}
	held := func(c *qnxmsg.Connection) <-chan error {
		ended := make(chan error, 1)
		go func() {
			status, err := ask(c, pairHold, 0, patience, nil)
			if err == nil && status != pairStatus {
				err = fmt.Errorf("status %d", status)
			}
			ended <- err
		}()
		return ended
	}
	second := connect(chid)
	ended := held(second)
	untilHeld()
	require.NoError(t, second.Close())
	require.NoError(t, <-ended)

	told, err := qnxmsg.NewChannel(qnxmsg.ChannelConnectionDeath)
	require.NoError(t, err)
	defer told.Close()
	ended = held(conn)
	untilHeld()
	_, err = ask(conn, pairDie, 0, patience, nil)
	require.ErrorIs(t, err, syscall.ESRCH)
	require.ErrorIs(t, <-ended, syscall.ESRCH)
	of := map[int64]bool{int64(conn.ID()): true, int64(aside.ID()): true}
	for len(of) > 0 {
		m, err := told.ReceiveTimeout(nil, patience)
		require.NoError(t, err)
		if m.Pulse.Code == qnxmsg.PulseConnectionDeath { // of other tests in this process, too
			delete(of, m.Pulse.Value)
		}
	}
}

func pairAsk(what uint16, n uint32) []byte {
	return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(nil, what), 0), n)
}
