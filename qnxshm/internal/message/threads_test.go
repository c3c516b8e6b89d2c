//go:build linux

package message_test

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
)

// A thread is one of this process that lives until the test ends.
func liveThread(t *testing.T) (tid int) {
	t.Helper()
	tids, over := make(chan int), make(chan struct{})
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		tids <- unix.Gettid()
		<-over
	}()
	t.Cleanup(func() { close(over) })
	return <-tids
}

// sendOf begins to send for a thread, and returns what receives and what gives up.
func sendOf(t *testing.T, coid, chid, thread int) (rcvid int64, giveUp func()) {
	t.Helper()
	s, err := message.BeginSend(coid, thread, 0)
	require.NoError(t, err)
	_, done, err := s.Try([][]byte{[]byte("x")}, nil)
	require.NoError(t, err)
	require.False(t, done)
	r := receiveMessage(t, chid)
	require.Equal(t, thread, r.TID)
	return r.RcvID, func() {
		s.GiveUp(nil, syscall.ETIMEDOUT)
		s.End()
	}
}

// TestThreadKeepsID: an rcvid stands for a thread, so that of one that lives is never
// another's, however many have sent before.
func TestThreadKeepsID(t *testing.T) {
	const above = 1 << 22 // no thread has such a number: they have ended
	chid := newChannel(t, 0)
	coid, err := message.ConnectAttach(0, chid)
	require.NoError(t, err)
	ended := make(map[int64]bool)
	for i := range 3 * message.FirstSegment {
		rcvid, giveUp := sendOf(t, coid, chid, above+i)
		ended[rcvid] = true
		giveUp()
	}
	require.LessOrEqual(t, len(ended), message.FirstSegment, "ids of threads that have ended are used again")
	ids := make(map[int64]int)
	var threads []int
	for range message.FirstSegment + 10 {
		threads = append(threads, liveThread(t))
	}
	for round := range 2 {
		for _, thread := range threads {
			rcvid, giveUp := sendOf(t, coid, chid, thread)
			giveUp()
			if round == 0 {
				require.Zero(t, ids[rcvid], "thread %d has the id of thread %d, which lives", thread, ids[rcvid])
				ids[rcvid] = thread
			}
			require.Equal(t, thread, ids[rcvid], "the id of a thread is always the same")
		}
	}
	require.NoError(t, message.ConnectDetach(coid))
}
