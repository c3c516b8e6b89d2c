//go:build linux

package message

import (
	"errors"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// noDescriptors turns the want of a descriptor into the errno of the calls that
// give none to their caller.
func noDescriptors(err error) error { return procnto.NoDescriptors(err) }

// tooManyChannels is for what the kernel refuses.
var tooManyChannels = qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the host has no more channels for this process"}

// closedByProgram is for a process that has closed what is not its own.
var closedByProgram = qnxerr.Cause{Errno: syscall.EBADF, Text: "this process has closed the descriptors that the host needs to serve it"}

// errRestart: the server wants the message to be sent again.
var errRestart = errors.New("restart")

// errNoRoom: the server has so much to take that it is to be waited for.
var errNoRoom = errors.New("no room")
