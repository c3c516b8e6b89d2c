//go:build linux

package memory_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

const shmDir = "/dev/shm"

// TestNoTmpfs: where the kernel does not tell files in memory from others there
// are no objects with a name, and nothing is left behind.
func TestNoTmpfs(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		mount(t, "ramfs", shmDir, 0, "")
		for _, flags := range []int{os.O_RDWR | os.O_CREATE, os.O_RDWR, os.O_RDONLY} {
			_, err := memory.OpenObject("/x", flags, 0o600)
			requireCause(t, syscall.ENOSYS, err, shmDir, "tmpfs")
		}
		entries, err := os.ReadDir(shmDir)
		require.NoError(t, err)
		require.Empty(t, entries)
		testproc.WantErrno(t, syscall.ENOSYS, memory.UnlinkObject("/x"))
		unix.Close(newObject(t, 1, "anonymous ones go on"))
	})
}

// TestOnTheName: another file system can be mounted on a name, too.
func TestOnTheName(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		mount(t, "tmpfs", shmDir, 0, "")
		file, err := os.CreateTemp(t.TempDir(), "file")
		require.NoError(t, err)
		defer file.Close()
		require.NoError(t, os.WriteFile(filepath.Join(shmDir, "x"), nil, 0o600))
		require.NoError(t, unix.Mount(file.Name(), filepath.Join(shmDir, "x"), "", unix.MS_BIND, ""))
		_, err = memory.OpenObject("/x", os.O_RDWR, 0)
		testproc.WantErrno(t, syscall.EINVAL, err)
	})
}

// TestOtherDirectory: a file of what was at /dev/shm before is no object.
func TestOtherDirectory(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		mount(t, "tmpfs", shmDir, 0, "")
		file, err := os.Create(shmDir + "/x")
		require.NoError(t, err)
		defer file.Close()
		fd := int(file.Fd())
		require.True(t, describe(t, fd).Object)
		memory.Forget()
		mount(t, "tmpfs", shmDir, 0, "")
		require.False(t, describe(t, fd).Object)
	})
}

func TestDirectoryMissing(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		mount(t, "tmpfs", "/dev", 0, "")
		_, err := memory.OpenObject("/x", os.O_RDWR|os.O_CREATE, 0o600)
		requireCause(t, syscall.ENOSYS, err, shmDir, "missing")
		requireCause(t, syscall.ENOSYS, memory.UnlinkObject("/x"), shmDir, "missing")
	})
}

func TestReadOnlyDirectory(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		mount(t, "tmpfs", shmDir, 0, "")
		fd, err := memory.OpenObject("/x", os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(t, err)
		unix.Close(fd)
		require.NoError(t, unix.Mount("", shmDir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
		for _, name := range []string{"/x", "/y"} {
			_, err := memory.OpenObject(name, os.O_RDWR|os.O_CREATE, 0o600)
			requireCause(t, syscall.EACCES, err, shmDir, "read-only")
		}
		requireCause(t, syscall.EACCES, memory.UnlinkObject("/x"), "read-only")
		fd, err = memory.OpenObject("/x", os.O_RDONLY, 0)
		require.NoError(t, err)
		unix.Close(fd)
	})
}

func TestFullDirectory(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		mount(t, "tmpfs", shmDir, 0, "size=1m,nr_inodes=4")
		var err error
		var fd int
		opened := 0
		for ; err == nil && opened < 10; opened++ {
			if fd, err = memory.OpenObject(strings.Repeat("x", opened+1), os.O_RDWR|os.O_CREATE, 0o600); err == nil {
				defer unix.Close(fd)
			}
		}
		requireCause(t, syscall.ENOSPC, err, shmDir, "no room")

		fd, err = memory.OpenObject("/x", os.O_RDWR, 0)
		require.NoError(t, err)
		defer unix.Close(fd)
		_, err = unix.Pwrite(fd, []byte("A"), 0)
		require.NoError(t, err)
		before := used(t, fd)
		_, err = memory.Control(fd, nto.ControlAnonymous, 0, 4<<20, nobodyToServe)
		requireCause(t, syscall.ENOMEM, err, shmDir, "full")
		require.Equal(t, before, used(t, fd))
		requireSize(t, 1, fd)
		// The same for what has its size.
		require.NoError(t, memory.Truncate(fd, 4<<20))
		_, err = memory.Control(fd, nto.ControlAnonymous, 0, 4<<20, nobodyToServe)
		requireCause(t, syscall.ENOMEM, err, shmDir, "full")
		require.Equal(t, before, used(t, fd))
		requirePage(t, 'A', fd, 0)
	})
}

