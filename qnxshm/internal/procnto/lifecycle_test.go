//go:build linux

package procnto_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// A group is a WaitGroup with a method that this version of Go lacks.
type group struct{ sync.WaitGroup }

func (g *group) Go(f func()) {
	g.Add(1)
	go func() {
		defer g.Done()
		f()
	}()
}

// newChannel makes a channel that is gone after the test.
func newChannel(t testing.TB, flags uint32) int {
	t.Helper()
	chid, err := procnto.ChannelCreate(flags)
	require.NoError(t, err)
	t.Cleanup(func() { procnto.ChannelDestroy(chid) })
	return chid
}

// attachSelf connects this process to its own channel.
func attachSelf(t testing.TB, chid int) int {
	t.Helper()
	coid, err := procnto.ConnectAttach(0, chid)
	require.NoError(t, err)
	t.Cleanup(func() { procnto.ConnectDetach(coid) })
	return coid
}

// within fails the test if do takes so long that something hangs.
func within(t testing.TB, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(t, what+" hangs")
	}
}

// sendAll sends from n threads at once and returns what collects their errors.
func sendAll(coid, n int, timeout time.Duration) (errs func() []error) {
	var wg group
	results := make([]error, n)
	for i := range n {
		wg.Go(func() { _, results[i] = procnto.MsgSend(coid, []byte("hello"), nil, timeout) })
	}
	return func() []error {
		wg.Wait()
		return results
	}
}

// receiveMessage receives what must not be a pulse.
func receiveMessage(t testing.TB, chid int) procnto.Received {
	t.Helper()
	r, err := procnto.MsgReceive(chid, make([]byte, 64), patience)
	require.NoError(t, err)
	require.NotZero(t, r.RcvID)
	return r
}

// TestNothingStays uses everything often and checks that nothing of it is left.
func TestNothingStays(t *testing.T) {
	server := startChild(t)
	name := fmt.Sprintf("procnto-test/%d", server.pid())
	server.do("serve", name)
	rest := len(descriptors(t, server.pid()))
	tests := map[string]func(t *testing.T){
		"handles of this process": func(t *testing.T) {
			fd := newObject(t, 1, "")
			defer unix.Close(fd)
			for range 2000 {
				h, err := procnto.CreateHandle(fd, os.Getpid(), os.O_RDWR, 0)
				require.NoError(t, err)
				got, err := procnto.OpenHandle(h, os.O_RDONLY)
				require.NoError(t, err)
				require.NoError(t, procnto.CloseDescriptor(got))
			}
		},
		"handles of another process": func(t *testing.T) {
			coid, err := procnto.NameOpen(name)
			require.NoError(t, err)
			defer procnto.ConnectDetach(coid)
			reply := make([]byte, 8)
			for range 2000 {
				_, err := procnto.MsgSend(coid, []byte("handle"), reply, patience)
				require.NoError(t, err)
				got, err := procnto.OpenHandle(binary.NativeEndian.Uint64(reply), os.O_RDONLY)
				require.NoError(t, err)
				require.NoError(t, procnto.CloseDescriptor(got))
			}
		},
		"handles that nobody opens": func(t *testing.T) {
			fd := newObject(t, 1, "")
			defer unix.Close(fd)
			for range 2000 {
				h, err := procnto.CreateHandle(fd, server.pid(), os.O_RDWR, 0)
				require.NoError(t, err)
				require.NoError(t, procnto.DeleteHandle(h))
			}
		},
		"channels": func(t *testing.T) {
			for i := range 500 {
				chid, err := procnto.ChannelCreate(procnto.FlagDisconnect)
				require.NoError(t, err)
				name, err := procnto.NameAttach(fmt.Sprintf("procnto-test/%d/%d", os.Getpid(), i), chid)
				require.NoError(t, err)
				coid, err := procnto.ConnectAttach(0, chid)
				require.NoError(t, err)
				errs := sendAll(coid, 1, patience)
				r := receiveMessage(t, chid)
				require.NoError(t, procnto.MsgReply(r.RcvID, 0, nil))
				require.NoError(t, errs()[0])
				require.NoError(t, procnto.MsgSendPulse(coid, -1, 1, 2))
				if i%2 == 0 {
					require.NoError(t, procnto.ConnectDetach(coid))
					require.NoError(t, name.Detach())
					require.NoError(t, procnto.ChannelDestroy(chid))
				} else { // the other way round
					require.NoError(t, procnto.ChannelDestroy(chid))
					require.NoError(t, name.Detach())
					require.NoError(t, procnto.ConnectDetach(coid))
				}
			}
		},
		"long messages": func(t *testing.T) {
			coid, err := procnto.NameOpen(name)
			require.NoError(t, err)
			defer procnto.ConnectDetach(coid)
			msg := make([]byte, procnto.MaxInline+1)
			for range 500 {
				_, err := procnto.MsgSend(coid, msg, msg, patience)
				require.NoError(t, err)
			}
		},
		"clients that are killed": func(t *testing.T) {
			for range 4 {
				client := startChild(t)
				client.do("good", name)
				client.do("progress", 2)
				client.kill()
			}
		},
	}
	for what, run := range tests {
		t.Run(what, func(t *testing.T) {
			check := noLeak(t)
			run(t)
			check()
			eventually(t, leakLimit, func() bool { return len(descriptors(t, server.pid())) <= rest },
				"the server had %d descriptors, now %v", rest, kinds(t, server.pid()))
		})
	}
}

