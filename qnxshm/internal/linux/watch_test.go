//go:build linux

package linux_test

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// withoutPidfd stands in the environment of a test that runs where the system has no
// pidfd_open.
const withoutPidfd = "QNXSHM_WITHOUT_PIDFD"

// forbid makes pidfd_open answer ENOSYS, in all threads of this process.
func forbid(t *testing.T) {
	t.Helper()
	const load, equal, answer = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load}, // the number of the call
		{Code: equal, K: unix.SYS_PIDFD_OPEN, Jf: 1},
		{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(syscall.ENOSYS)},
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	require.NoError(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		t.Skipf("seccomp: %v", errno)
	}
	_, err := unix.PidfdOpen(os.Getpid(), 0)
	require.ErrorIs(t, err, syscall.ENOSYS)
}

// A descriptor of a process tells when it has ended, with pidfd_open and without.
func TestOpenProcess(t *testing.T) {
	if os.Getenv(withoutPidfd) != "" {
		forbid(t)
	} else {
		cmd := exec.Command(os.Args[0], "-test.run=^TestOpenProcess$", "-test.v")
		cmd.Env = append(os.Environ(), withoutPidfd+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		t.Logf("%s", out)
	}
	cat := exec.Command("cat")
	in, err := cat.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cat.Start())
	pid := cat.Process.Pid
	fd, err := linux.OpenProcess(pid)
	require.NoError(t, err)
	require.False(t, linux.Exited(fd))
	require.NoError(t, in.Close())
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	require.NoError(t, linux.IgnoringEINTR(func() error {
		_, err := unix.Poll(poll, 100_000)
		return err
	}))
	require.True(t, linux.Exited(fd), "before its parent has waited for it")
	require.NoError(t, unix.Close(fd))
	_, err = linux.OpenProcess(pid)
	require.ErrorIs(t, err, syscall.ESRCH)
	require.NoError(t, cat.Wait())
	_, err = linux.OpenProcess(pid)
	require.ErrorIs(t, err, syscall.ESRCH)

	// A thread is no process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if tid := unix.Gettid(); tid != os.Getpid() {
		_, err = linux.OpenProcess(tid)
		require.ErrorIs(t, err, syscall.ESRCH)
	}

	// Nobody looks on when the descriptor is closed.
	before := runtime.NumGoroutine()
	fd, err = linux.OpenProcess(os.Getpid())
	require.NoError(t, err)
	require.False(t, linux.Exited(fd))
	require.NoError(t, unix.Close(fd))
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(end), "a goroutine is left")
	}
}
