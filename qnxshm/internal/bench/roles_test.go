//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// roleVariable makes the test binary play a role instead of testing: the name
// of the role and its arguments, separated by blanks.
const roleVariable = "QNXSHM_BENCH_ROLE"

const (
	pageSize    = 4096 // of the objects; a page or part of one everywhere
	messageSize = 64
	text        = 'x'
)

// roles are what second processes do, by name.
var roles = map[string]func(args []string) error{
	"maker":            maker,
	"bare-calls":       bareCalls,
	"message-server":   messageServer,
	"message-client":   messageClient,
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
	role := strings.Fields(os.Getenv(roleVariable))
	if len(role) == 0 {
		code := m.Run()
		printTable(os.Stdout)
		os.Exit(code)
	}
	if err := roles[role[0]](role[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role[0], err)
		os.Exit(1)
	}
	os.Exit(0)
}

// maker holds as many unused handles as its argument says, for the process that
// started it, and makes and deletes one more at each run. It reports first how
// much memory each unused handle takes.
func maker(args []string) error {
	outstanding, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	obj, err := qnxshm.Create(pageSize)
	if err != nil {
		return err
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
		return err
	}
	before := heap()
	for range outstanding {
		if _, err := obj.CreateHandle(recipient, qnxshm.ReadOnly, nil); err != nil {
			return err
		}
	}
	kept := float64(heap()-before) / float64(max(outstanding, 1))
	return obey(report{Kept: kept}, createDelete)
}

// bareCalls makes the system calls that it takes to make a handle and to delete it:
// what the descriptor is, with which access, and twice whether processes have
// exited.
func bareCalls([]string) error {
	fd, err := unix.MemfdCreate("bare", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	pidfd, err := linux.OpenProcess(os.Getppid())
	if err != nil {
		return err
	}
	epfd, err := linux.NewEpoll()
	if err != nil {
		return err
	}
	if err := linux.EpollAdd(epfd, pidfd, unix.EPOLLIN, 1); err != nil {
		return err
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

// messageServer answers every message with its own bytes.
func messageServer(args []string) error {
	return serve(args[0], func(m *qnxmsg.Message) error { return m.Reply(0, m.Data) })
}

func messageClient(args []string) error {
	conn, err := qnxmsg.OpenName(args[0])
	if err != nil {
		return err
	}
	msg, reply := make([]byte, messageSize), make([]byte, messageSize)
	return obey(report{}, func(n int) error {
		for range n {
			if _, err := conn.Send(msg, reply); err != nil {
				return err
			}
		}
		return nil
	})
}

// handOffServer answers every message with a handle of one and the same object
// for the sender.
func handOffServer(args []string) error {
	obj, err := qnxshm.Create(pageSize)
	if err != nil {
		return err
	}
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		return err
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

func handOffClient(args []string) error {
	conn, err := qnxmsg.OpenName(args[0])
	if err != nil {
		return err
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

// serve answers the messages to name, and obeys, until its input ends.
func serve(name string, answer func(*qnxmsg.Message) error) error {
	return serveReporting(report{}, name, answer)
}

func serveReporting(first report, name string, answer func(*qnxmsg.Message) error) error {
	ch, err := qnxmsg.AttachName(name)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() {
		buf := make([]byte, messageSize)
		for {
			m, err := ch.Receive(buf)
			switch {
			case err == nil && !m.IsPulse():
				err = answer(&m)
			case err == nil && m.Pulse.Code == qnxmsg.PulseDisconnect:
				err = ch.DetachClient(m.Pulse.SCOID)
			}
			if err != nil {
				failed <- err
				return
			}
		}
	}()
	return obeyUnless(first, failed)
}

// obeyUnless obeys until the input ends, or what goes on beside it has failed.
func obeyUnless(first report, failed <-chan error) error {
	ended := make(chan error, 1)
	go func() { ended <- obey(first, nil) }()
	select {
	case err := <-failed:
		return err
	case err := <-ended:
		return err
	}
}
