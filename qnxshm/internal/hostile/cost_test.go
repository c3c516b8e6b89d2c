//go:build linux

package hostile_test

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm"
)

// What is measured is measured by the process that does it, and given in
// nanoseconds.
var costCommands = map[string]func(*node, arguments) ([]any, error){
	"mapmany":     (*node).mapMany,
	"manyhandles": manyHandles,
	"plainmap":    plainMap,
	"revokeoften": revokeOften,
	"copies":      copies,
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
func (n *node) mapMany(a arguments) ([]any, error) { // fd total at-a-time ms
	var took []time.Duration
	began := time.Now()
	for made := 0; made < a.int(1) && time.Since(began) < time.Duration(a.int(3))*time.Millisecond; made += a.int(2) {
		batch := time.Now()
		for range a.int(2) {
			m, err := mapWhole(a.int(0), qnxshm.ReadOnly)
			if err != nil {
				return nil, err
			}
			n.kept = append(n.kept, m)
		}
		took = append(took, time.Since(batch))
	}
	return firstAndLast(took), nil
}

// firstAndLast are the medians of the first and the last times, and how many
// there are.
func firstAndLast(took []time.Duration) []any {
	const some = 5
	first, last := slices.Clone(took[:some]), slices.Clone(took[len(took)-some:])
	slices.Sort(first)
	slices.Sort(last)
	return []any{int64(first[some/2]), int64(last[some/2]), len(took)}
}

// manyHandles makes handles of one object, for this process.
func manyHandles(_ *node, a arguments) ([]any, error) { // fd count
	for range a.int(1) {
		if _, err := qnxshm.CreateHandle(a.int(0), os.Getpid(), qnxshm.ReadOnly, 0); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// plainMap tells how long it takes to map and unmap an object that is not
// revocable.
func plainMap(*node, arguments) ([]any, error) {
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(os.Getpagesize())); err != nil {
		return nil, err
	}
	took, err := median(201, func() error {
		m, err := mapWhole(fd, qnxshm.ReadOnly)
		if err == nil {
			err = m.Unmap()
		}
		return err
	})
	return []any{int64(took)}, err
}

// revokeOften tells how long it takes to revoke an object that nobody else has.
func revokeOften(*node, arguments) ([]any, error) {
	made, err := object(nil, arguments{"1", "revocable"})
	if err != nil {
		return nil, err
	}
	fd := made[0].(int)
	defer unix.Close(fd)
	took, err := median(51, func() error { return qnxshm.Revoke(fd, -1) })
	return []any{int64(took)}, err
}

// copies makes duplicates of a descriptor.
func copies(_ *node, a arguments) ([]any, error) { // fd count
	for range a.int(1) {
		if _, err := unix.FcntlInt(uintptr(a.int(0)), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
