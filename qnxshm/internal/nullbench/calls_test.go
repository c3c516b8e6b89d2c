//go:build nulllibc && qnx && linux && cgo

package nullbench_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/nullbench"
)

// failure is an errno that no function of the packages makes by itself.
const failure = syscall.EXDEV

// asked is what a function of the packages makes of its arguments, and of what libc
// answers.
type asked struct {
	name  string
	libc  nullbench.Libc
	do    func() error
	err   error    // nil: it succeeds
	calls []string // of libc
	since int      // in releases before libc has no such call
	old   error    // what there is instead, then
}

func (a asked) check(t *testing.T) {
	t.Helper()
	want, calls := a.err, a.calls
	if nullbench.Release < a.since {
		want, calls = a.old, nil
	}
	var err error
	got := a.libc.Calls(func() { err = a.do() })
	if want == nil && err != nil || !errors.Is(err, want) {
		t.Errorf("%s: %v, not %v", a.name, err, want)
	}
	if !slices.Equal(got, calls) {
		t.Errorf("%s asks\n%q, not\n%q", a.name, got, calls)
	}
}

// fails has the calls of functions fail, each once.
func fails(functions ...string) (l nullbench.Libc) {
	for _, f := range functions {
		l.Answers = append(l.Answers, nullbench.Answer{Function: f, Result: -int64(failure)})
	}
	return l
}

func answers(function string, results ...int64) (l nullbench.Libc) {
	for _, r := range results {
		l.Answers = append(l.Answers, nullbench.Answer{Function: function, Result: r})
	}
	return l
}

// handle is one of 32 bits, of which none is like another.
const handle qnxshm.Handle = 0x89abcdef

// handles are the calls of qnxshm that take no Object.
var handles = []asked{
	{name: "CreateHandle", calls: []string{"shm_create_handle(3, 4, 2, 1)"}, do: func() error {
		h, err := qnxshm.CreateHandle(3, 4, qnxshm.ReadWrite, qnxshm.HandleNoFD)
		return is(h, 42, err)
	}},
	{name: "CreateSubrangeHandle", calls: []string{"shm_create_subrange_handle(3, 4, 1, 1, 17592186044416, 35184372088832)"}, do: func() error {
		h, err := qnxshm.CreateSubrangeHandle(3, 4, qnxshm.WriteOnly, qnxshm.HandleNoFD, 1<<44, 1<<45)
		return is(h, 42, err)
	}, since: 800, old: syscall.ENOSYS},
	{name: "OpenHandle", calls: []string{"shm_open_handle(0x89abcdef, 2)"}, do: func() error {
		fd, err := qnxshm.OpenHandle(handle, qnxshm.ReadWrite)
		return is(fd, 3, err)
	}},
	{name: "OpenHandlePID", calls: []string{"shm_open_handle_pid(0x89abcdef, 1, 4)"}, do: func() error {
		fd, err := qnxshm.OpenHandlePID(handle, qnxshm.WriteOnly, 4)
		return is(fd, 3, err)
	}, since: 800, old: syscall.ENOSYS},
	{name: "DeleteHandle", calls: []string{"shm_delete_handle(0x89abcdef)"}, do: func() error { return qnxshm.DeleteHandle(handle) }},
	{name: "Map", calls: []string{"mmap_handle((nil), 4096, 0x100, 0x1, 0x89abcdef, 0)", "munmap(page, 4096)"}, do: func() error {
		return unmapped(qnxshm.Map(handle, qnxshm.ReadOnly, 4096))
	}},
	{name: "MapPID", calls: []string{"mmap_handle_pid((nil), 4096, 0x300, 0x1, 0x89abcdef, 4, 0)", "munmap(page, 4096)"}, do: func() error {
		return unmapped(qnxshm.MapPID(handle, qnxshm.ReadWrite, 4096, 4))
	}, since: 800, old: syscall.ENOSYS},
	{name: "HandleLimit", libc: nullbench.Libc{Limit: 5, Max: 6}, calls: []string{"getrlimit(0x1000f)"}, do: func() error {
		cur, limit, err := qnxshm.HandleLimit()
		return is([2]uint64{cur, limit}, [2]uint64{5, 6}, err)
	}, since: 800, old: syscall.EINVAL},
	{name: "SetHandleLimit", calls: []string{"setrlimit(0x1000f, 5, 6)"}, do: func() error { return qnxshm.SetHandleLimit(5, 6) }, since: 800, old: syscall.EINVAL},
	{name: "OpenAnonymous", calls: []string{"shm_open(SHM_ANON, 0x42, 0640)"}, do: func() error {
		fd, err := qnxshm.OpenAnonymous(os.O_RDWR|os.O_CREATE, 0o640)
		return is(fd, 3, err)
	}},
	{name: "OpenObject", calls: []string{"shm_open(/name, 0xc1, 0604)"}, do: func() error {
		fd, err := qnxshm.OpenObject("/name", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o604)
		return is(fd, 3, err)
	}},
	{name: "UnlinkObject", calls: []string{"shm_unlink(/name)"}, do: func() error { return qnxshm.UnlinkObject("/name") }},
	{name: "Control", libc: answers("shm_ctl", 0xc), calls: []string{"shm_ctl(3, 0x2, 0xf000000000, 0x1000000000)"}, do: func() error {
		flags, err := qnxshm.Control(3, qnxshm.ControlPhysical, 0xf000000000, 0x1000000000)
		return is(flags, qnxshm.ControlSeal|qnxshm.ControlRevocable, err)
	}},
	{name: "Revoke", calls: []string{"shm_revoke(3, -1)"}, do: func() error { return qnxshm.Revoke(3, -1) }},
}

