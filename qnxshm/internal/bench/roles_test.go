//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

const (
	pageSize    = 4096 // of the objects; a page or part of one everywhere
	messageSize = 64
	text        = 'x'
)

// roles are what second processes do, by name.
var roles = map[string]func(args []string) (*job, error){
	"maker":            maker,
	"bare-calls":       bareCalls,
	"message-server":   messageServer,
	"message-client":   messageClient,
	"message-loopback": messageLoopback,
	"frame-server":     frameServer,
	"frame-client":     frameClient,
	"copied-server":    copiedServer,
	"copied-client":    copiedClient,
	"first-client":     firstClient,
	"attacher":         attacher,
	"connector":        connector,
	"handoff-server":   handOffServer,
	"handoff-client":   handOffClient,
	"idle-client":      idleClient,
	"holder":           holder,
	"slow-opener":      slowOpener,
	"revoke-server":    revokeServer,
	"revoke-client":    revokeClient,
	"revocable-server": revocableServer,
	"mapper":           mapper,
}

func TestMain(m *testing.M) {
	playable := make(testproc.Roles)
	for name, begin := range roles {
		playable[name] = func() testproc.Procedures { return procedures(begin) }
	}
	testproc.Play(playable)
	code := testproc.Run(m)
	printTable(os.Stdout)
	os.Exit(code)
}

// maker holds as many unused handles as its argument says, for the process that
// started it, and makes and deletes one more at each run. It reports first how
// much memory each unused handle takes.
func maker(args []string) (*job, error) {
	outstanding, err := strconv.Atoi(args[0])
	if err != nil {
		return nil, err
	}
	obj, err := qnxshm.Create(pageSize)
	if err != nil {
		return nil, err
	}
	recipient := os.Getppid()
	createDelete := func(n int) error {
		for range n {
			h, err := obj.CreateHandle(recipient, qnxshm.ReadOnly, nil)
			if err != nil {
				return err
			}
			if err := qnxshm.DeleteHandle(h); err != nil {
				return err
			}
		}
		return nil
	}
	if err := createDelete(1); err != nil { // what is there once is not counted
		return nil, err
	}
	before := heap()
	for range outstanding {
		if _, err := obj.CreateHandle(recipient, qnxshm.ReadOnly, nil); err != nil {
			return nil, err
		}
	}
	kept := float64(heap()-before) / float64(max(outstanding, 1))
	return obey(report{Kept: kept}, createDelete)
}

// bareCalls makes the system calls that it takes to make a handle and to delete it:
// what the descriptor is, with which access, and twice whether processes have
// exited.
func bareCalls([]string) (*job, error) {
	fd, err := unix.MemfdCreate("bare", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	pidfd, err := linux.OpenProcess(os.Getppid())
	if err != nil {
		return nil, err
	}
	epfd, err := linux.NewEpoll()
	if err != nil {
		return nil, err
	}
	if err := linux.EpollAdd(epfd, pidfd, unix.EPOLLIN, 1); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	var events [1]unix.EpollEvent
	return obey(report{}, func(n int) error {
		for range n {
			if err := unix.Fstat(fd, &st); err != nil {
				return err
			}
			if _, err := linux.GetFlags(fd); err != nil {
				return err
			}
			for range 2 {
				if _, err := linux.PollEvents(epfd, events[:]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// handOffServer answers every message with a handle of one and the same object
// for the sender.
func handOffServer(args []string) (*job, error) {
	obj, err := qnxshm.Create(pageSize)
	if err != nil {
		return nil, err
	}
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		return nil, err
	}
	mem.Bytes()[0] = text
	return serve(args[0], answerWithHandle(obj))
}

// answerWithHandle answers a message with a handle of obj for the sender.
func answerWithHandle(obj *qnxshm.Object) func(*qnxmsg.Message) error {
	reply := make([]byte, 0, qnxshm.HandleSize)
	return func(m *qnxmsg.Message) error {
		h, err := obj.CreateHandle(m.Info.PID, qnxshm.ReadOnly, nil)
		if err != nil {
			return err
		}
		b, err := h.AppendBinary(reply)
		if err != nil {
			return err
		}
		return m.Reply(0, b)
	}
}

func handOffClient(args []string) (*job, error) {
	conn, err := qnxmsg.OpenName(args[0])
	if err != nil {
		return nil, err
	}
	request, reply := make([]byte, 8), make([]byte, qnxshm.HandleSize)
	return obey(report{}, func(n int) error {
		for range n {
			if err := handOff(conn, request, reply); err != nil {
				return err
			}
		}
		return nil
	})
}

func handOff(conn *qnxmsg.Connection, request, reply []byte) error {
	if _, err := conn.Send(request, reply); err != nil {
		return err
	}
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(reply); err != nil {
		return err
	}
	obj, err := qnxshm.Open(h, qnxshm.ReadOnly)
	if err != nil {
		return err
	}
	mem, err := obj.Map(qnxshm.ReadOnly)
	if err != nil {
		return err
	}
	if got := mem.Bytes()[0]; got != text {
		return fmt.Errorf("memory has %q", got)
	}
	return errors.Join(mem.Unmap(), obj.Close())
}

// serve answers the messages to name.
func serve(name string, answer func(*qnxmsg.Message) error) (*job, error) {
	return new(job), serveWith(name, messageSize, 1, answer)
}

// serveWith answers messages of a size by so many goroutines.
func serveWith(name string, size, receivers int, answer func(*qnxmsg.Message) error) error {
	ch, err := qnxmsg.AttachName(name)
	if err != nil {
		return err
	}
	for range receivers {
		go func() {
			for buf := make([]byte, size); ; {
				m, err := ch.Receive(buf)
				switch {
				case err == nil && !m.IsPulse():
					err = answer(&m)
				case err == nil && m.Pulse.Code == qnxmsg.PulseDisconnect:
					err = ch.DetachClient(m.Pulse.SCOID)
				}
				if err != nil {
					fail(err)
				}
			}
		}()
	}
	return nil
}
