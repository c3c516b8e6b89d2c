//go:build linux

package qnxmsg_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// TestLargeReplyAside: while a large reply is made, all else goes on, and the client's
// timeout ends its wait.
func TestLargeReplyAside(t *testing.T) {
	testproc.TakesLong(t, "takes GiBs of memory")
	const size = 512 << 20
	ch := newChannel(t, 0)
	obj, err := qnxshm.Create(int64(os.Getpagesize()))
	require.NoError(t, err)
	defer obj.Close()
	big := make([]byte, size)
	for i := range big {
		big[i] = byte(i)
	}
	p := testproc.Start(t, "peer")
	p.Do("connect", os.Getpid(), ch.ID())
	gaveUp := p.Begin("impatient", 0, size, 100*time.Millisecond)
	m := receive(t, ch)
	replied := make(chan error, 1)
	began := time.Now()
	var end time.Time
	go func() {
		err := m.Reply(0, big)
		end = time.Now()
		replied <- err
	}()
	handles, longest := 0, time.Duration(0)
	for {
		select {
		case err := <-replied:
			testproc.WantErrno(t, syscall.ESRCH, err)
			v, err := gaveUp.Wait()
			require.NoError(t, err)
			var when time.Time
			v.Into(&when)
			require.True(t, when.Before(end), "the timeout waited for the reply")
			took := end.Sub(began)
			require.Less(t, longest, took/2, "CreateHandle waited for the reply, which took %v, %d times", took, handles)
			return
		default:
		}
		before := time.Now()
		h, err := obj.CreateHandle(os.Getppid(), qnxshm.ReadOnly, nil)
		require.NoError(t, err)
		require.NoError(t, qnxshm.DeleteHandle(h))
		handles++
		longest = max(longest, time.Since(before))
		runtime.Gosched() // timers want a processor
	}
}

// TestReceiveIntoTruncated: the buffer of a Receive is truncated and grows again all
// the time. Each message arrives, or its sender is told that it could not.
func TestReceiveIntoTruncated(t *testing.T) {
	page := os.Getpagesize()
	fd, err := unix.MemfdCreate("buffer", unix.MFD_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(fd)
	require.NoError(t, unix.Ftruncate(fd, int64(16*page)))
	buf, err := unix.Mmap(fd, 0, 16*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	require.NoError(t, err)
	defer unix.Munmap(buf)
	ch := newChannel(t, 0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				unix.Ftruncate(fd, 0)
				unix.Ftruncate(fd, int64(16*page))
			}
		}
	}()
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			m, err := ch.Receive(buf)
			switch {
			case err == nil && len(m.Data) > 0:
				m.Reply(0, nil)
			case err == nil:
				m.Reply(0, nil)
				return
			case testproc.ErrnoOf(err) != syscall.EFAULT:
				t.Error(err)
				return
			}
		}
	}()
	conn := connect(t, 0, ch.ID())
	msg := make([]byte, 16*page)
	for range 500 {
		_, err := conn.SendTimeout(msg, nil, testproc.Patience)
		if err != nil {
			require.ErrorIs(t, err, qnxmsg.ESRVRFAULT)
		}
	}
	_, err = conn.SendTimeout(nil, nil, testproc.Patience)
	require.NoError(t, err)
	close(stop)
	<-stopped
	<-served
}
