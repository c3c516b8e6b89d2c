package qnxshm

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A Handle names an object, or a part of one, for one recipient process and
// for one use (shm_handle_t). It is plain data: send it in a message, usually
// as the reply to the recipient. The value is opaque; 0 is never a valid
// handle.
type Handle uint64

// HandleSize is the number of bytes of a [Handle] in a message: the size of
// shm_handle_t. It is 8 on the host and on QNX OS 8.0.
const HandleSize = handleSize

// String returns the handle in hexadecimal, as errors show it.
func (h Handle) String() string { return fmt.Sprintf("%#x", uint64(h)) }

// AppendBinary appends the handle as C programs of the same machine see it: a
// shm_handle_t, [HandleSize] bytes in native byte order. The error is always nil
// for a handle that came from this package.
func (h Handle) AppendBinary(b []byte) ([]byte, error) {
	if HandleSize < 8 && uint64(h)>>(8*HandleSize%64) != 0 {
		return b, fmt.Errorf("qnxshm: handle %#x does not fit shm_handle_t of %d bytes: %w", uint64(h), HandleSize, syscall.EINVAL)
	}
	if HandleSize == 4 {
		return binary.NativeEndian.AppendUint32(b, uint32(h)), nil
	}
	return binary.NativeEndian.AppendUint64(b, uint64(h)), nil
}

// UnmarshalBinary reads a handle as AppendBinary and C programs write it. b
// must have exactly [HandleSize] bytes; anything else is an error that matches
// EINVAL and leaves h as it was. The bytes may come from anybody: whether the
// handle is good only [OpenHandle] can tell.
func (h *Handle) UnmarshalBinary(b []byte) error {
	if len(b) != HandleSize {
		return fmt.Errorf("qnxshm: a handle has %d bytes, got %d: %w", HandleSize, len(b), syscall.EINVAL)
	}
	if HandleSize == 4 {
		*h = Handle(binary.NativeEndian.Uint32(b))
	} else {
		*h = Handle(binary.NativeEndian.Uint64(b))
	}
	return nil
}

// Access says what memory is wanted or given for.
type Access int

const (
	ReadOnly  Access = 0 // O_RDONLY
	WriteOnly Access = 1 // O_WRONLY: opens, but no such descriptor can be mapped
	ReadWrite Access = 2 // O_RDWR
)

// String returns the C name, such as "O_RDONLY".
func (a Access) String() string {
	switch a {
	case ReadOnly:
		return "O_RDONLY"
	case WriteOnly:
		return "O_WRONLY"
	case ReadWrite:
		return "O_RDWR"
	}
	return fmt.Sprintf("%#x", int(a))
}

// HandleOptions are the options of a handle; unknown bits are refused with
// EINVAL.
type HandleOptions uint32

// HandleNoFD (SHM_CREATE_HANDLE_OPT_NOFD): the handle cannot become a descriptor,
// only be mapped ([Map]). A recipient without a descriptor can neither pass the
// object on nor map it again. Make such a handle after the object was made
// revocable.
const HandleNoFD HandleOptions = nto.HandleNoFD // 0x1

// CreateHandle makes a handle with which the process pid, and no other, can
// open the object behind fd once, with at most the given access.
//
// fd is any descriptor of a shared-memory object: from [OpenAnonymous],
// [OpenObject], [OpenHandle], or a duplicate of one. It is only lent. When fd is a
// window (see [CreateSubrangeHandle]) so is the new handle. The object may have
// size 0. pid may be the caller's own. The unused handle keeps the object
// alive, also after fd was closed; it ends when it is opened, when it is
// deleted, or when its maker or its recipient exits.
//
// Take pid from the Info of a message that is not yet replied to: its sender is
// then alive and waiting. A pid kept for later may by then be another
// process's.
//
// Errors, checked in this order:
//
//	EINVAL  access is not exactly one of the three modes, or opts has an unknown bit
//	EBADF   fd is not open, or not a shared-memory object
//	EACCES  access asks for more than fd was opened with
//	ESRCH   no process pid (a zombie, 0 and negative numbers included)
//	EAGAIN  QNX OS 8.0 and host: too many unused handles (HandleLimit)
//	ENOMEM  no memory for the handle
//
// On the host EAGAIN is also the answer when no descriptor is left, which may show
// before any but EINVAL, and when the object is revocable and its creator did not answer
// for 5 s, being stopped perhaps; and EPROTO when that creator has another version of
// this module.
//
// Host and target: the order is assumed for a target. An fd that is no
// shared-memory object is answered by whatever is behind it there, so the errno
// may be another one. On the host a window that reached this process otherwise
// than by a handle, such as by inheritance, is not recognised (EBADF).
//
// Since QNX SDP 7.1.
//
// Implements: int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options)
func CreateHandle(fd, pid int, access Access, opts HandleOptions) (Handle, error) {
	h, err := createHandle(fd, pid, access, opts)
	if err != nil {
		err = qnxerr.Because(err, syscall.EINVAL, wrongAccess(access))
		err = qnxerr.Because(err, syscall.ESRCH, wrongPID(pid))
		return 0, wrap(err, "shm_create_handle", "fd %d, pid %d, %v, options %#x", fd, pid, access, uint32(opts))
	}
	return h, nil
}

