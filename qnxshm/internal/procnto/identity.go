//go:build linux

package procnto

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// An identity is what this process is known by to others.
type identity struct {
	pid   int
	token uint64 // tells this process from a later one of the same pid
	space string // its pid namespace
}

var self = sync.OnceValue(func() identity {
	space, err := os.Readlink(linux.OwnProc + "ns/pid")
	if err != nil {
		space = "pid:[?]"
	}
	return identity{os.Getpid(), linux.RandomUint64(), space}
})

// Token tells this process from a later one of the same pid.
func Token() uint64 { return self().token }

// Space begins the name of every socket of the host: processes of another pid
// namespace have others.
func Space() string { return "qnxshm/" + self().space + "/" }

// processSocket is the name of the socket on which the process pid listens,
// unless somebody else has it.
func processSocket(pid int) string { return Space() + strconv.Itoa(pid) }

// NoDescriptors turns the want of a descriptor into the errno of the calls that
// give none to their caller.
func NoDescriptors(err error) error {
	switch err {
	case syscall.EMFILE:
		return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "this process has no descriptor left, of which the host needs some: raise RLIMIT_NOFILE"}
	case syscall.ENFILE:
		return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the system has no descriptor left, of which the host needs some"}
	}
	return err
}

// nameSuffix is what stands behind a process's name that is taken.
func nameSuffix() string { return fmt.Sprintf("/%016x", linux.RandomUint64()) }

// isSocketOf reports whether the process pid may listen under that name, besides
// the one that its number makes.
func isSocketOf(name string, pid int) bool {
	rest, ok := strings.CutPrefix(name, processSocket(pid)+"/")
	return ok && len(rest) == 16 && strings.Trim(rest, "0123456789abcdef") == ""
}
