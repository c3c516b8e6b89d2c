//go:build linux

package memory

import (
	"bytes"
	"iter"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A window must stay one through dup, so it belongs to the open file
// description, which Linux lets nobody name. But a description can hold a lock
// on a byte range of its own (OFD lock), which goes with the last duplicate and
// can be read back: a lock on one byte far beyond any object is the tag.
const firstTag = 1 << 62

func setWindowTag(fd int) (tag uint64, err error) {
	const attempts = 16
	for range attempts {
		tag = firstTag | linux.RandomUint64()&(firstTag-1)>>1<<1 // even: locks never touch and merge
		lock := unix.Flock_t{Type: unix.F_RDLCK, Whence: unix.SEEK_SET, Start: int64(tag), Len: 1}
		err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
		if err == syscall.EBADF { // open for writing only
			lock.Type = unix.F_WRLCK
			err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
		}
		if err != syscall.EAGAIN { // somebody drew the same number
			break
		}
	}
	if err == nil || err == syscall.EBADF {
		return tag, err
	}
	if err == syscall.EAGAIN {
		return 0, qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the whole object is locked (fcntl), where the host marks the part"}
	}
	return 0, qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the system refuses locks of open file descriptions (fcntl F_OFD_SETLK: " +
		qnxerr.Name(err.(syscall.Errno)) + "), with which the host marks a part of an object: a seccomp filter, perhaps of a container"}
}

// tagsOf returns the tags of fd's open file description. It can have several:
// when its object belongs to another user, it is passed on as it is, and tagged
// anew by each recipient.
func tagsOf(fd int) ([]uint64, error) {
	info, err := linux.ReadFile(linux.OwnProc + "fdinfo/" + strconv.Itoa(fd))
	if err == syscall.ENOENT {
		err = syscall.EBADF
		if !linux.HasProc() {
			err = qnxerr.Cause{Errno: syscall.EBADF, Text: "the host needs /proc, which is not mounted, to tell which part of the object the descriptor is of"}
		}
	}
	if err != nil {
		return nil, err
	}
	return slices.Collect(windowTags(info)), nil
}

// anyTagged reports whether some description of the object of fd has a tag, in
// whatever process: to a lock of this process itself all of them are in the way.
func anyTagged(fd int) bool {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: unix.SEEK_SET, Start: firstTag}
	err := unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &lock)
	return err != nil || lock.Type != unix.F_UNLCK
}

// windowTags finds the tags in the content of a file of fdinfo in /proc:
//
//	lock:	1: OFDLCK ADVISORY  READ -1 00:01:1027 4611686018427387906 4611686018427387906
func windowTags(info []byte) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for line := range bytes.Lines(info) {
			fields := bytes.Fields(line)
			if len(fields) < 9 || string(fields[0]) != "lock:" || string(fields[2]) != "OFDLCK" || !bytes.Equal(fields[7], fields[8]) {
				continue
			}
			tag, err := strconv.ParseUint(string(fields[7]), 10, 64)
			if err == nil && tag >= firstTag && !yield(tag) {
				return
			}
		}
	}
}