// CreateSubrangeHandle makes a handle like [CreateHandle], for a part of the
// object only: size bytes from offset on, both multiples of the page size
// ([os.Getpagesize]). Whoever opens it gets a window: offset 0 is the part's
// start, nothing outside can be reached, and it cannot be resized. When fd is
// itself a window, offset counts from its start. Mind the order of C: size
// before offset.
//
// Errors are those of [CreateHandle], and
//
//	EINVAL  size or offset is not a page multiple or negative, size is 0, or
//	        the part does not lie within the object behind fd
//
// Since QNX OS 8.0; ENOSYS on QNX SDP 7.1.
//
// Implements: int shm_create_subrange_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options, size_t size, off_t offset)
func CreateSubrangeHandle(fd, pid int, access Access, opts HandleOptions, size, offset int64) (Handle, error) {
	return createPart(fd, pid, access, opts, "size", size, offset)
}

// createPart is CreateSubrangeHandle with what to call the size in an error.
func createPart(fd, pid int, access Access, opts HandleOptions, what string, size, offset int64) (Handle, error) {
	h, err := createSubrangeHandle(fd, pid, access, opts, size, offset)
	if err != nil {
		return 0, wrap(partError(err, pid, access, what, size, offset), "shm_create_subrange_handle", "fd %d, pid %d, %v, options %#x, size %d, offset %d", fd, pid, access, uint32(opts), size, offset)
	}
	return h, nil
}

// OpenHandle turns a handle made for this process into a descriptor and uses
// the handle up. The descriptor belongs to the caller (see [NewObject]); it is
// the lowest free one and has FD_CLOEXEC set. A failed open leaves the handle
// as it was.
//
// access must be covered by the handle's: a [ReadWrite] handle opens in any mode,
// another one only in its own. The bit O_CLOEXEC is accepted and ignored.
//
// Errors:
//
//	EINVAL  access is not one of the three modes
//	EBADF   h is all ones (observed on targets; ESRCH is documented, so accept both)
//	ESRCH   no such handle for this process: it never existed, was used or
//	        deleted, was made for another process, or its maker is gone
//	EACCES  access is not covered by the handle, or the handle was made with HandleNoFD
//	EMFILE  the process has no descriptor left
//	ENFILE  the system has none left
//	EAGAIN  not enough resources; host: the maker did not answer for 5 s (it is
//	        stopped, or at a breakpoint)
//	ENOMEM  no memory
//	EPROTO  host: the maker has another version of this module
//
// Since QNX SDP 7.1.
//
// Implements: int shm_open_handle(shm_handle_t handle, int flags)
func OpenHandle(h Handle, access Access) (fd int, err error) {
	fd, err = openHandle(h, access)
	if err != nil {
		err = qnxerr.Because(err, syscall.ESRCH, wrongHandle(h))
		return -1, wrap(err, "shm_open_handle", "%#x, %v", uint64(h), access)
	}
	return fd, nil
}

// OpenHandlePID is [OpenHandle] for a handle that must have been made by the
// process maker: it guards against a third process feeding in a handle of its
// own. If somebody else made it, the answer is ESRCH and the handle is kept.
//
// Errors are those of [OpenHandle].
//
// Since QNX OS 8.0; ENOSYS on QNX SDP 7.1.
//
// Implements: int shm_open_handle_pid(shm_handle_t handle, int flags, pid_t pid)
func OpenHandlePID(h Handle, access Access, maker int) (fd int, err error) {
	fd, err = openHandlePID(h, access, maker)
	if err != nil {
		err = qnxerr.Because(err, syscall.ESRCH, wrongHandle(h))
		return -1, wrap(err, "shm_open_handle_pid", "%#x, %v, maker %d", uint64(h), access, maker)
	}
	return fd, nil
}

