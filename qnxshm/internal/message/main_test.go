//go:build linux

package message_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

func TestMain(m *testing.M) {
	if os.Getenv(nodeEnv) != "" {
		newNode().run()
		os.Exit(0)
	}
	// Parallel tests only wait for the host's own limit of 5 s.
	flag.Parse()
	flag.Set("test.parallel", "16")
	code := m.Run()
	if left := leftOver(); left != "" && code == 0 {
		fmt.Println("left behind:", left)
		code = 1
	}
	os.Exit(code)
}

// leftOver tells of channels, and descriptors of the host's other than those of
// its service, and children that stay when all tests are over.
func leftOver() (left string) {
	for deadline := time.Now().Add(leakLimit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		left = ""
		if n := message.Left(); n.Channels+n.Lanes+n.Connections > 0 {
			left = fmt.Sprintf("%+v ", n)
		}
		if fds, _ := ownDescriptors(os.Getpid()); len(fds) > ofService {
			left += fmt.Sprint(fds)
		}
		if children, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid())); len(children) > 0 {
			left += " processes " + string(children)
		}
		if left == "" {
			return ""
		}
	}
	return left
}

// ofService is how many descriptors the service has, which stays: its three epolls, its
// directory, its counter, its socket.
const ofService = 6

// patience is how long tests wait for what must come.
const patience = 10 * time.Second

// leakLimit is how long the host may take to give back what is not needed.
const leakLimit = 5 * time.Second

// A group is a WaitGroup with a method that go.mod's version of Go lacks.
type group struct{ sync.WaitGroup }

func (g *group) Go(f func()) {
	g.Add(1)
	go func() {
		defer g.Done()
		f()
	}()
}

// errnoOf is the errno of a failed call, 0 for none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if err != nil && !errors.As(err, &errno) {
		return syscall.EIO
	}
	return errno
}

func requireErrno(t testing.TB, want syscall.Errno, err error, args ...any) {
	t.Helper()
	require.Equal(t, qnxerr.Name(want), qnxerr.Name(errnoOf(err)), "%v %v", err, args)
}

func retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

// openDescriptors returns those of a process, with what they are.
func openDescriptors(pid int) (map[int]string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	fds := make(map[int]string)
	for _, e := range entries {
		// The directory that was read is gone by now.
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			n, _ := strconv.Atoi(e.Name())
			fds[n] = to
		}
	}
	return fds, nil
}

// ownDescriptors returns those in the host's own range.
func ownDescriptors(pid int) (map[int]string, error) {
	fds, err := openDescriptors(pid)
	for fd := range fds {
		if fd < linux.FirstHigh {
			delete(fds, fd)
		}
	}
	return fds, err
}

func descriptors(t testing.TB, pid int) map[int]string {
	t.Helper()
	fds, err := openDescriptors(pid)
	require.NoError(t, err)
	return fds
}

// kinds sums up what a process has open, for people.
func kinds(t testing.TB, pid int) fmt.Stringer {
	return lazy(func() any {
		count := make(map[string]int)
		for _, to := range descriptors(t, pid) {
			kind, _, _ := strings.Cut(to, ":[")
			count[kind]++
		}
		return count
	})
}

// lazy is evaluated when it is printed.
type lazy func() any

func (l lazy) String() string { return fmt.Sprint(l()) }

// eventually polls where there is no event to wait for.
func eventually(t testing.TB, limit time.Duration, ok func() bool, text string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); {
		if time.Now().After(deadline) {
			require.FailNow(t, fmt.Sprintf(text, args...))
		}
		time.Sleep(2 * time.Millisecond)
	}
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

// noLeak notes what this process has once it is at rest, and returns what checks
// that it comes back to that.
func noLeak(t testing.TB) (check func()) {
	t.Helper()
	_, err := procnto.Serve()
	require.NoError(t, err)
	own := func() int {
		fds, err := ownDescriptors(os.Getpid())
		require.NoError(t, err)
		return len(fds)
	}
	eventually(t, leakLimit, func() bool { return own() <= ofService }, "the host still has %v", kinds(t, os.Getpid()))
	before, goroutines := len(descriptors(t, os.Getpid())), runtime.NumGoroutine()
	return func() {
		t.Helper()
		eventually(t, leakLimit, func() bool {
			left := message.Left()
			return len(descriptors(t, os.Getpid())) <= before && runtime.NumGoroutine() <= goroutines && left.Channels+left.Lanes+left.Connections == 0
		}, "%d descriptors before, now %v\n%d goroutines before, now %v\n%v", before, kinds(t, os.Getpid()),
			goroutines, lazy(func() any { return runtime.NumGoroutine() }), lazy(func() any { return message.Left() }))
	}
}

// newChannel makes a channel that is gone after the test.
func newChannel(t testing.TB, flags uint32) int {
	t.Helper()
	chid, err := message.ChannelCreate(flags)
	require.NoError(t, err)
	t.Cleanup(func() { message.ChannelDestroy(chid) })
	return chid
}

// attachSelf connects this process to its own channel.
func attachSelf(t testing.TB, chid int) int {
	t.Helper()
	coid, err := message.ConnectAttach(0, chid)
	require.NoError(t, err)
	t.Cleanup(func() { message.ConnectDetach(coid) })
	return coid
}

// sendAll sends from n threads at once and returns what collects their errors.
func sendAll(coid, n int, timeout time.Duration) (errs func() []error) {
	var wg group
	results := make([]error, n)
	for i := range n {
		wg.Go(func() { _, results[i] = message.MsgSend(coid, []byte("hello"), nil, timeout) })
	}
	return func() []error {
		wg.Wait()
		return results
	}
}

// receiveMessage receives what must not be a pulse.
func receiveMessage(t testing.TB, chid int) message.Received {
	t.Helper()
	r, err := message.MsgReceive(chid, make([]byte, 64), patience)
	require.NoError(t, err)
	require.NotZero(t, r.RcvID)
	return r
}
