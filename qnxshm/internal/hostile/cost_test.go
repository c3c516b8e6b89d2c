//go:build linux

package hostile_test

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// costs are what is measured, by the process that does it.
func (n *node) costs() testproc.Procedures {
	return testproc.Procedures{
		"mapmany":     n.mapMany,
		"manyhandles": manyHandles,
		"plainmap":    plainMap,
		"revokeoften": revokeOften,
		"copies":      copies,
	}
}

// median is of the times that f takes.
func median(times int, f func() error) (time.Duration, error) {
	var took []time.Duration
	for range times {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// mapMany maps an object over and over, so many at a time until there are enough
// or it has taken too long, and tells what each of these took at first, and in the
// end.
func (n *node) mapMany(fd, total, atATime int, enough time.Duration) (trend, error) {
	var took []time.Duration
	began := time.Now()
	for made := 0; made < total && time.Since(began) < enough; made += atATime {
		batch := time.Now()
		for range atATime {
			m, err := mapWhole(fd, qnxshm.ReadOnly)
			if err != nil {
				return trend{}, err
			}
			n.kept = append(n.kept, m)
		}
		took = append(took, time.Since(batch))
	}
	return firstAndLast(took), nil
}

// A trend is the medians of the first and the last times, and how many there are.
type trend struct {
	First, Last time.Duration
	Times       int
}

func firstAndLast(took []time.Duration) trend {
	const some = 5
	first, last := slices.Clone(took[:some]), slices.Clone(took[len(took)-some:])
	slices.Sort(first)
	slices.Sort(last)
	return trend{first[some/2], last[some/2], len(took)}
}

// manyHandles makes handles of one object, for this process.
func manyHandles(fd, count int) error {
	for range count {
		if _, err := qnxshm.CreateHandle(fd, os.Getpid(), qnxshm.ReadOnly, 0); err != nil {
			return err
		}
	}
	return nil
}

// plainMap tells how long it takes to map and unmap an object that is not
// revocable.
func plainMap() (time.Duration, error) {
	fd, err := object(1)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return median(201, func() error {
		m, err := mapWhole(fd, qnxshm.ReadOnly)
		if err == nil {
			err = m.Unmap()
		}
		return err
	})
}

// revokeOften tells how long it takes to revoke an object that nobody else has.
func revokeOften() (time.Duration, error) {
	fd, err := object(1, "revocable")
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return median(51, func() error { return qnxshm.Revoke(fd, -1) })
}

// copies makes duplicates of a descriptor.
func copies(fd, count int) error {
	for range count {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return err
		}
	}
	return nil
}
