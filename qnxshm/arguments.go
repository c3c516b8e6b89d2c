package qnxshm

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// What is wrong with an argument, for the text of an error that the backend has
// returned; "" if nothing is. Whether it is an error, only the backend decides.

func wrongAccess(access Access) string {
	switch access {
	case ReadOnly, WriteOnly, ReadWrite:
		return ""
	}
	return "access must be O_RDONLY, O_WRONLY or O_RDWR, and nothing else"
}

func wrongPID(pid int) string {
	if pid > 0 {
		return ""
	}
	return "pid must be above 0: that of the process which will open the handle, such as Info.PID of its message"
}

func wrongHandle(h Handle) string {
	if h != 0 {
		return ""
	}
	return "0 is never a handle: none was received, or none was made"
}

func notPositive(what string, n int64) string {
	if n > 0 {
		return ""
	}
	return what + " must be above 0"
}

func notPages(what string, n int64) string {
	page := int64(os.Getpagesize())
	switch {
	case n < 0:
		return what + " must not be negative"
	case n%page != 0:
		return fmt.Sprintf("%s must be a multiple of the page size, %d", what, page)
	}
	return ""
}

// partError explains an error of making a handle of a part. what the size is
// called depends on who has chosen it.
func partError(err error, pid int, access Access, what string, size, offset int64) error {
	err = qnxerr.Because(err, syscall.ESRCH, wrongPID(pid))
	return qnxerr.Because(err, syscall.EINVAL, wrongAccess(access),
		notPages("offset", offset), notPositive(what, size), notPages(what, size))
}

// mapError explains an error of mapping; what else may be wrong is in texts.
func mapError(err error, access Access, texts ...string) error {
	if access == WriteOnly {
		err = qnxerr.Because(err, syscall.EACCES, "no memory can only be written: access must be O_RDWR")
	}
	return qnxerr.Because(err, syscall.EINVAL, append([]string{wrongAccess(access)}, texts...)...)
}

// rangeError explains an error of mapping a range.
func rangeError(err error, access Access, offset, length int64) error {
	return mapError(err, access, notPositive("length", length), notPages("offset", offset))
}

// nameError explains an error of a call that takes a name.
func nameError(err error, name string) error {
	if strings.IndexByte(name, 0) >= 0 {
		err = qnxerr.Because(err, syscall.EINVAL, "the name must not have a zero byte")
	}
	return err
}

// openFlags is the C text of the flags of shm_open, such as "O_RDWR|O_CREAT".
func openFlags(flags int) string {
	const access = os.O_RDONLY | os.O_WRONLY | os.O_RDWR
	text := Access(flags & access).String()
	rest := flags &^ access
	for _, f := range []struct {
		bit  int
		name string
	}{{os.O_CREATE, "O_CREAT"}, {os.O_EXCL, "O_EXCL"}, {os.O_TRUNC, "O_TRUNC"}} {
		if rest&f.bit != 0 {
			text += "|" + f.name
			rest &^= f.bit
		}
	}
	if rest != 0 {
		text += fmt.Sprintf("|%#x", rest)
	}
	return text
}
