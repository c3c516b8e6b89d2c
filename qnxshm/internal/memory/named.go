//go:build linux

package memory

import (
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

func objectPath(name string) (string, error) {
	name = strings.TrimPrefix(name, "/")
	switch {
	case name == "":
		return "", syscall.ENOENT
	case strings.IndexByte(name, 0) >= 0:
		return "", syscall.EINVAL
	case len(name) > unix.NAME_MAX:
		return "", syscall.ENAMETOOLONG
	case name == "." || name == ".." || strings.Contains(name, "/"):
		return "", syscall.ENOENT
	}
	return objectDir + name, nil
}

// OpenObject is shm_open with a name.
func OpenObject(name string, flags int, perm fs.FileMode) (int, error) {
	mode, err := openMode(flags)
	if err != nil {
		return linux.NoFD, err
	}
	if mode == os.O_RDONLY {
		flags &^= os.O_TRUNC // has a meaning for writers only
	}
	path, err := objectPath(name)
	if err != nil {
		return linux.NoFD, err
	}
	if err := canHaveObjects(); err != nil {
		return linux.NoFD, err
	}
	var fd int
	err = linux.IgnoringEINTR(func() error {
		// Not blocking: somebody may have put a FIFO there.
		fd, err = unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, uint32(perm.Perm()))
		return err
	})
	if err != nil {
		return linux.NoFD, whyNotOpen(err, path, flags)
	}
	linux.Opened(fd)
	var st unix.Stat_t
	// Not of memory is what was mounted on the name.
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || !linux.IsMemory(fd) {
		unix.Close(fd)
		return linux.NoFD, errNotObject
	}
	remember(keyOf(&st), Origin{}, anyTagged(fd), 0, Window{})
	return fd, nil
}

var errNotObject = qnxerr.Cause{Errno: syscall.EINVAL, Text: "what has the name in /dev/shm is not a file in memory"}

// canHaveObjects says what is wrong with the directory, if anything. In another
// file system than tmpfs the kernel does not tell files in memory from others, so
// nobody who gets one could trust it.
func canHaveObjects() error {
	var dir unix.Statfs_t
	switch err := linux.IgnoringEINTR(func() error { return unix.Statfs(objectDir, &dir) }); {
	case err == syscall.ENOENT || err == syscall.ENOTDIR:
		return qnxerr.Cause{Errno: syscall.ENOSYS, Text: "objects with a name need the directory /dev/shm, which is missing"}
	case err != nil:
		return nil // to open will tell
	case uint32(dir.Type) != unix.TMPFS_MAGIC:
		return qnxerr.Cause{Errno: syscall.ENOSYS, Text: "objects with a name need a tmpfs at /dev/shm, where another file system is mounted"}
	}
	return nil
}

// whyNotOpen gives the failure to open a named object a text, where the errno
// alone would mislead, and an errno that shm_open has.
func whyNotOpen(err error, path string, flags int) error {
	switch err {
	case syscall.EROFS:
		return errReadOnly
	case syscall.ENOSPC, syscall.EDQUOT:
		return qnxerr.Cause{Errno: syscall.ENOSPC, Text: "/dev/shm, where objects with a name are, has no room for another file"}
	case syscall.EISDIR, syscall.ENXIO, syscall.ENODEV:
		return errNotObject
	case syscall.EACCES:
		if flags&os.O_CREATE != 0 && isProtected(path, flags) {
			return qnxerr.Cause{Errno: syscall.EACCES, Text: "the object is another user's, and the system (fs.protected_regular) forbids to open such a file of /dev/shm with O_CREAT: open it without"}
		}
		if modePermits(path, flags) {
			return qnxerr.Cause{Errno: syscall.EACCES, Text: "something keeps this process from /dev/shm, where objects with a name are, though the mode permits it: Landlock, or another security module"}
		}
	}
	return err
}

var errReadOnly = qnxerr.Cause{Errno: syscall.EACCES, Text: "/dev/shm, where objects with a name are, is mounted read-only"}

// modePermits reports whether the modes of the file, or of the directory it would be
// made in, permit what open was refused.
func modePermits(path string, flags int) bool {
	want := accessBits(flags)
	var file unix.Stat_t
	if unix.Lstat(path, &file) != nil {
		path, want = objectDir, unix.W_OK|unix.X_OK
	}
	return unix.Faccessat(unix.AT_FDCWD, path, want, unix.AT_EACCESS) == nil
}

func accessBits(flags int) uint32 {
	if flags&unix.O_ACCMODE == unix.O_RDWR {
		return unix.R_OK | unix.W_OK
	}
	return unix.R_OK
}

// Full tells that objects with a name can have no more memory, if that is so.
func Full() string {
	var dir unix.Statfs_t
	if unix.Statfs(objectDir, &dir) == nil && dir.Blocks > 0 && dir.Bavail == 0 {
		return "/dev/shm, where objects with a name are, is full"
	}
	return ""
}

// isProtected reports whether the sysctl fs.protected_regular keeps this user
// from opening an existing file with O_CREAT: without, it would be permitted.
func isProtected(path string, flags int) bool {
	level, err := linux.ReadFile("/proc/sys/fs/protected_regular")
	if err != nil || len(level) == 0 || level[0] == '0' {
		return false
	}
	var dir, file unix.Stat_t
	if unix.Stat(objectDir, &dir) != nil || unix.Lstat(path, &file) != nil || unix.Faccessat(unix.AT_FDCWD, path, accessBits(flags), unix.AT_EACCESS) != nil {
		return false
	}
	// 1 protects in directories in which all may write, 2 also in those of a group.
	shared := uint32(unix.S_IWOTH)
	if level[0] != '1' {
		shared |= unix.S_IWGRP
	}
	return dir.Mode&unix.S_ISVTX != 0 && uint32(dir.Mode)&shared != 0 && file.Mode&unix.S_IFMT == unix.S_IFREG &&
		file.Uid != dir.Uid && int(file.Uid) != unix.Geteuid()
}

// UnlinkObject is shm_unlink.
func UnlinkObject(name string) error {
	path, err := objectPath(name)
	if err != nil {
		return err
	}
	err = unix.Unlink(path)
	switch err {
	case syscall.EROFS:
		return errReadOnly
	case syscall.ENOENT:
		if err := canHaveObjects(); err != nil {
			return err
		}
	}
	return err
}
