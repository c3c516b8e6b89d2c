//go:build linux

package procnto_test

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// oldKernel makes the kernel one, to this process, that has neither SO_PEERPIDFD
// (Linux 6.5) nor SO_PASSRIGHTS (6.16). ENOSYS: that cannot be done here.
func oldKernel() error {
	if strconv.IntSize == 32 {
		return syscall.ENOSYS // the options are behind a pointer, or elsewhere
	}
	const (
		number, option = 0, 32 // offsets in struct seccomp_data
		allow          = 0x7fff0000
		refuse         = 0x00050000 | uint32(syscall.ENOPROTOOPT)
	)
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	unless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
	}
	ret := func(value uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
	}
	return testproc.Filter([]unix.SockFilter{
		load(number),
		unless(unix.SYS_SETSOCKOPT, 3),
		load(option),
		unless(unix.SO_PASSRIGHTS, 5),
		ret(refuse),
		unless(unix.SYS_GETSOCKOPT, 3),
		load(option),
		unless(unix.SO_PEERPIDFD, 1),
		ret(refuse),
		ret(allow),
	})
}

// noPidfds lets this process get no descriptor of another process any more, for want
// of memory.
func noPidfds() error {
	return testproc.Filter([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_PIDFD_OPEN, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x00050000 | uint32(syscall.ENOMEM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000},
	})
}
