//go:build linux

package message_test

import (
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestNothingStays uses everything often and checks that nothing of it is left.
func TestNothingStays(t *testing.T) {
	server := testproc.Start(t, "node")
	name := nameOf(server)
	server.Do("serve", name)
	rest := len(testproc.Descriptors(t, server.PID()))
	tests := map[string]func(t *testing.T){
		"channels": func(t *testing.T) {
			for i := range 500 {
				chid, err := message.ChannelCreate(nto.ChannelDisconnect)
				require.NoError(t, err)
				name, err := message.NameAttach(fmt.Sprintf("message-test/%d/%d", os.Getpid(), i), chid)
				require.NoError(t, err)
				coid, err := message.ConnectAttach(0, chid)
				require.NoError(t, err)
				errs := sendAll(coid, 1, testproc.Patience)
				r := receiveMessage(t, chid)
				require.NoError(t, message.MsgReply(r.RcvID, 0, nil))
				require.NoError(t, errs()[0])
				require.NoError(t, message.MsgSendPulse(coid, -1, 1, 2))
				if i%2 == 0 {
					require.NoError(t, message.ConnectDetach(coid))
					require.NoError(t, name.Detach())
					require.NoError(t, message.ChannelDestroy(chid))
				} else { // the other way round
					require.NoError(t, message.ChannelDestroy(chid))
					require.NoError(t, name.Detach())
					require.NoError(t, message.ConnectDetach(coid))
				}
			}
		},
		"long messages": func(t *testing.T) {
			coid, err := message.NameOpen(name)
			require.NoError(t, err)
			defer message.ConnectDetach(coid)
			msg := make([]byte, message.MaxRequest+1)
			for range 500 {
				_, err := message.MsgSend(coid, msg, msg, testproc.Patience)
				require.NoError(t, err)
			}
		},
		"clients that are killed": func(t *testing.T) {
			for range 4 {
				client := testproc.Start(t, "node")
				client.Do("good", name)
				client.Do("progress", 2)
				client.Kill()
			}
		},
	}
	for what, run := range tests {
		t.Run(what, func(t *testing.T) {
			check := noLeak(t)
			run(t)
			check()
			testproc.Eventually(t, testproc.LeakLimit, func() bool { return len(testproc.Descriptors(t, server.PID())) <= rest },
				"the server had %d descriptors, now %v", rest, testproc.Kinds(server.PID()))
		})
	}
}

// TestNameChurn opens a name that comes and goes: it is there or not.
func TestNameChurn(t *testing.T) {
	check := noLeak(t)
	chid, err := message.ChannelCreate(0)
	require.NoError(t, err)
	name := fmt.Sprintf("message-test/%d/churn", os.Getpid())
	var stop atomic.Bool
	var wg group
	opened := make([]int, 4)
	for i := range opened {
		wg.Go(func() {
			for !stop.Load() {
				coid, err := message.NameOpen(name)
				if err == nil {
					opened[i]++
					message.ConnectDetach(coid)
				} else if testproc.ErrnoOf(err) != syscall.ENOENT {
					t.Error("name_open:", err)
					return
				}
			}
		})
	}
	for range 1000 {
		n, err := message.NameAttach(name, chid)
		require.NoError(t, err)
		_, err = message.NameAttach(name, chid)
		testproc.WantErrno(t, syscall.EEXIST, err)
		require.NoError(t, n.Detach())
	}
	stop.Store(true)
	wg.Wait()
	t.Log("opened:", opened)
	require.NoError(t, message.ChannelDestroy(chid))
	check()
}

// TestNameIsFreeAtOnce takes a name again after its end, while the process
// starts others. Between fork and exec those have copies of all descriptors.
func TestNameIsFreeAtOnce(t *testing.T) {
	chid := newChannel(t, 0)
	name := fmt.Sprintf("message-test/%d/free", os.Getpid())
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
		var n *message.Name
		if n, err = message.NameAttach(name, chid); err == nil {
			err = n.Detach()
		}
	}
	stop.Store(true)
	wg.Wait()
	require.NoError(t, err)
}

