//go:build linux

package message_test

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// receiveAsC receives as the C face does: it sleeps in poll.
func receiveAsC(chid int, pulsesOnly bool) (message.Received, error) {
	rc, err := message.BeginReceive(chid, pulsesOnly)
	if err != nil {
		return message.Received{}, err
	}
	defer rc.End()
	for {
		r, err := rc.Try([][]byte{make([]byte, 8)})
		if !errors.Is(err, syscall.EAGAIN) {
			return r, err
		}
		testproc.Retry(func() error {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(rc.Descriptor()), Events: unix.POLLIN}}, -1)
			return err
		})
	}
}

// TestKindsOfReceivers has receivers of all and of pulses only on one channel, as
// goroutines and as C threads, to which two processes send messages and pulses: none is
// late, whoever takes the wake-up.
func TestKindsOfReceivers(t *testing.T) {
	rounds := 300
	if *long {
		rounds = 100_000
	}
	for _, n := range [][2]int{{1, 1}, {1, 2}, {3, 1}, {8, 8}} {
		t.Run(fmt.Sprintf("%d and %d", n[0], n[1]), func(t *testing.T) {
			chid := newChannel(t, 0)
			var wg group
			t.Cleanup(wg.Wait)
			t.Cleanup(func() { message.ChannelDestroy(chid) })
			var latest, received atomic.Int64
			serve := func(receive func() (message.Received, error)) {
				wg.Go(func() {
					for {
						r, err := receive()
						switch {
						case err != nil:
							return
						case r.RcvID != 0:
							message.MsgReply(r.RcvID, 0)
						default:
							received.Add(1)
							late := time.Now().UnixNano() - r.Value
							for old := latest.Load(); late > old && !latest.CompareAndSwap(old, late); old = latest.Load() {
							}
						}
					}
				})
			}
			for i := range n[0] {
				if i%2 == 0 {
					serve(func() (message.Received, error) { return message.MsgReceive(chid, nil, -1) })
				} else {
					serve(func() (message.Received, error) { return receiveAsC(chid, false) })
				}
			}
			for range n[1] {
				serve(func() (message.Received, error) { return receiveAsC(chid, true) })
			}
			other := testproc.Start(t, "node")
			sent := other.Begin("mix", other.Do("attach", os.Getpid(), chid), rounds)
			slowest, err := mix(attachSelf(t, chid), rounds)
			require.NoError(t, err)
			v, err := sent.Within(time.Hour)
			require.NoError(t, err)
			const most = time.Second
			require.Less(t, slowest, most, "a message of this process")
			require.Less(t, time.Duration(v.Int()), most, "a message of the other process")
			testproc.Eventually(t, testproc.Patience, func() bool { return received.Load() == int64(2*rounds) }, "pulses are lost")
			require.Less(t, time.Duration(latest.Load()), most, "a pulse")
		})
	}
}

// mix sends pulses, whose values are the time, and messages, and tells how long the
// slowest message took.
func mix(coid, n int) (slowest time.Duration, err error) {
	for i := range n {
		if err := message.MsgSendPulse(coid, -1, 1, time.Now().UnixNano()); err != nil {
			return 0, err
		}
		began := time.Now()
		if _, err := message.MsgSend(coid, nil, nil, testproc.Patience); err != nil {
			return 0, fmt.Errorf("message %d: %w", i, err)
		}
		slowest = max(slowest, time.Since(began))
		if i%16 == 0 {
			time.Sleep(100 * time.Microsecond) // so that receivers sleep
		}
	}
	return slowest, nil
}

// TestReceiverOfLargeMessage: while a receiver copies a large message, another one that
// comes later is told of the next message at once.
func TestReceiverOfLargeMessage(t *testing.T) {
	const size = 128 << 20
	chid := newChannel(t, 0)
	large, small := testproc.Start(t, "node"), testproc.Start(t, "node")
	coid := large.Do("attach", os.Getpid(), chid)
	other := small.Do("attach", os.Getpid(), chid)
	answer := func(room int) (answered, error) {
		r, err := message.MsgReceive(chid, make([]byte, room), -1)
		if err == nil {
			err = message.MsgReply(r.RcvID, 0)
		}
		return answered{r.MsgLen, time.Now()}, err
	}
	first := small.Begin("send", other, 1) // from now on a receiver looks at its memory
	_, err := answer(8)
	require.NoError(t, err)
	_, err = first.Wait()
	require.NoError(t, err)
	for range 5 { // the machine may be slow, or very fast
		slow := large.Begin("send", coid, size)
		copied, received := make(chan answered, 1), make(chan answered, 1)
		receive := func(room int, to chan<- answered) {
			a, _ := answer(room) // what it lacks is seen below
			to <- a
		}
		go receive(size+8, copied)
		require.Eventually(t, func() bool { return message.Waiting(chid) == 1 }, testproc.Patience, time.Millisecond)
		go receive(8, received)
		require.Eventually(t, func() bool { return message.Asleep(chid) == 1 }, testproc.Patience, time.Millisecond)
		quick := small.Begin("send", other, 1)
		_, err := quick.Wait()
		require.NoError(t, err)
		_, err = slow.Within(testproc.Patience)
		require.NoError(t, err)
		c, r := <-copied, <-received
		require.Equal(t, []int{size, 1}, []int{c.length, r.length})
		if r.at.Before(c.at) {
			return
		}
	}
	require.Fail(t, "the second receiver was always last")
}

// answered is a message that was received, and when it had been replied to.
type answered struct {
	length int
	at     time.Time
}
