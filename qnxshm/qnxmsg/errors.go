package qnxmsg

import (
	"fmt"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// An Error is the failure of one call: qnxshm.Error by another name.
type Error = qnxshm.Error

// ESRVRFAULT is QNX's errno for a fault in the server's buffers, which package
// syscall of other systems does not have.
const ESRVRFAULT = qnxerr.ESRVRFAULT

// wrap makes the Error of a call from what its backend returned.
func wrap(err error, call, format string, args ...any) error {
	errno, detail := qnxerr.Explain(err, call, meaning)
	return &Error{Call: call, Args: fmt.Sprintf(format, args...), Errno: errno, Detail: detail}
}