// TestServerStopsAndGoesOn: a connection survives a server at a breakpoint.
func TestServerStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	server := testproc.Start(t, "node")
	server.Do("serve", nameOf(server), nto.ChannelUnblock)
	coid, err := message.NameOpen(nameOf(server))
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
	require.NoError(t, err)
	server.Stop()
	_, err = message.MsgSend(coid, nil, nil, 10*time.Millisecond)
	testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	server.Continue()
	server.Do("ping") // it goes on
	for range 20 {
		_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
		require.NoError(t, err)
	}
}

// TestManyLargeMessages: each has memory of its own, and the server gets all of that at
// once.
func TestManyLargeMessages(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("serve", nameOf(server))
	coid, err := message.NameOpen(nameOf(server))
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	require.NoError(t, send(coid, "", 1))
	server.Stop()
	const threads = 500
	var wg group
	errs := make([]error, threads)
	for i := range errs {
		wg.Go(func() { errs[i] = send(coid, "", 10<<10+i) })
	}
	time.Sleep(300 * time.Millisecond) // the socket's queue is full
	server.Continue()
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// TestServerWithoutDescriptors receives long messages when there is no room to take
// their memory. That fails for the client; then all is as before.
func TestServerWithoutDescriptors(t *testing.T) {
	server, client := testproc.Start(t, "node"), testproc.Start(t, "node")
	server.Do("limit", 600)
	server.Do("serve", nameOf(server))
	coid := client.Do("connect", nameOf(server)).Int()
	client.Do("send", coid, 10)
	server.Do("fill", 0)
	for range 3 {
		testproc.WantErrno(t, syscall.ENOMEM, client.Err("send", coid, message.MaxRequest+10))
		client.Do("send", coid, 10)
	}
	server.Do("unfill")
	for range 3 {
		client.Do("send", coid, message.MaxRequest+10)
	}
}

// TestNoMemoryForMessage: a message that could not be made ready was not sent,
// and the connection is as good as before.
func TestNoMemoryForMessage(t *testing.T) {
	server, client := testproc.Start(t, "node"), testproc.Start(t, "node")
	server.Do("serve", nameOf(server))
	coid := client.Do("connect", nameOf(server)).Int()
	client.Do("send", coid, 10)
	client.Do("filelimit", 0)
	err := client.Err("send", coid, message.MaxRequest+10)
	require.NotContains(t, []syscall.Errno{0, syscall.EBADF, syscall.ESRCH}, testproc.ErrnoOf(err))
	client.Do("filelimit", -1)
	client.Do("send", coid, message.MaxRequest+10)
}

// TestTimeoutsOfManyThreads: that one thread asks the server whether it may go
// is nothing that another one, which wants to send, may take for the end.
func TestTimeoutsOfManyThreads(t *testing.T) {
	chid := newChannel(t, nto.ChannelUnblock) // which receives nothing
	coid := attachSelf(t, chid)
	var wg group
	results := make([]error, 10)
	for i := range results {
		wg.Go(func() {
			for range 50 {
				_, results[i] = message.MsgSend(coid, nil, nil, 200*time.Microsecond)
				if testproc.ErrnoOf(results[i]) != syscall.ETIMEDOUT {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range results {
		testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	}
}

// TestAllocations holds the way of a message to its budget.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	chid := newChannel(t, 0)
	var wg group
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { message.ChannelDestroy(chid) })
	wg.Go(func() {
		buf := make([]byte, 64)
		for {
			r, err := message.MsgReceive(chid, buf, -1)
			if err != nil {
				return
			}
			message.MsgReply(r.RcvID, 0, buf[:r.MsgLen])
		}
	})
	coid := attachSelf(t, chid)
	msg, reply := make([]byte, 64), make([]byte, 64)
	// On a busy machine a message takes so long that the service looks after
	// itself, once a millisecond, which allocates: that is not the path.
	allocs := 1.0
	for range 10 {
		if allocs = testing.AllocsPerRun(1000, func() {
			if _, err := message.MsgSend(coid, msg, reply, -1); err != nil {
				t.Error(err)
			}
		}); allocs == 0 {
			break
		}
	}
	require.Zero(t, allocs)
}