// TestProtected: with fs.protected_regular the file of another user must not be
// opened with O_CREAT, though it could be without. The sysctl is the whole
// system's, so it is only pretended to be on.
func TestProtected(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		mount(t, "tmpfs", shmDir, 0, "mode=1777")
		level := filepath.Join(t.TempDir(), "level")
		pretend := func(content string) {
			t.Helper()
			require.NoError(t, os.WriteFile(level, []byte(content), 0o600))
		}
		pretend("1\n")
		require.NoError(t, unix.Mount(level, "/proc/sys/fs/protected_regular", "", unix.MS_BIND, ""))
		const others, own = shmDir + "/others", shmDir + "/own"
		require.NoError(t, os.WriteFile(others, nil, 0o600))
		require.NoError(t, os.WriteFile(own, nil, 0o600))
		require.NoError(t, os.Chown(others, 12345, 12345))
		why := func(path string, flags int) string {
			return memory.WhyNotOpen(syscall.EACCES, path, flags).Error()
		}
		const create = os.O_RDWR | os.O_CREATE
		require.Contains(t, why(others, create), "protected_regular")
		require.NotContains(t, why(others, os.O_RDWR), "protected_regular")
		require.NotContains(t, why(own, create), "protected_regular")
		require.NotContains(t, why(shmDir+"/none", create), "protected_regular")
		require.NoError(t, unix.Chmod(shmDir, 0o1770))
		require.NotContains(t, why(others, create), "protected_regular")
		pretend("2\n")
		require.Contains(t, why(others, create), "protected_regular")
		require.NoError(t, unix.Chmod(shmDir, 0o777))
		require.NotContains(t, why(others, create), "protected_regular")
		require.NoError(t, unix.Chmod(shmDir, 0o1777))
		pretend("0\n")
		require.NotContains(t, why(others, create), "protected_regular")
	})
}

// TestProtectedInDeed asks the kernel, where the sysctl is on.
func TestProtectedInDeed(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		if level, err := os.ReadFile("/proc/sys/fs/protected_regular"); err != nil || level[0] == '0' {
			t.Skip("fs.protected_regular is off")
		}
		mount(t, "tmpfs", shmDir, 0, "mode=1777")
		require.NoError(t, os.WriteFile(shmDir+"/x", nil, 0o600))
		require.NoError(t, os.Chown(shmDir+"/x", 12345, 12345))
		_, err := memory.OpenObject("/x", os.O_RDWR|os.O_CREATE, 0o600)
		requireCause(t, syscall.EACCES, err, "protected_regular")
		fd, err := memory.OpenObject("/x", os.O_RDWR, 0)
		require.NoError(t, err)
		unix.Close(fd)
	})
}

// TestNoProc: what needs /proc says so, the rest goes on.
func TestNoProc(t *testing.T) {
	inMounts(t, func(t *testing.T) {
		whole := newObject(t, 2, "A")
		window := newWindow(t, whole, os.O_RDONLY, page, page)
		mount(t, "tmpfs", "/proc", 0, "")
		_, err := memory.OpenAnonymous(os.O_RDONLY, 0)
		requireCause(t, syscall.ENOSYS, err, "/proc")
		_, err = memory.Describe(window)
		requireCause(t, syscall.EBADF, err, "/proc", "part")
		fd := newObject(t, 1, "A")
		require.True(t, describe(t, fd).Origin.Own())
		control(t, fd, nto.ControlAnonymous|nto.ControlRevocable, uint64(2*page))
		requirePage(t, 'A', fd, 0)
		memory.Sweep()
		requirePage(t, 'A', fd, 0)
	})
}

