//go:build linux

package message_test

import (
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// lasts is how long a race is tried: a fault needs from some rounds to some ten
// thousands.
func lasts() time.Duration {
	if *long {
		return 40 * time.Second
	}
	return 300 * time.Millisecond
}

// spinFor lets some time pass without a sleep.
func spinFor(most time.Duration) {
	began, d := time.Now(), rand.N(most)
	for time.Since(began) < d {
	}
}

// sendAsC sends as the C face does: it sleeps in poll.
func sendAsC(coid, thread int, msg []byte, timeout time.Duration) error {
	s, err := message.BeginSend(coid, thread, 0)
	if err != nil {
		return err
	}
	defer s.End()
	deadline := time.Now().Add(timeout)
	for {
		if _, done, err := s.Try([][]byte{msg}, nil); done {
			return err
		}
		socket, own, nap := s.Descriptors()
		wanted := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLIN}, {Fd: int32(own), Events: unix.POLLIN}}
		left := time.Hour
		if timeout >= 0 {
			left = max(0, time.Until(deadline))
		}
		if nap > 0 {
			left = min(left, time.Duration(nap)*time.Millisecond)
		}
		ts := unix.NsecToTimespec(int64(left))
		n, _ := unix.Ppoll(wanted, &ts, nil)
		if n == 0 && timeout >= 0 && !time.Now().Before(deadline) && !s.Stays(syscall.ETIMEDOUT) {
			_, err := s.GiveUp(nil, syscall.ETIMEDOUT)
			return err
		}
	}
}

// ends requires that something comes soon.
func ends[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(testproc.Patience):
		t.Fatal(what, " does not end")
	}
	return v
}

// TestDestroyWhileRoomIsWaitedFor: a C thread that waits for room is told when its own
// process destroys the channel.
func TestDestroyWhileRoomIsWaitedFor(t *testing.T) {
	chid := newChannel(t, 0)
	coid := attachSelf(t, chid)
	for message.MsgSendPulse(coid, -1, 1, 0) == nil {
	}
	sent := make(chan error, 1)
	go func() { sent <- sendAsC(coid, 7, []byte("x"), -1) }()
	time.Sleep(50 * time.Millisecond) // until it waits; if it does not yet, it is told as well
	require.NoError(t, message.ChannelDestroy(chid))
	testproc.WantErrno(t, syscall.EBADF, ends(t, "the send", sent))
}

// TestDetachMeetsSend: whoever sends in the moment in which the server lets go of the
// client comes back.
func TestDetachMeetsSend(t *testing.T) {
	for began := time.Now(); time.Since(began) < lasts(); {
		chid := newChannel(t, 0)
		coid := attachSelf(t, chid)
		const senders = 16
		back := make(chan error, senders)
		for range senders {
			go func() {
				_, err := message.MsgSend(coid, []byte("x"), nil, -1)
				back <- err
			}()
		}
		r, err := message.MsgReceive(chid, nil, testproc.Patience)
		require.NoError(t, err)
		received := make(chan struct{})
		go func() {
			defer close(received)
			for err := error(nil); err == nil; {
				_, err = message.MsgReceive(chid, nil, -1)
			}
		}()
		spinFor(15 * time.Microsecond)
		require.NoError(t, message.DetachClient(chid, r.SCOID))
		for range senders {
			ends(t, "a send", back)
		}
		require.NoError(t, message.ChannelDestroy(chid))
		ends(t, "a receiver", received)
		message.ConnectDetach(coid)
	}
}

// TestFreeReceiver: while one receiver is busy another one takes what comes.
func TestFreeReceiver(t *testing.T) {
	chid := newChannel(t, 0)
	coid := attachSelf(t, chid)
	var wg group
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { message.ChannelDestroy(chid) })
	asks, got := make(chan struct{}, 1), make(chan struct{}, 1)
	var late atomic.Bool
	for range 2 {
		wg.Go(func() {
			buf := make([]byte, 1)
			for {
				r, err := message.MsgReceive(chid, buf, -1)
				if err != nil {
					return
				}
				if buf[0] == 1 {
					got <- struct{}{}
				} else {
					asks <- struct{}{}
					select {
					case <-got:
					case <-time.After(testproc.Patience):
						late.Store(true)
					}
				}
				message.MsgReply(r.RcvID, 0)
			}
		})
	}
	wg.Go(func() {
		for range asks {
			spinFor(30 * time.Microsecond)
			message.MsgSend(coid, []byte{1}, nil, -1)
		}
	})
	for began := time.Now(); time.Since(began) < lasts() && !late.Load(); {
		spinFor(8 * time.Microsecond)
		_, err := message.MsgSend(coid, []byte{0}, nil, 2*testproc.Patience)
		require.NoError(t, err)
	}
	close(asks)
	require.False(t, late.Load(), "nobody has received the second message")
}

