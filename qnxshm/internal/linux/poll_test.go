//go:build linux

package linux_test

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// TestPollInUnderSignals: a look that does not wait and finds nothing is not interrupted.
func TestPollInUnderSignals(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	defer signal.Stop(caught)
	fd, err := linux.NewEventfd(0)
	require.NoError(t, err)
	defer unix.Close(fd)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			}
		}
	}()
	failed := 0
	for until := time.Now().Add(time.Second / 2); time.Now().Before(until); {
		if revents, err := linux.PollIn(fd); err != nil || revents != 0 {
			failed++
		}
	}
	close(stop)
	<-stopped
	require.Zero(t, failed)
}