// TestServiceComesAndGoes makes handles while the service ends for want of
// work, starts again, and another process opens some of them.
func TestServiceComesAndGoes(t *testing.T) {
	opener := startChild(t)
	fd := newObject(t, 1, "")
	defer unix.Close(fd)
	check := noLeak(t)
	for range 8 {
		for i := range 500 {
			h, err := procnto.CreateHandle(fd, opener.pid(), os.O_RDONLY, 0)
			require.NoError(t, err)
			if i%100 == 0 {
				opener.do("close", opener.number("open", h, os.O_RDONLY))
				requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(h))
			} else {
				require.NoError(t, procnto.DeleteHandle(h))
			}
		}
		eventually(t, leakLimit, func() bool { return !listening(t, os.Getpid()) }, "the service does not end")
	}
	check()
}

// TestServiceEndsWhileUsed starts what needs the service just when that may be
// ending.
func TestServiceEndsWhileUsed(t *testing.T) {
	opener := startChild(t)
	fd := newObject(t, 1, "")
	defer unix.Close(fd)
	for start := time.Now(); time.Since(start) < time.Second; {
		h, err := procnto.CreateHandle(fd, opener.pid(), os.O_RDONLY, 0)
		require.NoError(t, err)
		opener.do("close", opener.number("open", h, os.O_RDONLY))
		// The host lingers for about 100 ms, at most twice that.
		unix.Nanosleep(&unix.Timespec{Nsec: 90e6 + time.Now().UnixNano()%120e6}, nil)
	}
}

// TestNameChurn opens a name that comes and goes: it is there or not.
func TestNameChurn(t *testing.T) {
	check := noLeak(t)
	chid, err := procnto.ChannelCreate(0)
	require.NoError(t, err)
	name := fmt.Sprintf("procnto-test/%d/churn", os.Getpid())
	var stop atomic.Bool
	var wg group
	opened := make([]int, 4)
	for i := range opened {
		wg.Go(func() {
			for !stop.Load() {
				coid, err := procnto.NameOpen(name)
				if err == nil {
					opened[i]++
					procnto.ConnectDetach(coid)
				} else if errnoOf(err) != syscall.ENOENT {
					t.Error("name_open:", err)
					return
				}
			}
		})
	}
	for range 1000 {
		n, err := procnto.NameAttach(name, chid)
		require.NoError(t, err)
		_, err = procnto.NameAttach(name, chid)
		requireErrno(t, syscall.EEXIST, err)
		require.NoError(t, n.Detach())
	}
	stop.Store(true)
	wg.Wait()
	t.Log("opened:", opened)
	require.NoError(t, procnto.ChannelDestroy(chid))
	check()
}

// TestDetachWhileSending wakes threads that wait for replies.
func TestDetachWhileSending(t *testing.T) {
	const threads = 50
	check := noLeak(t)
	chid, err := procnto.ChannelCreate(0)
	require.NoError(t, err)
	coid, err := procnto.ConnectAttach(0, chid)
	require.NoError(t, err)
	errs := sendAll(coid, threads, -1)
	var waiting []int64
	for range threads / 2 {
		waiting = append(waiting, receiveMessage(t, chid).RcvID)
	}
	within(t, "ConnectDetach", func() { require.NoError(t, procnto.ConnectDetach(coid)) })
	for _, err := range errs() {
		requireErrno(t, syscall.EBADF, err)
	}
	requireErrno(t, syscall.EINVAL, procnto.ConnectDetach(coid))
	for _, id := range waiting {
		// The end of the connection may not have been seen yet; the reply then
		// goes nowhere.
		err := procnto.MsgReply(id, 0, nil)
		require.True(t, err == nil || errnoOf(err) == syscall.ESRCH, "%v", err)
	}
	require.NoError(t, procnto.ChannelDestroy(chid))
	check()
}