// TestDestroyMeetsReceivers: ChannelDestroy ends the wait of all receivers, whoever has
// just been woken.
func TestDestroyMeetsReceivers(t *testing.T) {
	for began := time.Now(); time.Since(began) < lasts(); {
		chid := newChannel(t, 0)
		coid := attachSelf(t, chid)
		var wg group
		for range 3 {
			wg.Go(func() {
				for err := error(nil); err == nil; {
					_, err = receiveAsC(chid, false)
				}
			})
		}
		require.NoError(t, message.MsgSendPulse(coid, -1, 1, 0))
		spinFor(60 * time.Microsecond)
		destroyed := make(chan struct{})
		go func() {
			message.ChannelDestroy(chid)
			wg.Wait()
			close(destroyed)
		}()
		ends(t, "ChannelDestroy", destroyed)
		message.ConnectDetach(coid)
	}
}

// TestUnblockMeetsReceive: however soon a timeout passes after a message was received,
// the server is told.
func TestUnblockMeetsReceive(t *testing.T) {
	chid := newChannel(t, nto.ChannelUnblock)
	coid := attachSelf(t, chid)
	var wg group
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { message.ChannelDestroy(chid) })
	for range 3 {
		wg.Go(func() {
			for {
				r, err := message.MsgReceive(chid, nil, -1)
				if err != nil {
					return
				}
				if r.RcvID == 0 {
					message.MsgError(r.Value, syscall.EINTR)
				}
			}
		})
	}
	const senders = 3
	ended := make(chan struct{}, senders)
	for range senders {
		go func() {
			for began := time.Now(); time.Since(began) < lasts(); {
				message.MsgSend(coid, nil, nil, rand.N(60*time.Microsecond))
			}
			ended <- struct{}{}
		}()
	}
	time.Sleep(lasts())
	for range senders {
		ends(t, "a sender", ended)
	}
}

// TestReplyMeetsTimeout: the client has every reply that the server was told has
// arrived, however close its timeout was.
func TestReplyMeetsTimeout(t *testing.T) {
	chid := newChannel(t, 0)
	other := testproc.Start(t, "node")
	coid := other.Do("attach", os.Getpid(), chid)
	call := other.Begin("hurry", coid, lasts())
	replied, served := 0, make(chan struct{})
	go func() {
		defer close(served)
		for {
			r, err := message.MsgReceive(chid, nil, -1)
			if err != nil {
				return
			}
			time.Sleep(100*time.Microsecond + rand.N(200*time.Microsecond))
			if message.MsgReply(r.RcvID, 0) == nil {
				replied++
			}
		}
	}()
	v, err := call.Within(time.Minute)
	require.NoError(t, err)
	message.ChannelDestroy(chid)
	<-served
	require.Equal(t, replied, v.Int())
}

// hurry sends as C threads do, with a timeout as long as the server takes, and counts
// the replies.
func hurry(coid int, d time.Duration) (replies int) {
	for began := time.Now(); time.Since(began) < d; {
		if sendAsC(coid, 7, []byte("x"), 250*time.Microsecond) == nil {
			replies++
		}
	}
	return replies
}

// TestPartsOfTwo: under a limit of files' sizes two threads send large messages, in many
// parts, on one connection, also while the server does not listen.
func TestPartsOfTwo(t *testing.T) {
	chid := newChannel(t, 0)
	other := testproc.Start(t, "node")
	coid := other.Do("attach", os.Getpid(), chid)
	page := os.Getpagesize()
	other.Do("filelimit", page)
	var calls []*testproc.Call
	for range 2 {
		calls = append(calls, other.Begin("send", coid, 100*page))
	}
	calls = append(calls, other.Begin("send", coid, 300*page))
	time.Sleep(100 * time.Millisecond) // the server is busy
	for range calls {
		r, err := message.MsgReceive(chid, nil, testproc.Patience)
		require.NoError(t, err)
		require.NoError(t, message.MsgReply(r.RcvID, 0))
	}
	for _, c := range calls {
		_, err := c.Wait()
		require.NoError(t, err)
	}
}
