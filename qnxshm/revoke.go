package qnxshm

import (
	"errors"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

var (
	// ErrRevoked is matched by the error of an access to memory that the
	// creator of the object has taken back.
	ErrRevoked = errors.New("qnxshm: the memory was revoked")

	// ErrRevokePending is matched by the error of a Revoke that a process has
	// not confirmed in time, on the host only. The text names the processes,
	// but not in programs built with -tags qnx. It matches EAGAIN too, which is
	// all that C programs are told.
	ErrRevokePending = qnxerr.ErrRevokePending
)

// Revoke takes the object behind fd back from the process pid, or with pid -1
// from every process, the caller included: its mappings become inaccessible, and
// unused handles made for it are destroyed, whoever made them. Only mappings made
// after the object was marked [ControlRevocable] can be taken back, and always all
// of the object, also from those who have mapped a part. Descriptors stay: a
// recipient that has one can map again, so give it handles with [HandleNoFD]. Nothing is
// forbidden for later: the same process may get a new handle, and map it.
//
// nil means that from now on no access by that process through its revoked
// mappings succeeds. In its program such an access is a fault (SIGSEGV), which
// View, ReadAt and WriteAt turn into an error that matches [ErrRevoked].
//
// fd is any descriptor of the object, and only lent.
//
// Errors:
//
//	EBADF   fd is not open, or not a shared-memory object; host: or an
//	        inherited window (see CreateHandle)
//	EPERM   the caller is not the creator: the process that opened the object first
//	EINVAL  the object is not revocable
//	ESRCH   no process pid, and none that had the object
//	EAGAIN  host: a process did not confirm within a second, being stopped
//	        perhaps; its mappings go as soon as it runs again. Until it has
//	        confirmed, further calls do not wait that long for it. It matches
//	        ErrRevokePending
//	ENOMEM  host: nothing was revoked, because this process has no descriptor left
//	        to ask the others with
//
// Host and target: the errno are assumed, no document lists them. On the host the
// mapping process's own library does it, so a hostile process is not contained,
// and memory of a revocable object must be unmapped by this module, not past it.
// Who has made handles for pid has to confirm, too.
//
// Since QNX SDP 7.1.
//
// Implements: int shm_revoke(int fd, pid_t pid)
func Revoke(fd, pid int) error {
	err := revoke(fd, pid)
	if err == nil {
		return nil
	}
	cause := err
	if errors.Is(err, ErrRevokePending) {
		cause = qnxerr.Cause{Errno: syscall.EAGAIN, Text: err.Error()}
	}
	failed := wrap(cause, "shm_revoke", "fd %d, pid %d", fd, pid)
	if errors.Is(err, ErrRevokePending) {
		return &pendingError{failed, err}
	}
	return failed
}

// pendingError is the *Error of a Revoke, and matches ErrRevokePending too.
type pendingError struct {
	error
	pending error
}

func (e *pendingError) Unwrap() []error { return []error{e.error, e.pending} }

// Revoke takes the object back from the process pid.
//
// Errors are those of the package's Revoke.
func (o *Object) Revoke(pid int) error { return o.revoke("Revoke", pid) }

// RevokeAll takes the object back from every process, this one included: it
// loses its own mappings, too. It is [Revoke] with pid -1.
//
// Errors are those of the package's [Revoke].
func (o *Object) RevokeAll() error { return o.revoke("RevokeAll", everyProcess) }

// everyProcess is the pid that stands for all in shm_revoke.
const everyProcess = -1

func (o *Object) revoke(method string, pid int) error {
	fd, ok := o.enter()
	if !ok {
		return qnxerr.Closed("qnxshm: Object." + method)
	}
	defer o.leave()
	return Revoke(fd, pid)
}
