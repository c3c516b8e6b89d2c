package qnxshm

import "syscall"

const (
	notOpen   = "fd is not an open descriptor" + orForeignWindow
	notObject = "fd is not an open descriptor of a shared-memory object" + orForeignWindow

	orForeignWindow = "; or, on the host, it is a window that reached this process otherwise than by a handle"
)

// meaning tells a person what an errno means in a call, where the errno's own
// text would not.
func meaning(call string, errno syscall.Errno) string {
	switch call {
	case "shm_create_handle", "shm_create_subrange_handle":
		switch errno {
		case syscall.EACCES:
			return "access asks for more than fd was opened with"
		case syscall.EAGAIN:
			return "too many unused handles; on the host, no descriptor is left to serve them with"
		case syscall.EBADF:
			return notObject
		case syscall.EINVAL:
			if call == "shm_create_handle" {
				return "options has unknown bits"
			}
			return "the part does not lie within the object or the window, or options has unknown bits"
		case syscall.ESRCH:
			return "no process has this pid, or it has ended"
		}
	case "shm_open_handle", "shm_open_handle_pid":
		switch errno {
		case syscall.EACCES:
			return "more access than the handle gives, or it can only be mapped"
		case syscall.EAGAIN:
			return "not enough resources; on the host the maker did not answer, being stopped, or has no descriptor left; the handle is kept"
		case syscall.EBADF:
			return "not a handle"
		case syscall.EINVAL:
			return "access must be one of O_RDONLY, O_WRONLY, O_RDWR"
		case syscall.EMFILE:
			return "no descriptor left in this process; the handle is kept"
		case syscall.ENFILE:
			return "no descriptor left in the system; the handle is kept"
		case syscall.ESRCH:
			if call == "shm_open_handle_pid" {
				return "no such handle for this process from that maker: used, deleted, revoked, made by or for another, or its maker has ended"
			}
			return "no such handle for this process: used, deleted, revoked, made for another, or its maker has ended"
		}
	case "shm_delete_handle":
		if errno == syscall.ESRCH {
			return "no such handle of this process: used, deleted, revoked, or of others"
		}
	case "shm_revoke":
		switch errno {
		case syscall.EBADF:
			return notObject
		case syscall.EINVAL:
			return "the object was not made revocable"
		case syscall.ENOMEM:
			return "on the host: no descriptor is left to ask the other processes with"
		case syscall.EPERM:
			return "only the process that created the object can take it back"
		case syscall.ESRCH:
			return "no process has this pid, and none that had it has used the object"
		}
	case "shm_ctl":
		switch errno {
		case syscall.EBADF:
			return notObject
		case syscall.EINVAL:
			return "unknown flags, or flags, size and paddr that do not go together"
		case syscall.ENOMEM:
			return "no memory for this size"
		case syscall.ENOSYS:
			return "on the host: only a target has physical, typed and special memory, and only anonymous objects can be sealed or made revocable"
		case syscall.EPERM:
			return "the object is sealed, or this descriptor must not change it: a window, not open for writing, without privilege, or on the host not the creator's"
		}
	case "getrlimit":
		if errno == syscall.EINVAL {
			return "this system has no such limit"
		}
	case "setrlimit":
		switch errno {
		case syscall.EINVAL:
			return "the limit must not be above its maximum; QNX SDP 7.1 has no such limit"
		case syscall.EPERM:
			return "raising the maximum needs privilege"
		}
	case "shm_open":
		switch errno {
		case syscall.ENOENT:
			return "no such object, or no such directory"
		case syscall.EEXIST:
			return "the object exists"
		case syscall.EINVAL:
			return "flags must be O_RDONLY or O_RDWR, with or without O_CREAT, O_EXCL and O_TRUNC; on the host, something else may have the name"
		}
	case "shm_unlink":
		if errno == syscall.ENOENT {
			return "no such object"
		}
	case "fstat":
		if errno == syscall.EBADF {
			return notOpen
		}
	case "mmap":
		switch errno {
		case syscall.EBADF:
			return notOpen
		case syscall.EACCES:
			return "the descriptor does not give this access"
		case syscall.EINVAL:
			return "not a range that can be mapped"
		case syscall.EOVERFLOW:
			return "offset and length together are too large"
		case syscall.ENOMEM:
			return "no address space for this length"
		case syscall.ENXIO:
			return "the range does not lie within the window that the handle gave"
		}
	case "mmap_handle", "mmap_handle_pid":
		switch errno {
		case syscall.EACCES:
			return "more access than the handle gives; memory can only be mapped for reading, or for reading and writing"
		case syscall.EAGAIN:
			return "not enough resources; on the host the maker did not answer, being stopped, or a process has no descriptor left; the handle is kept"
		case syscall.EBADF:
			return "not a handle"
		case syscall.EINVAL:
			return "access must be O_RDONLY or O_RDWR, and the length not 0"
		case syscall.ENOMEM:
			return "no address space; the handle is kept"
		case syscall.ENXIO:
			return "outside the part that the handle gives; the handle is kept"
		case syscall.ESRCH:
			if call == "mmap_handle_pid" {
				return "no such handle for this process from that maker: used, deleted, revoked, or made by or for another"
			}
			return "no such handle for this process: used, deleted, revoked, or made for another"
		}
	case "ftruncate":
		switch errno {
		case syscall.EBADF:
			return notOpen
		case syscall.EPERM:
			return "the object is sealed, or the descriptor a window: the size cannot be changed"
		case syscall.EINVAL:
			return "the size must be 0 or more, and the descriptor open for writing"
		}
	}
	return ""
}
