//go:build linux

package qnxshm_test

import (
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
)

const attributes = qnxshm.ControlSeal | qnxshm.ControlRevocable

func TestObjectSeal(t *testing.T) {
	obj := newObject(t, page)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	flags, err := obj.Flags()
	require.NoError(t, err)
	require.Zero(t, flags&attributes)

	require.NoError(t, obj.Seal())
	flags, err = obj.Flags()
	require.NoError(t, err)
	require.Equal(t, qnxshm.ControlSeal, flags&attributes)
	err = obj.Truncate(0)
	require.ErrorIs(t, err, syscall.EPERM)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "sealed")
	err = obj.Seal()
	require.ErrorIs(t, err, syscall.EPERM)
	require.ErrorContains(t, err, "shm_ctl(")
	_, err = m.WriteAt([]byte("still writable"), 0)
	require.NoError(t, err)
}

// Whoever comes second finds the object sealed, however close that is.
func TestConcurrentSeal(t *testing.T) {
	for range 2000 {
		obj := newObject(t, page)
		const threads = 2
		var ready atomic.Int32
		errs := make(chan error, threads)
		for range threads {
			go func() {
				for ready.Add(1); ready.Load() < threads; {
					runtime.Gosched()
				}
				errs <- obj.Seal()
			}()
		}
		sealed := 0
		for range threads {
			if err := <-errs; err == nil {
				sealed++
			} else {
				require.ErrorIs(t, err, syscall.EPERM)
			}
		}
		require.Equal(t, 1, sealed)
		require.NoError(t, obj.Close())
	}
}

// What the host cannot do it does not begin.
func TestAttributesOfANamedObjectChangeNothing(t *testing.T) {
	name := fmt.Sprintf("/qnxshm-test-%d-%x", os.Getpid(), rand.Uint64())
	obj, err := qnxshm.OpenNamed(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	require.NoError(t, err)
	defer qnxshm.UnlinkObject(name)
	defer obj.Close()
	for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlSeal, qnxshm.ControlRevocable, attributes} {
		_, err = obj.Control(qnxshm.ControlAnonymous|flags, 0, uint64(page))
		require.ErrorIs(t, err, syscall.ENOSYS)
		require.ErrorContains(t, err, "only anonymous objects can be sealed or made revocable")
	}
	size, err := obj.Size()
	require.NoError(t, err)
	require.Zero(t, size)
	flags, err := obj.Flags()
	require.NoError(t, err)
	require.Zero(t, flags)
}

// More memory than there is must not be taken bit by bit until there is none.
func TestControlOfTooMuchMemory(t *testing.T) {
	// Should it try nevertheless, the kernel ends the process (SIGXFSZ).
	if !inOtherProcess(t) {
		return
	}
	limit := syscall.Rlimit{Cur: 64 << 20, Max: 64 << 20}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	obj := newObject(t, page)
	for _, size := range []uint64{1 << 47, 1 << 50, 1 << 62, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		_, err := obj.Control(qnxshm.ControlAnonymous, 0, size)
		require.ErrorIs(t, err, syscall.ENOMEM, "%#x", size)
	}
	got, err := obj.Size()
	require.NoError(t, err)
	require.EqualValues(t, page, got)
}

// A signal interrupts older kernels, which then have done nothing. Signals that
// keep coming must not keep it from ever getting done.
func TestControlUnderSignals(t *testing.T) {
	const size = 64 << 20
	obj := newObject(t, page)
	tid, done := make(chan int), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		tid <- syscall.Gettid()
		_, err := obj.Control(qnxshm.ControlAnonymous, 0, size)
		done <- err
	}()
	thread := <-tid
	limit := time.Now().Add(20 * time.Second)
	for {
		select {
		case err := <-done:
			require.NoError(t, err)
			got, err := obj.Size()
			require.NoError(t, err)
			require.EqualValues(t, size, got)
			return
		default:
			require.True(t, time.Now().Before(limit), "it does not come to an end")
			tgkill(thread, syscall.SIGURG) // which the runtime takes for its own
		}
	}
}

func TestControlReturnsFlagsOnlyWhenAsked(t *testing.T) {
	obj := newObject(t, 0)
	flags, err := obj.Control(qnxshm.ControlAnonymous|attributes, 0, uint64(page))
	require.NoError(t, err)
	require.Zero(t, flags)
	flags, err = obj.Control(qnxshm.ControlGetFlags, 0, 0)
	require.NoError(t, err)
	require.Equal(t, attributes, flags&attributes)
}