// TestDestroyWithDisconnectPulses destroys channels whose clients are there:
// their disconnect pulses come just when the receivers are woken to leave.
func TestDestroyWithDisconnectPulses(t *testing.T) {
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	for range 300 {
		chid, err := procnto.ChannelCreate(procnto.FlagDisconnect)
		require.NoError(t, err)
		var wg group
		for range 4 {
			wg.Go(func() {
				for {
					if _, err := procnto.MsgReceive(chid, nil, -1); err != nil {
						return
					}
				}
			})
		}
		for token := range uint64(3) {
			w := reach(t, name)
			defer w.close()
			require.NoError(t, w.send(procnto.Frame{Kind: procnto.HelloAttach, Number: int32(chid), ID: token + 1}.Encode()))
			require.Zero(t, w.mustReceive(t).Errno)
		}
		within(t, "ChannelDestroy", func() { procnto.ChannelDestroy(chid) })
		within(t, "MsgReceive", wg.Wait)
	}
}

// TestDetachClient lets go of a client that lives and goes on sending.
func TestDetachClient(t *testing.T) {
	check := noLeak(t)
	chid, err := procnto.ChannelCreate(procnto.FlagDisconnect)
	require.NoError(t, err)
	coid, err := procnto.ConnectAttach(0, chid)
	require.NoError(t, err)
	received, waiting := sendAll(coid, 1, -1), procnto.Received{}
	waiting = receiveMessage(t, chid)
	rest := sendAll(coid, 10, -1)
	require.NoError(t, procnto.DetachClient(chid, waiting.SCOID))
	requireErrno(t, syscall.EINVAL, procnto.DetachClient(chid, waiting.SCOID))
	requireErrno(t, syscall.ESRCH, received()[0])
	for _, err := range rest() {
		requireErrno(t, syscall.EBADF, err)
	}
	requireErrno(t, syscall.ESRCH, procnto.MsgReply(waiting.RcvID, 0, nil))
	_, err = procnto.MsgSend(coid, nil, nil, patience)
	requireErrno(t, syscall.EBADF, err)
	requireErrno(t, syscall.EBADF, procnto.MsgSendPulse(coid, -1, 1, 1))
	// It may come again, as somebody else.
	again, err := procnto.ConnectAttach(0, chid)
	require.NoError(t, err)
	errs := sendAll(again, 1, patience)
	r := receiveMessage(t, chid)
	require.NotEqual(t, waiting.SCOID, r.SCOID)
	require.NoError(t, procnto.MsgReply(r.RcvID, 0, nil))
	require.NoError(t, errs()[0])
	require.NoError(t, procnto.ConnectDetach(coid))
	require.NoError(t, procnto.ConnectDetach(again))
	require.NoError(t, procnto.ChannelDestroy(chid))
	check()
}

// TestReplyIsLast: what a client was replied is not lost when the server closes
// right after it.
func TestReplyIsLast(t *testing.T) {
	chid := newChannel(t, 0)
	for range 300 {
		coid, err := procnto.ConnectAttach(0, chid)
		require.NoError(t, err)
		errs := sendAll(coid, 1, patience)
		r := receiveMessage(t, chid)
		require.NoError(t, procnto.MsgReply(r.RcvID, 0, nil))
		require.NoError(t, procnto.DetachClient(chid, r.SCOID))
		require.NoError(t, errs()[0])
		require.NoError(t, procnto.ConnectDetach(coid))
	}
}

// TestDetachFlooder lets go of a client that sends without end. Neither that
// nor the rest of the server may have to wait for its last pulse.
func TestDetachFlooder(t *testing.T) {
	for _, how := range []string{"detach", "destroy"} {
		t.Run(how, func(t *testing.T) {
			server, flooder := startChild(t), startChild(t)
			chid := server.number("serve", fmt.Sprintf("procnto-test/%d", server.pid()))
			name, err := procnto.ProcessSocket(server.pid())
			require.NoError(t, err)
			control := flooder.number("dial", name)
			flooder.do("rawsend", control, quote(procnto.Frame{Kind: procnto.HelloAttach, Number: int32(chid), ID: 1}.Encode()))
			scoid := flooder.do("rawreceive", control, 0)[2]
			hello := procnto.Frame{Kind: procnto.HelloLane, Number: int32(chid), ID: 1}
			_, err = fmt.Sscan(scoid, &hello.SCOID)
			require.NoError(t, err)
			for range 3 {
				lane := flooder.number("dial", name)
				flooder.do("rawsend", lane, quote(hello.Encode()))
				flooder.do("flood", lane)
			}
			if how == "detach" {
				server.do("detach", chid, scoid)
			} else {
				server.do("destroy", chid)
			}
		})
	}
}

