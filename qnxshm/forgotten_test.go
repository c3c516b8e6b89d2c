//go:build linux

package qnxshm_test

import (
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// Close is an Object's last use, so the collector may find it forgotten while
// Close is at work. Then two close one descriptor, which may already be another
// Object's: a Close that finds its own gone tells. The collector has to come in a
// few nanoseconds and be done before Close goes on, hence the crowd.
func TestCloseIsNotForgetting(t *testing.T) {
	testproc.TakesLong(t, "takes 4 s")
	const closers, collectors, turn = 512, 3, 5
	end := time.Now().Add(4 * time.Second)
	failed := make(chan error, closers)
	var all sync.WaitGroup
	for range collectors {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				runtime.GC()
			}
		}()
	}
	for range closers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i%100 != 0 || time.Now().Before(end); i++ {
				if i%turn == 0 {
					runtime.Gosched()
				}
				if err := openAndClose(); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	all.Wait()
	close(failed)
	require.NoError(t, <-failed)
}

func openAndClose() error {
	fd, err := syscall.Dup(0)
	if err != nil {
		return err
	}
	obj, err := qnxshm.NewObject(fd)
	if err != nil {
		return err
	}
	return obj.Close()
}