func TestControlTellsWhatOnlyATargetHas(t *testing.T) {
	obj := newObject(t, 0)
	_, err := obj.Control(qnxshm.ControlPhysical, 0x1000, uint64(page))
	require.ErrorIs(t, err, syscall.ENOSYS)
	require.ErrorContains(t, err, "only a target has")
}

func TestMapHandle(t *testing.T) {
	obj := newObject(t, page)
	handle := func(access qnxshm.Access) qnxshm.Handle {
		h, err := obj.CreateHandle(os.Getpid(), access, &qnxshm.HandleConfig{NoFD: true})
		require.NoError(t, err)
		return h
	}
	for name, mapIt := range map[string]func(qnxshm.Handle, qnxshm.Access) (*qnxshm.Mapping, error){
		"Map": func(h qnxshm.Handle, access qnxshm.Access) (*qnxshm.Mapping, error) {
			return qnxshm.Map(h, access, int64(page))
		},
		"MapPID": func(h qnxshm.Handle, access qnxshm.Access) (*qnxshm.Mapping, error) {
			return qnxshm.MapPID(h, access, int64(page), os.Getpid())
		},
	} {
		m, err := mapIt(handle(qnxshm.ReadWrite), qnxshm.ReadWrite)
		require.NoError(t, err, name)
		require.Equal(t, page, m.Len(), name)
		m.Bytes()[0]++
		require.NoError(t, m.Unmap(), name)
		require.ErrorIs(t, m.View(func([]byte) error { t.Error("ran"); return nil }), os.ErrClosed, name)

		m, err = mapIt(handle(qnxshm.ReadWrite), qnxshm.ReadOnly)
		require.NoError(t, err, name)
		require.ErrorIs(t, m.View(func(b []byte) error { b[0] = 1; return nil }), syscall.EACCES, name)
		require.NoError(t, m.Unmap(), name)

		h := handle(qnxshm.ReadOnly)
		_, err = mapIt(h, qnxshm.WriteOnly)
		require.ErrorIs(t, err, syscall.EACCES, name)
		_, err = mapIt(h, qnxshm.ReadWrite)
		require.ErrorIs(t, err, fs.ErrPermission, name)
		require.NoError(t, qnxshm.DeleteHandle(h), name)
	}
}

func TestForgottenDirectMapping(t *testing.T) {
	obj := newObject(t, page)
	what, stack := collected(t, func() {
		h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
		require.NoError(t, err)
		_, err = qnxshm.Map(h, qnxshm.ReadOnly, int64(page))
		require.NoError(t, err)
	})
	require.Contains(t, what, "Mapping")
	require.Contains(t, stack, "TestForgottenDirectMapping")
}

// inOtherProcess reports whether this is another process than the first, in
// which it lets the test run once more.
func inOtherProcess(t *testing.T) bool {
	t.Helper()
	const mark = "QNXSHM_TEST_OTHER_PROCESS"
	if os.Getenv(mark) != "" {
		return true
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$")
	cmd.Env = environ(mark + "=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return false
}

// The limit is for the whole process, so another one sets it.
func TestHandleLimit(t *testing.T) {
	if !inOtherProcess(t) {
		return
	}
	const none = math.MaxUint64
	cur, max, err := qnxshm.HandleLimit()
	require.NoError(t, err)
	require.EqualValues(t, uint64(none), cur)
	require.EqualValues(t, uint64(none), max)

	require.NoError(t, qnxshm.SetHandleLimit(1, none))
	obj := newObject(t, page)
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	require.NoError(t, err)
	_, err = obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	require.ErrorIs(t, err, syscall.EAGAIN)
	require.ErrorContains(t, err, "too many unused handles")
	require.NoError(t, qnxshm.DeleteHandle(h))

	require.ErrorIs(t, qnxshm.SetHandleLimit(3, 2), syscall.EINVAL)
	require.NoError(t, qnxshm.SetHandleLimit(2, 2))
	cur, max, err = qnxshm.HandleLimit()
	require.NoError(t, err)
	require.EqualValues(t, 2, cur)
	require.EqualValues(t, 2, max)
	for range 2 {
		_, err = obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
		require.NoError(t, err)
	}
	err = qnxshm.SetHandleLimit(3, 3)
	if os.Geteuid() != 0 {
		require.ErrorIs(t, err, syscall.EPERM)
		require.ErrorContains(t, err, "setrlimit(RLIMIT_SHM_HANDLES_NP, 3, 3): EPERM")
	} else {
		require.NoError(t, err)
	}
}

func tgkill(tid int, sig syscall.Signal) {
	syscall.Syscall(syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(tid), uintptr(sig))
}
