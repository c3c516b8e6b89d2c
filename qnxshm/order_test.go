//go:build linux

package qnxshm_test

import (
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A faulty is a call that can be made with any of its faults at once.
type faulty struct {
	errno []string // of each fault
	call  func(has func(fault int) bool) error
}

// Where the doc of a call says that errors are checked in an order, the first of
// several faults is the one that is told.
func TestOrderOfErrors(t *testing.T) {
	if !inOtherProcess(t) { // the limit of handles is for a whole process
		return
	}
	calls := map[string]faulty{"CreateHandle": faultyCreateHandle(t)}
	for _, dir := range []string{".", "qnxmsg"} {
		for name, f := range functions(t, dir) {
			_, list, ordered := strings.Cut(f.doc, "Errors, checked in this order:\n\n")
			if !ordered {
				continue
			}
			c, ok := calls[name]
			require.True(t, ok, "nothing tests the order of %s", name)
			delete(calls, name)
			list, _, _ = strings.Cut(list, "\n\n")
			var documented []string
			for _, m := range regexp.MustCompile(`(?m)^\t(E[A-Z]+)`).FindAllStringSubmatch(list, -1) {
				if m[1] != "ENOMEM" { // which no test can bring about
					documented = append(documented, m[1])
				}
			}
			require.Equal(t, documented, slices.Compact(slices.Clone(c.errno)), "the errors of %s", name)
			inOrder(t, name, c)
		}
	}
	require.Empty(t, calls, "the docs of these do not claim an order")
}

// inOrder makes the call with every set of faults.
func inOrder(t *testing.T, name string, c faulty) {
	t.Helper()
	for set := 1; set < 1<<len(c.errno); set++ {
		var want string
		var faults []string
		for i, errno := range c.errno {
			if set>>i&1 == 1 {
				faults = append(faults, errno)
				want = faults[0]
			}
		}
		var e *qnxshm.Error
		require.ErrorAs(t, c.call(func(fault int) bool { return set>>fault&1 == 1 }), &e, "%s with the faults %v", name, faults)
		require.Equal(t, want, qnxerr.Name(e.Errno), "%s with the faults %v: %v", name, faults, e)
	}
}

func faultyCreateHandle(t *testing.T) faulty {
	obj := newObject(t, page)
	readOnly := reopened(t, obj, qnxshm.ReadOnly)
	return faulty{
		errno: []string{"EINVAL", "EINVAL", "EBADF", "EACCES", "ESRCH", "EAGAIN"},
		call: func(has func(fault int) bool) error {
			fd, pid, access, opts := int(obj.Fd()), os.Getpid(), qnxshm.ReadWrite, qnxshm.HandleOptions(0)
			limit := uint64(math.MaxUint64)
			if has(0) {
				access = 3
			}
			if has(1) {
				opts = 1 << 31
			}
			if has(3) {
				fd = int(readOnly.Fd())
			}
			if has(2) {
				fd = math.MaxInt32
			}
			if has(4) {
				pid = math.MaxInt32
			}
			if has(5) {
				limit = 0
			}
			require.NoError(t, qnxshm.SetHandleLimit(limit, math.MaxUint64))
			_, err := qnxshm.CreateHandle(fd, pid, access, opts)
			return err
		},
	}
}
