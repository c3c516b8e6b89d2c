//go:build linux

package memory

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// objectMode is the mode of anonymous objects: who may open which access is
// said by handles, and another user must not upgrade a read-only descriptor
// through /proc.
const objectMode = 0o644

const permittedOpenFlags = os.O_CREATE | os.O_EXCL | os.O_TRUNC | syscall.O_CLOEXEC

func openMode(flags int) (int, error) {
	mode := flags &^ permittedOpenFlags
	if mode != os.O_RDONLY && mode != os.O_RDWR {
		return 0, syscall.EINVAL
	}
	return mode, nil
}

// OpenAnonymous is shm_open with SHM_ANON.
func OpenAnonymous(flags int, _ fs.FileMode) (int, error) {
	mode, err := openMode(flags)
	if err != nil {
		return linux.NoFD, err
	}
	origin := newOrigin()
	fd, err := linux.Memfd(origin.name())
	if err != nil {
		return linux.NoFD, err
	}
	if err = unix.Fchmod(fd, objectMode); err == nil && mode == os.O_RDONLY {
		err = makeReadOnly(fd)
	}
	if err == nil {
		err = register(fd, origin)
	}
	if err != nil {
		unix.Close(fd)
		return linux.NoFD, err
	}
	return fd, nil
}

// register remembers a new object.
func register(fd int, o Origin) error {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err == nil {
		remember(keyOf(&st), o, false, 0, Window{})
	}
	return err
}

// makeReadOnly opens the file of fd once more, for reading, under the same
// number: it must be the lowest free one, which fd has.
func makeReadOnly(fd int) error {
	readOnly, err := linux.Reopen(linux.NoFD, fd, os.O_RDONLY)
	if err != nil {
		return err
	}
	err = unix.Dup3(readOnly, fd, unix.O_CLOEXEC)
	unix.Close(readOnly)
	return err
}