func is[T comparable](got, want T, err error) error {
	if err == nil && got != want {
		return errors.New("another result")
	}
	return err
}

// TestHandles: each argument comes to libc as it was given, and each failure back.
func TestHandles(t *testing.T) {
	for _, a := range handles {
		a.check(t)
		if len(a.calls) == 2 {
			continue // munmap: see TestObjects
		}
		name := function(a.calls[0])
		a.name += ", which fails"
		a.libc, a.err = fails(name), failure
		a.check(t)
	}
	for _, name := range []string{"mmap_handle", "mmap_handle_pid"} {
		for _, a := range handles {
			if function(a.calls[0]) == name {
				a.libc, a.err, a.calls = fails(name), failure, a.calls[:1]
				a.check(t)
			}
		}
	}
}

// TestObjects: the calls that an Object and its Mappings are made of.
func TestObjects(t *testing.T) {
	const size = 1 << 33
	create := []string{"shm_open(SHM_ANON, 0x42, 0600)", "ftruncate(3, 8589934592)"}
	for _, a := range []asked{
		{name: "Create", calls: append(create, "close(3)"), do: func() error { return closed(qnxshm.Create(size)) }},
		{name: "Create without memory", libc: fails("ftruncate"), err: failure, calls: append(create, "close(3)"), do: func() error { return closed(qnxshm.Create(size)) }},
		{name: "Close", libc: fails("close"), err: failure, calls: append(create, "close(3)"), do: func() error { return closed(qnxshm.Create(size)) }},
		{name: "Size", libc: answers("fstat", size), calls: []string{"fstat(3)", "close(3)"}, do: func() error {
			return with(func(o *qnxshm.Object) error {
				n, err := o.Size()
				return is(n, size, err)
			})
		}},
		{name: "Size of what is none", libc: fails("fstat"), err: failure, calls: []string{"fstat(3)", "close(3)"}, do: func() error {
			return with(func(o *qnxshm.Object) error {
				_, err := o.Size()
				return err
			})
		}},
		{name: "MapRange", calls: []string{"mmap((nil), 4096, 0x300, 0x1, 3, 8589934592)", "munmap(page, 4096)", "close(3)"}, do: func() error {
			return with(func(o *qnxshm.Object) error { return unmapped(o.MapRange(qnxshm.ReadWrite, size, 4096)) })
		}},
		{name: "MapRange without memory", libc: fails("mmap"), err: failure, calls: []string{"mmap((nil), 4096, 0x100, 0x1, 3, 0)", "close(3)"}, do: func() error {
			return with(func(o *qnxshm.Object) error { return unmapped(o.MapRange(qnxshm.ReadOnly, 0, 4096)) })
		}},
		{name: "Unmap", libc: fails("munmap"), err: failure, calls: []string{"mmap_handle((nil), 4096, 0x100, 0x1, 0x89abcdef, 0)", "munmap(page, 4096)"}, do: func() error {
			return unmapped(qnxshm.Map(handle, qnxshm.ReadOnly, 4096))
		}},
	} {
		a.check(t)
	}
}

func with(do func(o *qnxshm.Object) error) error {
	o, err := qnxshm.NewObject(3)
	if err != nil {
		return err
	}
	return errors.Join(do(o), o.Close())
}

func closed[T interface{ Close() error }](o T, err error) error {
	if err != nil {
		return err
	}
	return o.Close()
}

// TestLimits: what is no limit to libc is none to Go, and the other way round. QNX has
// two numbers above RLIM_INFINITY.
func TestLimits(t *testing.T) {
	if nullbench.Release < 800 {
		t.Skip("limits of handles are of 8.0")
	}
	const none = 1<<64 - 1
	infinity := nullbench.Infinity()
	if infinity != 1<<64-3 {
		t.Fatalf("not QNX's RLIM_INFINITY: %#x", infinity)
	}
	for _, c := range []struct{ libc, limit uint64 }{{0, 0}, {infinity - 1, infinity - 1}, {infinity, none}, {infinity + 1, none}, {none, none}} {
		for _, l := range []nullbench.Libc{{Limit: c.libc, Max: 1}, {Limit: 1, Max: c.libc}} {
			l.Calls(func() {
				cur, limit, err := qnxshm.HandleLimit()
				if l.Max == 1 && (cur != c.limit || limit != 1) || l.Limit == 1 && (cur != 1 || limit != c.limit) || err != nil {
					t.Errorf("%+v is %#x, %#x, %v", l, cur, limit, err)
				}
			})
		}
	}
	for _, limit := range []uint64{infinity, infinity + 1, none} {
		for _, a := range []asked{
			{name: "cur", calls: []string{"setrlimit(0x1000f, 18446744073709551613, 7)"}, do: func() error { return qnxshm.SetHandleLimit(limit, 7) }},
			{name: "max", calls: []string{"setrlimit(0x1000f, 7, 18446744073709551613)"}, do: func() error { return qnxshm.SetHandleLimit(7, limit) }},
		} {
			a.check(t)
		}
	}
}