// refuse has the kernel answer a system call with an errno, where its argument
// arg, counted from 0, is value; with any argument if arg is negative.
func refuse(t *testing.T, call uint32, errno syscall.Errno, arg int, value uint32) {
	t.Helper()
	const retErrno = 0x00050000 // SECCOMP_RET_ERRNO
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000}, // SECCOMP_RET_ALLOW
	}
	if arg >= 0 {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: uint32(16 + 8*arg)},
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jt: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: retErrno | uint32(errno)})
	if err := testproc.Filter(program); err != nil {
		t.Skip("no seccomp: ", err)
	}
}

// TestRefusedMemory: without memfd_create there are no anonymous objects.
func TestRefusedMemory(t *testing.T) {
	testproc.Options{}.Rerun(t, func(t *testing.T) {
		refuse(t, unix.SYS_MEMFD_CREATE, syscall.EPERM, -1, 0)
		_, err := memory.OpenAnonymous(os.O_RDWR, 0)
		requireCause(t, syscall.ENOSYS, err, "memfd_create", "EPERM")
	})
}

// TestRefusedLocks: without locks of descriptions there are no windows.
func TestRefusedLocks(t *testing.T) {
	testproc.Options{}.Rerun(t, func(t *testing.T) {
		fcntl := uint32(unix.SYS_FCNTL)
		if strconv.IntSize == 32 {
			fcntl = 221 // fcntl64
		}
		fd := newObject(t, 2, "")
		d := describe(t, fd)
		for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EINVAL, syscall.ENOSYS, syscall.ENOLCK} {
			refuse(t, fcntl, errno, 1, unix.F_OFD_SETLK) // the newest filter counts
			err := memory.Adopt(fd, d.Key, memory.Window{Offset: page, Size: page}, d.Origin)
			requireCause(t, syscall.EAGAIN, err, "F_OFD_SETLK", "part", qnxerr.Name(errno))
		}
		requireSize(t, 2*page, fd)
	})
}

// FuzzObjectPath makes paths of names that a program may pass.
func FuzzObjectPath(f *testing.F) {
	for _, name := range []string{"", "/", "a", "/a", "a/b", "..", "a/../b", "a\x00b", "/..", ".", strings.Repeat("x", 300), strings.Repeat("ä", 128)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if path, err := memory.ObjectPath(name); err == nil {
			require.Equal(t, shmDir, filepath.Dir(path))
			require.Equal(t, path, filepath.Clean(path))
			require.NotContains(t, path, "\x00")
		}
	})
}

// TestWhatHasTheName: something else than an object is refused and does not
// block.
func TestWhatHasTheName(t *testing.T) {
	name, fd := named(t)
	unix.Close(fd)
	path := shmDir + name
	_, err := memory.OpenObject(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	testproc.WantErrno(t, syscall.EEXIST, err)
	require.NoError(t, memory.UnlinkObject(name))
	_, err = memory.OpenObject(name, os.O_RDWR, 0)
	testproc.WantErrno(t, syscall.ENOENT, err)
	testproc.WantErrno(t, syscall.ENOENT, memory.UnlinkObject(name))
	for _, make := range []func() error{
		func() error { return unix.Mkfifo(path, 0o600) },
		func() error { return os.Mkdir(path, 0o700) },
	} {
		require.NoError(t, make())
		for _, flags := range []int{os.O_RDONLY, os.O_RDWR} {
			_, err := memory.OpenObject(name, flags, 0)
			testproc.WantErrno(t, syscall.EINVAL, err)
		}
		require.NoError(t, os.Remove(path))
	}
	require.NoError(t, os.Symlink("/etc/passwd", path))
	_, err = memory.OpenObject(name, os.O_RDONLY, 0)
	testproc.WantErrno(t, syscall.ELOOP, err)
}