// TestPulseReceiver receives pulses in one thread and all else in another:
// a message that the first one leaves is for the second.
func TestPulseReceiver(t *testing.T) {
	chid := newChannel(t, 0)
	var wg group
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { procnto.ChannelDestroy(chid) })
	wg.Go(func() {
		buf := make([]byte, 8)
		for {
			r, err := procnto.MsgReceive(chid, buf, -1)
			if err != nil {
				return
			}
			if r.RcvID != 0 {
				procnto.MsgReply(r.RcvID, 0, nil)
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for {
				r, err := receivePulse(chid)
				if err != nil {
					return
				}
				if !assert.Zero(t, r.RcvID, "a message taken for a pulse") {
					procnto.MsgReply(r.RcvID, 0, nil)
				}
			}
		})
	}
	coid := attachSelf(t, chid)
	for i := range 300 {
		_, err := procnto.MsgSend(coid, nil, nil, patience)
		require.NoError(t, err, "message %d", i)
	}
}

// receivePulse is MsgReceivePulse, as the C face makes it.
func receivePulse(chid int) (procnto.Received, error) {
	rc, err := procnto.BeginReceive(chid, true)
	if err != nil {
		return procnto.Received{}, err
	}
	defer rc.End()
	for {
		r, err := rc.Try(make([]byte, 8), true)
		if !errors.Is(err, syscall.EAGAIN) {
			return r, err
		}
		retry(func() error {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(rc.Descriptor()), Events: unix.POLLIN}}, -1)
			return err
		})
	}
}

// TestUnblockOnce: however often a client says that it does not want to wait,
// the server is told once for each message.
func TestUnblockOnce(t *testing.T) {
	chid := newChannel(t, procnto.FlagUnblock)
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	control, lane := reach(t, name), reach(t, name)
	defer control.close()
	defer lane.close()
	require.NoError(t, control.send(procnto.Frame{Kind: procnto.HelloAttach, Number: int32(chid), ID: 1}.Encode()))
	scoid := control.mustReceive(t).SCOID
	hello := procnto.Frame{Kind: procnto.HelloLane, Number: int32(chid), SCOID: scoid, ID: 1, A: 5}
	require.NoError(t, lane.send(hello.Encode()))
	require.Equal(t, procnto.Welcome, lane.mustReceive(t).Kind)
	require.NoError(t, lane.send(procnto.Frame{Kind: procnto.Message, ID: 1}.Encode()))
	message := receiveMessage(t, chid)
	for range 1000 {
		require.NoError(t, control.send(procnto.Frame{Kind: procnto.Cancel, ID: 1, A: 5, B: 1}.Encode()))
		control.mustReceive(t)
	}
	pulses := 0
	for {
		r, err := procnto.MsgReceive(chid, nil, 0)
		if err != nil {
			requireErrno(t, syscall.ETIMEDOUT, err)
			break
		}
		require.Equal(t, procnto.CodeUnblock, r.Code)
		require.Equal(t, message.RcvID, r.Value)
		pulses++
	}
	require.Equal(t, 1, pulses)
	require.NoError(t, procnto.MsgReply(message.RcvID, 0, nil))
}