// TestRefusedBeforeLibc: what would be another number to libc, or no error.
func TestRefusedBeforeLibc(t *testing.T) {
	mapRange := func(access qnxshm.Access, offset, length int64) error {
		return with(func(o *qnxshm.Object) error { return unmapped(o.MapRange(access, offset, length)) })
	}
	part := func(size, offset int64) error {
		_, err := qnxshm.CreateSubrangeHandle(3, 4, qnxshm.ReadOnly, 0, size, offset)
		return err
	}
	for _, a := range []asked{
		{name: "a size below 0", err: syscall.EINVAL, do: func() error { return part(-1, 0) }},
		{name: "an offset below 0", err: syscall.EINVAL, do: func() error { return part(4096, -1) }},
		{name: "both", err: syscall.EINVAL, do: func() error { return part(-4096, -4096) }},
		{name: "a size of 0", calls: []string{"shm_create_subrange_handle(3, 4, 0, 0, 0, 0)"}, do: func() error { return part(0, 0) }, since: 800, old: syscall.ENOSYS},
		{name: "an offset of a mapping", err: syscall.EINVAL, calls: []string{"close(3)"}, do: func() error { return mapRange(qnxshm.ReadOnly, -4096, 4096) }},
		{name: "no length", err: syscall.EINVAL, calls: []string{"close(3)"}, do: func() error { return mapRange(qnxshm.ReadOnly, 0, 0) }},
		{name: "a length below 0", err: syscall.EINVAL, calls: []string{"close(3)"}, do: func() error { return mapRange(qnxshm.ReadOnly, 0, -1) }},
		{name: "an access", err: syscall.EINVAL, calls: []string{"close(3)"}, do: func() error { return mapRange(7, 0, 4096) }},
		{name: "no length of a handle's", err: syscall.EINVAL, do: func() error { return unmapped(qnxshm.Map(handle, qnxshm.ReadOnly, 0)) }},
		{name: "no length of a maker's", err: syscall.EINVAL, do: func() error { return unmapped(qnxshm.MapPID(handle, qnxshm.ReadOnly, 0, 4)) }},
		{name: "a pid", err: syscall.ESRCH, do: func() error { return qnxshm.Revoke(3, 1<<32-1) }},
		{name: "a name", err: syscall.EINVAL, do: func() error { return qnxshm.UnlinkObject("\x00name") }},
	} {
		a.check(t)
	}
	if nullbench.HandleBits == 64 {
		return
	}
	for _, h := range []qnxshm.Handle{1 << 32, 1<<32 | handle, 1<<64 - 2} {
		for name, do := range map[string]func() error{
			"OpenHandle":    func() error { _, err := qnxshm.OpenHandle(h, qnxshm.ReadOnly); return err },
			"OpenHandlePID": func() error { _, err := qnxshm.OpenHandlePID(h, qnxshm.ReadOnly, 4); return err },
			"DeleteHandle":  func() error { return qnxshm.DeleteHandle(h) },
			"Map":           func() error { return unmapped(qnxshm.Map(h, qnxshm.ReadOnly, 4096)) },
			"MapPID":        func() error { return unmapped(qnxshm.MapPID(h, qnxshm.ReadOnly, 4096, 4)) },
		} {
			asked{name: name, err: syscall.ESRCH, do: do}.check(t)
		}
	}
}

// TestFaults: a fault is a revocation's if the memory cannot be given its own protection
// for lack of it, and of no other reason.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		errno   syscall.Errno
		revoked bool
	}{{syscall.ENOMEM, true}, {syscall.EACCES, true}, {failure, false}, {syscall.EINTR, false}, {0, false}} {
		l := answers("mprotect", -int64(c.errno))
		for access, prot := range map[qnxshm.Access]string{qnxshm.ReadOnly: "0x100", qnxshm.ReadWrite: "0x300"} {
			calls := l.Calls(func() {
				m, err := qnxshm.Map(handle, access, 4096)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := m.ReadAt(make([]byte, 1), 4095); errors.Is(err, qnxshm.ErrRevoked) != c.revoked {
					t.Errorf("mprotect fails with %v: %v", c.errno, err)
				}
				if err := m.Unmap(); err != nil {
					t.Error(err)
				}
			})
			if want := "mprotect(page, 4096, " + prot + ")"; !slices.Contains(calls, want) {
				t.Errorf("%q, not %s", calls, want)
			}
		}
	}
}

// function is the name of the function that a call is of.
func function(call string) string {
	name, _, _ := strings.Cut(call, "(")
	return name
}
