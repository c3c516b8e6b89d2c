//go:build linux

package message_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// A measurement is how long calls took.
type measurement struct {
	Median, Longest time.Duration
	Count           int
}

// measure makes calls for a time, until one fails.
func measure(d time.Duration, call func(i int) error) (m measurement, err error) {
	var took durations
	for until := time.Now().Add(d); time.Now().Before(until) && err == nil; {
		began := time.Now()
		err = call(len(took))
		took = append(took, time.Since(began))
		m.Longest = max(m.Longest, took[len(took)-1])
		time.Sleep(time.Millisecond) // the machine is others', too
	}
	m.Median, m.Count = took.median(), len(took)
	return m, err
}

// measureSend is of messages of a size to a channel, whose server echoes them.
func measureSend(name string, size int, d time.Duration) (measurement, error) {
	coid, err := message.NameOpen(name)
	if err != nil {
		return measurement{}, err
	}
	defer message.ConnectDetach(coid)
	reply := make([]byte, size)
	return measure(d, func(i int) error {
		msg := append([]byte("good"), bytes.Repeat([]byte{byte(i)}, size-4)...)
		_, err := message.MsgSend(coid, msg, reply, testproc.Patience)
		if err == nil && !bytes.Equal(msg, reply) {
			err = errors.New("wrong reply")
		}
		if err != nil {
			err = fmt.Errorf("message %d of %d bytes: %w", i, size, err)
		}
		return err
	})
}

// measureHandles is of handles for a process.
func measureHandles(pid int, d time.Duration) (measurement, error) {
	fd, err := memory.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return measurement{}, err
	}
	defer memory.CloseDescriptor(fd)
	if err := memory.Truncate(fd, 4096); err != nil {
		return measurement{}, err
	}
	return measure(d, func(int) error {
		h, err := procnto.CreateHandle(fd, pid, os.O_RDONLY, 0)
		if err != nil {
			return fmt.Errorf("shm_create_handle: %w", err)
		}
		return procnto.DeleteHandle(h)
	})
}

// serveAll serves a channel with a name, and uses all that a server has on messages
// that do not begin as those of a good client do.
func serveAll(name string) (chid int, err error) {
	chid, err = message.ChannelCreate(nto.ChannelUnblock | nto.ChannelDisconnect)
	if err != nil {
		return 0, err
	}
	if _, err := message.NameAttach(name, chid); err != nil {
		return 0, err
	}
	for i := range uint64(4) {
		go receiveAll(chid, rand.New(rand.NewPCG(i, 4)))
	}
	return chid, nil
}

func receiveAll(chid int, rnd *rand.Rand) {
	buf := make([]byte, 128<<10)
	for {
		r, err := message.MsgReceive(chid, buf, -1)
		switch {
		case testproc.ErrnoOf(err) == syscall.ESRCH:
			return
		case err != nil:
			panic(err)
		case r.RcvID == 0 && r.Code == nto.PulseDisconnect:
			message.DetachClient(chid, r.SCOID)
		case r.RcvID == 0 && r.Code == nto.PulseUnblock:
			message.MsgError(r.Value, syscall.EINTR)
		case r.RcvID == 0:
		case bytes.HasPrefix(buf[:r.MsgLen], []byte("good")):
			message.MsgReply(r.RcvID, 0, buf[:r.MsgLen])
		default:
			useAll(r, buf, rnd)
		}
	}
}

// useAll does to a message what a server can. Much of it may fail.
func useAll(r message.Received, buf []byte, rnd *rand.Rand) {
	message.MsgInfo(r.RcvID)
	for range rnd.IntN(4) {
		some := [][]byte{buf[:rnd.IntN(len(buf))]}
		message.MsgRead(r.RcvID, some, rnd.Int64N(300<<10))
		message.MsgWrite(r.RcvID, [][]byte{some[0][:min(len(some[0]), 100)]}, rnd.Int64N(300<<10))
	}
	switch rnd.IntN(8) {
	case 0:
		message.MsgError(r.RcvID, syscall.EACCES)
	case 1: // never, or when the client asks for it
	case 2:
		message.DetachClient(0, r.SCOID)
		fallthrough
	default:
		message.MsgReply(r.RcvID, 1, buf[:rnd.IntN(len(buf))])
	}
}

// suffer is a client of a hostile server, for a time, and tells how many calls it made.
func suffer(pid int, d time.Duration) (calls int64) {
	var count atomic.Int64
	var wg group
	for i := range uint64(4) {
		rnd := rand.New(rand.NewPCG(i, 6))
		wg.Go(func() {
			for until := time.Now().Add(d); time.Now().Before(until); {
				coid, err := message.ConnectAttach(pid, 1)
				if err != nil {
					continue
				}
				// A server without UNBLOCK may keep threads until their connection is detached.
				end := time.AfterFunc(time.Duration(rnd.IntN(200))*time.Millisecond, func() { message.ConnectDetach(coid) })
				for err = nil; testproc.ErrnoOf(err) != syscall.EBADF; count.Add(1) {
					err = useServer(coid, rnd)
				}
				if end.Stop() {
					message.ConnectDetach(coid)
				}
			}
		})
	}
	wg.Wait()
	return count.Load()
}

func useServer(coid int, rnd *rand.Rand) error {
	msg, reply := make([]byte, rnd.IntN(8000)), make([]byte, rnd.IntN(8000))
	if rnd.IntN(8) == 0 {
		msg, reply = make([]byte, rnd.IntN(300<<10)), make([]byte, rnd.IntN(300<<10))
	}
	switch rnd.IntN(4) {
	case 0:
		return message.MsgSendPulse(coid, -1, 1, 1)
	case 1:
		return sendLikeC(coid, msg, reply, time.Duration(rnd.IntN(5000))*time.Microsecond)
	}
	_, err := message.MsgSend(coid, msg, reply, time.Duration(rnd.IntN(5000))*time.Microsecond)
	return err
}

// sendLikeC is MsgSend as the C face makes it.
func sendLikeC(coid int, msg, reply []byte, timeout time.Duration) error {
	s, err := message.BeginSend(coid, 0, int64(len(reply)))
	if err != nil {
		return err
	}
	defer s.End()
	for until := time.Now().Add(timeout); ; {
		_, done, err := s.Try([][]byte{msg}, [][]byte{reply})
		if done {
			return err
		}
		if time.Now().After(until) && !s.Stays(syscall.ETIMEDOUT) {
			return syscall.ETIMEDOUT
		}
		wait := time.Millisecond
		var wanted []unix.PollFd
		socket, own, _ := s.Descriptors()
		for _, fd := range []int{socket, own} {
			if fd >= 0 {
				wanted = append(wanted, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
				wait = 5 * time.Millisecond
			}
		}
		unix.Poll(wanted, int(wait/time.Millisecond))
	}
}

// usage is what this process has.
type usage struct{ Goroutines, Mappings, Megabytes int }

func used(t testing.TB) (u usage) {
	runtime.GC()
	u.Goroutines, u.Mappings = runtime.NumGoroutine(), mappings(t, os.Getpid(), "")
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int
	fmt.Sscan(string(b), &size, &resident)
	u.Megabytes = resident * os.Getpagesize() >> 20
	return u
}