// DeleteHandle destroys a handle that was not used. Its maker and its recipient
// may. It is seldom needed, because opening a handle uses it up; after an
// exchange that failed half-way treat ESRCH as success.
//
// Errors:
//
//	ESRCH   no such handle, or the caller is neither its maker nor its recipient
//	EAGAIN  host: the maker did not answer for 5 s
//	EMFILE  host: the process has no descriptor left to ask the maker with (or
//	        ENFILE: the system)
//	EPROTO  host: the maker has another version of this module
//
// Since QNX SDP 7.1.
//
// Implements: int shm_delete_handle(shm_handle_t handle)
func DeleteHandle(h Handle) error {
	if err := deleteHandle(h); err != nil {
		return wrap(err, "shm_delete_handle", "%#x", uint64(h))
	}
	return nil
}

// OpenAnonymous makes a new shared-memory object of size 0 that has no name and
// returns a descriptor of it, which belongs to the caller: the lowest free one,
// with FD_CLOEXEC set. flags are os.O_RDWR or os.O_RDONLY; os.O_CREATE,
// os.O_EXCL and os.O_TRUNC may be added and change nothing. The object lives
// until the last descriptor, mapping and unused handle of it is gone.
//
// perm is accepted for the target's sake. On the host the object's mode is
// always 0644: the handles say who gets which access, and so another user
// cannot upgrade a read-only descriptor.
//
// Errors:
//
//	EINVAL          unknown flags, or os.O_WRONLY (a target may take either)
//	EMFILE, ENFILE  no descriptor left in the process, in the system
//	ENOMEM, ENOSPC  no memory
//	EINTR           target: interrupted by a signal
//	ENOSYS          target: its path manager has no shared memory; host: the
//	                system refuses to make memory without a name (memfd_create)
//
// Since QNX SDP 7.0.
//
// Implements: int shm_open(const char *name, int oflag, mode_t mode), name SHM_ANON
func OpenAnonymous(flags int, perm fs.FileMode) (fd int, err error) {
	fd, err = openAnonymous(flags, perm)
	if err != nil {
		return -1, wrap(err, "shm_open", "SHM_ANON, %s, %#o", openFlags(flags), perm.Perm())
	}
	return fd, nil
}

// OpenObject opens the shared-memory object called name, or makes it when flags
// has os.O_CREATE. The descriptor belongs to the caller: the lowest free one,
// with FD_CLOEXEC set. flags are os.O_RDONLY or os.O_RDWR, with os.O_CREATE,
// os.O_EXCL and os.O_TRUNC as for a file. perm, less the umask, is used when
// the object is made. A name is "/" and at most 255 bytes without another "/".
// The object lives until the name is removed ([UnlinkObject]) and nobody uses it.
//
// Errors:
//
//	EINVAL          unknown flags or os.O_WRONLY (a target may take either), a
//	                zero byte in the name; host: something else has the name
//	EACCES          not permitted; host: also where /dev/shm is read-only, and where
//	                the system (fs.protected_regular) wants another user's object
//	                opened without os.O_CREATE
//	EEXIST          os.O_CREATE|os.O_EXCL and the name exists
//	ENOENT          no such object, or an empty name, or a directory in the name does not exist
//	ENAMETOOLONG    name longer than NAME_MAX
//	ELOOP           a symbolic link on the host; on a target too many of them
//	EMFILE, ENFILE  no descriptor left in the process, in the system
//	ENOSPC          no space
//	EINTR           target: interrupted by a signal
//	ENOSYS          target: its path manager has no shared memory; host: /dev/shm is
//	                missing, or no tmpfs
//
// Host and target: objects are files in /dev/shm on the host and in /dev/shmem
// on the target, where a name without "/" is relative to the working directory;
// the host takes it as if it began with "/".
//
// Since QNX SDP 6.
//
// Implements: int shm_open(const char *name, int oflag, mode_t mode)
func OpenObject(name string, flags int, perm fs.FileMode) (fd int, err error) {
	fd, err = openObject(name, flags, perm)
	if err != nil {
		return -1, wrap(nameError(err, name), "shm_open", "%q, %s, %#o", name, openFlags(flags), perm.Perm())
	}
	return fd, nil
}

// UnlinkObject removes the name of an object. Descriptors, mappings and unused
// handles of it stay good.
//
// Errors:
//
//	EINVAL        a zero byte in the name
//	EACCES        not permitted
//	ENOENT        no such object, or an empty name
//	ENAMETOOLONG  name longer than PATH_MAX; host: than NAME_MAX
//	ELOOP         target: too many symbolic links
//	ENOSYS        target: its path manager cannot remove names; host: /dev/shm is
//	              missing, or no tmpfs
//
// Since QNX SDP 6.
//
// Implements: int shm_unlink(const char *name)
func UnlinkObject(name string) error {
	if err := unlinkObject(name); err != nil {
		return wrap(nameError(err, name), "shm_unlink", "%q", name)
	}
	return nil
}
