package qnxerr

import (
	"fmt"
	"syscall"
)

// ESRVRFAULT is QNX's errno for a fault in the server's buffers during a
// message transfer. No other system has it; the number is QNX's own and lies
// outside the range of every supported system. (Others that package syscall may
// lack are in errno_qnx.go.)
const ESRVRFAULT syscall.Errno = 312

// Name returns the symbolic name of e, such as "ESRCH". Numbers differ between
// QNX and other systems, names do not.
func Name(e syscall.Errno) string {
	for i := range names {
		if names[i].errno == e {
			return names[i].name
		}
	}
	return fmt.Sprintf("errno %d", uintptr(e))
}

// ByName is the inverse of Name, for the names the calls of this module use.
func ByName(name string) (syscall.Errno, bool) {
	for i := range names {
		if names[i].name == name {
			return names[i].errno, true
		}
	}
	return 0, false
}

var names = [...]struct {
	errno syscall.Errno
	name  string
}{
	{0, "EOK"},
	{syscall.E2BIG, "E2BIG"},
	{syscall.EACCES, "EACCES"},
	{syscall.EAGAIN, "EAGAIN"},
	{syscall.EBADF, "EBADF"},
	{EBADMSG, "EBADMSG"},
	{syscall.EBUSY, "EBUSY"},
	{syscall.ECANCELED, "ECANCELED"},
	{syscall.ECHILD, "ECHILD"},
	{syscall.ECONNREFUSED, "ECONNREFUSED"},
	{syscall.ECONNRESET, "ECONNRESET"},
	{syscall.EDEADLK, "EDEADLK"},
	{syscall.EDOM, "EDOM"},
	{syscall.EEXIST, "EEXIST"},
	{syscall.EFAULT, "EFAULT"},
	{syscall.EFBIG, "EFBIG"},
	{syscall.EINTR, "EINTR"},
	{syscall.EINVAL, "EINVAL"},
	{syscall.EIO, "EIO"},
	{syscall.EISDIR, "EISDIR"},
	{syscall.ELOOP, "ELOOP"},
	{syscall.EMFILE, "EMFILE"},
	{syscall.EMSGSIZE, "EMSGSIZE"},
	{syscall.ENAMETOOLONG, "ENAMETOOLONG"},
	{syscall.ENFILE, "ENFILE"},
	{syscall.ENODEV, "ENODEV"},
	{syscall.ENOENT, "ENOENT"},
	{syscall.ENOEXEC, "ENOEXEC"},
	{syscall.ENOMEM, "ENOMEM"},
	{syscall.ENOSPC, "ENOSPC"},
	{syscall.ENOSYS, "ENOSYS"},
	{syscall.ENOTDIR, "ENOTDIR"},
	{syscall.ENOTSUP, "ENOTSUP"},
	{syscall.ENOTTY, "ENOTTY"},
	{syscall.ENXIO, "ENXIO"},
	{syscall.EOVERFLOW, "EOVERFLOW"},
	{syscall.EPERM, "EPERM"},
	{syscall.EPIPE, "EPIPE"},
	{EPROTO, "EPROTO"},
	{syscall.ERANGE, "ERANGE"},
	{syscall.EROFS, "EROFS"},
	{syscall.ESPIPE, "ESPIPE"},
	{syscall.ESRCH, "ESRCH"},
	{ESRVRFAULT, "ESRVRFAULT"},
	{syscall.ETIMEDOUT, "ETIMEDOUT"},
	{syscall.EXDEV, "EXDEV"},
}
