//go:build linux

package qnxmsg_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

var long = flag.Bool("long", false, "100,000 calls under signals")

// alarmInterval is how often a process gets SIGALRM, and SIGURG besides.
const alarmInterval = 50 * time.Microsecond

// A storm signals this process all the time, until its end.
type storm struct{ alarms, urgents atomic.Int64 }

func (s *storm) begin() error {
	alarms := make(chan os.Signal, 1)
	signal.Notify(alarms, syscall.SIGALRM)
	go func() {
		for range alarms {
			s.alarms.Add(1)
		}
	}()
	go func() {
		for {
			unix.Kill(os.Getpid(), unix.SIGURG)
			s.urgents.Add(1)
			time.Sleep(alarmInterval)
		}
	}()
	each := unix.NsecToTimeval(int64(alarmInterval))
	_, err := unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Interval: each, Value: each})
	return err
}

// signalled are procedures of processes under signals: a server that notes each message,
// and a client.
func signalled() testproc.Procedures {
	var s storm
	var mu sync.Mutex
	seen := make(map[uint64]bool)
	return testproc.Procedures{
		"storm":   s.begin,
		"signals": func() (alarms, urgents int64) { return s.alarms.Load(), s.urgents.Load() },
		"note": func(name string) error {
			ch, err := qnxmsg.AttachName(name)
			if err != nil {
				return err
			}
			for range 4 {
				go func() {
					buf := make([]byte, 64)
					for {
						m, err := ch.Receive(buf)
						if err != nil {
							panic(err) // which the test hears of
						}
						if m.IsPulse() {
							continue
						}
						number := binary.LittleEndian.Uint64(m.Data)
						mu.Lock()
						twice := seen[number]
						seen[number] = true
						mu.Unlock()
						if twice {
							m.ReplyError(syscall.EEXIST)
						} else {
							m.Reply(int(number), m.Data)
						}
					}
				}()
			}
			return nil
		},
		"noted": func() int { mu.Lock(); defer mu.Unlock(); return len(seen) },
		"sendmany": func(name string, n uint64) error {
			conn, err := qnxmsg.OpenName(name)
			if err != nil {
				return err
			}
			defer conn.Close()
			const threads = 4
			errs := make(chan error, threads)
			for thread := range uint64(threads) {
				go func() {
					for number := thread; number < n; number += threads {
						reply := make([]byte, 8)
						status, err := conn.Send(binary.LittleEndian.AppendUint64(nil, number), reply)
						if err != nil || status != int(number) || binary.LittleEndian.Uint64(reply) != number {
							errs <- fmt.Errorf("message %d: status %d, reply %x, %w", number, status, reply, err)
							return
						}
					}
					errs <- nil
				}()
			}
			for range threads {
				if e := <-errs; e != nil {
					err = e
				}
			}
			return err
		},
	}
}

// TestCallsUnderSignals: signals that Go handles, as often as a system gives them, end no
// call, and no message comes twice.
func TestCallsUnderSignals(t *testing.T) {
	n, limit := 5000, 6*testproc.Patience // signals take most of a busy processor
	switch {
	case *long:
		n, limit = 100_000, time.Hour
	case testing.Short():
		n = 500
	}
	server, client := testproc.Start(t, "signalled"), testproc.Start(t, "signalled")
	name := fmt.Sprintf("qnxmsg-test-signals-%d", server.PID())
	server.Do("note", name)
	server.Do("storm")
	client.Do("storm")
	_, err := client.Begin("sendmany", name, n).Within(limit)
	require.NoError(t, err)
	require.Equal(t, n, server.Do("noted").Int())
	for _, p := range []*testproc.Child{server, client} {
		signals := p.Do("signals")
		require.Greater(t, signals.At(0).Int(), 10)
		require.Greater(t, signals.At(1).Int(), 10)
		t.Logf("%d calls; SIGALRM that were told, and SIGURG: %v", n, signals)
	}
}
