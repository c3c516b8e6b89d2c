//go:build !linux && !qnx

package procnto

import (
	"io/fs"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// On systems that are neither host nor target every call fails. ENOSYS makes
// the error match errors.ErrUnsupported.
var errUnsupported = qnxerr.Cause{
	Errno: syscall.ENOSYS,
	Text:  "not supported on " + runtime.GOOS + ": the host is Linux, the target QNX",
}

func CreateHandle(fd, pid, access int, options uint32) (uint64, error) { return 0, errUnsupported }

func CreateSubrangeHandle(fd, pid, access int, options uint32, size, offset int64) (uint64, error) {
	return 0, errUnsupported
}

func OpenHandle(h uint64, access int) (fd int, err error) { return -1, errUnsupported }

func OpenHandlePID(h uint64, access, maker int) (fd int, err error) { return -1, errUnsupported }

func DeleteHandle(h uint64) error { return errUnsupported }

func OpenAnonymous(flags int, perm fs.FileMode) (fd int, err error) { return -1, errUnsupported }

func OpenObject(name string, flags int, perm fs.FileMode) (fd int, err error) {
	return -1, errUnsupported
}

func UnlinkObject(name string) error { return errUnsupported }

func ObjectSize(fd int) (int64, error) { return 0, errUnsupported }

func Truncate(fd int, size int64) error { return errUnsupported }

func CloseDescriptor(fd int) error { return errUnsupported }

func Map(fd, access int, offset, length int64) ([]byte, error) { return nil, errUnsupported }

func MapWhole(fd, access int) ([]byte, error) { return nil, errUnsupported }

func Unmap(b []byte) error { return errUnsupported }

func Control(fd int, flags uint32, paddr, size uint64) (uint32, error) { return 0, errUnsupported }

func MapHandle(id uint64, access int, length int64, maker int) ([]byte, error) {
	return nil, errUnsupported
}

func MakerOf(id uint64) int { return 0 }

func HandleLimit() (cur, max uint64, err error) { return 0, 0, errUnsupported }

func SetHandleLimit(cur, max uint64) error { return errUnsupported }

func Revoke(fd, pid int) error { return errUnsupported }

func Revoked(unsafe.Pointer) bool { return false }

// A Name is a name that NameAttach has published.
type Name struct{}

// Detach removes the name.
func (*Name) Detach() error { return errUnsupported }

func ChannelCreate(flags uint32) (chid int, err error) { return 0, errUnsupported }

func ChannelDestroy(chid int) error { return errUnsupported }

func NameAttach(name string, chid int) (*Name, error) { return nil, errUnsupported }

func NameOpen(name string) (coid int, err error) { return 0, errUnsupported }

func ConnectAttach(pid, chid int) (coid int, err error) { return 0, errUnsupported }

func ConnectDetach(coid int) error { return errUnsupported }

func ConnectServerInfo(coid int) (ServerInfo, error) { return ServerInfo{}, errUnsupported }

func DetachClient(chid, scoid int) error { return errUnsupported }

func MsgReceive(chid int, buf []byte, timeout time.Duration) (Received, error) {
	return Received{}, errUnsupported
}

func MsgReply(rcvid int64, status int, data []byte) error { return errUnsupported }

func MsgError(rcvid int64, errno syscall.Errno) error { return errUnsupported }

func MsgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	return 0, errUnsupported
}

func MsgSendPulse(coid, priority, code int, value int64) error { return errUnsupported }
