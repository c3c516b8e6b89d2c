//go:build linux

package linux

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// NewEpoll returns an epoll.
func NewEpoll() (int, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return NoFD, err
	}
	return MoveHigh(fd)
}

// NewEventfd returns an eventfd that counts from 0, with further flags.
func NewEventfd(flags int) (int, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK|flags)
	if err != nil {
		return NoFD, err
	}
	return MoveHigh(fd)
}

// Wake adds one to an eventfd.
func Wake(eventfd int) {
	one := [8]byte{}
	binary.NativeEndian.PutUint64(one[:], 1)
	unix.Write(eventfd, one[:])
}

// Drain takes what an eventfd has counted.
func Drain(eventfd int) {
	var count [8]byte
	unix.Read(eventfd, count[:])
}

// EpollAdd lets an epoll watch fd and call it id.
func EpollAdd(epfd, fd int, events uint32, id uint64) error {
	return epollControl(epfd, unix.EPOLL_CTL_ADD, fd, events, id)
}

// EpollChange changes what is watched for on fd.
func EpollChange(epfd, fd int, events uint32, id uint64) error {
	return epollControl(epfd, unix.EPOLL_CTL_MOD, fd, events, id)
}

// EpollRemove ends the watch. Closing fd would not do while a forked child has it
// too.
func EpollRemove(epfd, fd int) { unix.EpollCtl(epfd, unix.EPOLL_CTL_DEL, fd, nil) }

func epollControl(epfd, op, fd int, events uint32, id uint64) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	return unix.EpollCtl(epfd, op, fd, &ev)
}

// EpollID is the id that an event is of.
func EpollID(ev *unix.EpollEvent) uint64 {
	return uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
}