// TestTimeoutsOfManyThreads: that one thread asks the server whether it may go
// is nothing that another one, which wants to send, may take for the end.
func TestTimeoutsOfManyThreads(t *testing.T) {
	chid := newChannel(t, procnto.FlagUnblock) // which receives nothing
	coid := attachSelf(t, chid)
	var wg group
	results := make([]error, 10)
	for i := range results {
		wg.Go(func() {
			for range 50 {
				_, results[i] = procnto.MsgSend(coid, nil, nil, 200*time.Microsecond)
				if errnoOf(results[i]) != syscall.ETIMEDOUT {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range results {
		requireErrno(t, syscall.ETIMEDOUT, err)
	}
}

// TestServerStopsAndGoesOn: a connection survives a server at a breakpoint.
func TestServerStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	server := startChild(t)
	name := fmt.Sprintf("procnto-test/%d", server.pid())
	server.do("serve", name, procnto.FlagUnblock)
	coid, err := procnto.NameOpen(name)
	require.NoError(t, err)
	defer procnto.ConnectDetach(coid)
	_, err = procnto.MsgSend(coid, nil, nil, patience)
	require.NoError(t, err)
	server.stop()
	_, err = procnto.MsgSend(coid, nil, nil, 10*time.Millisecond)
	requireErrno(t, syscall.ETIMEDOUT, err)
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGCONT))
	server.do("size", 0) // it goes on
	for range 20 {
		_, err = procnto.MsgSend(coid, nil, nil, patience)
		require.NoError(t, err)
	}
}

// TestServerWithoutDescriptors receives a long message when there is no room to
// keep it. That fails for the client, or for the server when it reads the rest;
// then all is as before.
func TestServerWithoutDescriptors(t *testing.T) {
	server, client := startChild(t), startChild(t)
	server.do("limit", 600)
	name := fmt.Sprintf("procnto-test/%d", server.pid())
	server.do("serve", name)
	coid := client.number("connect", name)
	client.do("send", coid, 10)
	server.do("fill", 1)
	client.tell("sendheld", coid, procnto.MaxInline+10)
	_, errno := server.try("peek", procnto.MaxInline)
	server.do("unfill")
	if errno == 0 {
		server.do("release", 1)
	}
	_, errno = client.answer(patience)
	require.NotContains(t, []syscall.Errno{syscall.EBADF, syscall.ESRCH, syscall.ETIMEDOUT}, errno)
	client.do("send", coid, procnto.MaxInline+10)
}

// TestNoMemoryForMessage: a message that could not be made ready was not sent,
// and the connection is as good as before.
func TestNoMemoryForMessage(t *testing.T) {
	server, client := startChild(t), startChild(t)
	name := fmt.Sprintf("procnto-test/%d", server.pid())
	server.do("serve", name)
	coid := client.number("connect", name)
	client.do("send", coid, 10)
	client.do("filelimit", 0)
	_, errno := client.try("send", coid, procnto.MaxInline+10)
	require.NotContains(t, []syscall.Errno{0, syscall.EBADF, syscall.ESRCH}, errno)
	client.do("filelimit", -1)
	client.do("send", coid, procnto.MaxInline+10)
}

// TestDestroyWhileUsed wakes threads in MsgReceive, and clients whose messages
// were received and were not.
func TestDestroyWhileUsed(t *testing.T) {
	const threads = 20
	check := noLeak(t)
	for range 5 {
		idle, err := procnto.ChannelCreate(procnto.FlagDisconnect)
		require.NoError(t, err)
		received := make(chan error, threads)
		for range threads {
			go func() {
				_, err := procnto.MsgReceive(idle, make([]byte, 8), -1)
				received <- err
			}()
		}
		busy, err := procnto.ChannelCreate(0)
		require.NoError(t, err)
		coid, err := procnto.ConnectAttach(0, busy)
		require.NoError(t, err)
		errs := sendAll(coid, threads, -1)
		for range threads / 2 {
			receiveMessage(t, busy)
		}
		within(t, "ChannelDestroy", func() {
			require.NoError(t, procnto.ChannelDestroy(busy))
			require.NoError(t, procnto.ChannelDestroy(idle))
		})
		count := make(map[syscall.Errno]int)
		for _, err := range errs() {
			count[errnoOf(err)]++
		}
		require.Equal(t, map[syscall.Errno]int{syscall.ESRCH: threads / 2, syscall.EBADF: threads / 2}, count)
		for range threads {
			requireErrno(t, syscall.ESRCH, <-received)
		}
		_, err = procnto.MsgSend(coid, nil, nil, patience)
		requireErrno(t, syscall.EBADF, err)
		require.NoError(t, procnto.ConnectDetach(coid))
	}
	check()
}

// TestNameIsFreeAtOnce takes a name again after its end, while the process
// starts others. Between fork and exec those have copies of all descriptors.
func TestNameIsFreeAtOnce(t *testing.T) {
	chid := newChannel(t, 0)
	name := fmt.Sprintf("procnto-test/%d/free", os.Getpid())
	var stop atomic.Bool
	var wg group
	for range 2 {
		wg.Go(func() {
			for !stop.Load() {
				exec.Command("/bin/true").Run()
			}
		})
	}
	var err error
	for start := time.Now(); time.Since(start) < time.Second && err == nil; {
		var n *procnto.Name
		if n, err = procnto.NameAttach(name, chid); err == nil {
			err = n.Detach()
		}
	}
	stop.Store(true)
	wg.Wait()
	require.NoError(t, err)
}
