package qnxshm

import (
	"fmt"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// An Error is the failure of one call of this package or of qnxmsg. [errors.Is]
// matches the errno (syscall.ESRCH) and what it stands for (fs.ErrPermission,
// [errors.ErrUnsupported]).
type Error struct {
	Call   string        // C name of the call, such as "shm_open_handle"
	Args   string        // its arguments, as text
	Errno  syscall.Errno // why it failed; compare by name, numbers differ between systems
	Detail string        // what that errno means in this call
}

// Error names the call, its arguments, the errno and what it means here.
func (e *Error) Error() string {
	s := e.Call + "(" + e.Args + "): " + qnxerr.Name(e.Errno)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap gives the errno, so that [errors.Is] finds it and what it stands for.
func (e *Error) Unwrap() error { return e.Errno }

// wrap makes the Error of a call from what its backend returned.
func wrap(err error, call, format string, args ...any) error {
	errno, detail := qnxerr.Explain(err, call, meaning)
	return &Error{Call: call, Args: fmt.Sprintf(format, args...), Errno: errno, Detail: detail}
}
