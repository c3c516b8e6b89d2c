//go:build linux

package qnxshm_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
)

var page = os.Getpagesize()

func newObject(t *testing.T, size int) *qnxshm.Object {
	t.Helper()
	obj, err := qnxshm.Create(int64(size))
	require.NoError(t, err)
	t.Cleanup(func() { obj.Close() })
	return obj
}

func TestObjectClose(t *testing.T) {
	obj := newObject(t, page)
	conn, err := obj.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, obj.Close())
	require.NoError(t, obj.Close(), "a second Close does nothing")

	require.Equal(t, ^uintptr(0), obj.Fd())
	for name, call := range map[string]func(*qnxshm.Object) error{
		"CreateHandle": func(o *qnxshm.Object) error {
			_, err := o.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
			return err
		},
		"CreateHandle of a part": func(o *qnxshm.Object) error {
			_, err := o.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Size: int64(page)})
			return err
		},
		"Size":          func(o *qnxshm.Object) error { _, err := o.Size(); return err },
		"Truncate":      func(o *qnxshm.Object) error { return o.Truncate(1) },
		"Seal":          (*qnxshm.Object).Seal,
		"MakeRevocable": (*qnxshm.Object).MakeRevocable,
		"Revoke":        func(o *qnxshm.Object) error { return o.Revoke(-1) },
		"RevokeAll":     (*qnxshm.Object).RevokeAll,
		"Control": func(o *qnxshm.Object) error {
			_, err := o.Control(qnxshm.ControlSeal, 0, 0)
			return err
		},
		"CreateHandle to the end": func(o *qnxshm.Object) error {
			_, err := o.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Offset: int64(page)})
			return err
		},
		"Flags":       func(o *qnxshm.Object) error { _, err := o.Flags(); return err },
		"Map":         func(o *qnxshm.Object) error { _, err := o.Map(qnxshm.ReadOnly); return err },
		"MapRange":    func(o *qnxshm.Object) error { _, err := o.MapRange(qnxshm.ReadOnly, 0, int64(page)); return err },
		"SyscallConn": func(o *qnxshm.Object) error { _, err := o.SyscallConn(); return err },
	} {
		require.ErrorIs(t, call(obj), os.ErrClosed, name)
		require.ErrorIs(t, call(new(qnxshm.Object)), os.ErrClosed, "%s of the zero Object", name)
	}
	require.ErrorIs(t, conn.Control(func(uintptr) { t.Error("ran") }), os.ErrClosed)
	require.NoError(t, new(qnxshm.Object).Close())
}

func TestObjectCloseWaitsForControl(t *testing.T) {
	obj := newObject(t, page)
	conn, err := obj.SyscallConn()
	require.NoError(t, err)
	closed := make(chan struct{})
	err = conn.Control(func(fd uintptr) {
		require.Equal(t, obj.Fd(), fd)
		go func() {
			obj.Close()
			close(closed)
		}()
		// The descriptor is good for as long as this function runs, although
		// nobody new gets it.
		for obj.Fd() != ^uintptr(0) {
			runtime.Gosched()
		}
		select {
		case <-closed:
			t.Error("Close did not wait")
		default:
		}
		var st syscall.Stat_t
		require.NoError(t, syscall.Fstat(int(fd), &st))
	})
	require.NoError(t, err)
	<-closed
}

func TestObjectRawConnNeverWaits(t *testing.T) {
	conn, err := newObject(t, page).SyscallConn()
	require.NoError(t, err)
	f := func(uintptr) bool { t.Error("ran"); return true }
	require.ErrorIs(t, conn.Read(f), errors.ErrUnsupported)
	require.ErrorIs(t, conn.Write(f), errors.ErrUnsupported)
}

func TestNewObjectRefuses(t *testing.T) {
	for _, fd := range []int{-1, math.MinInt} {
		_, err := qnxshm.NewObject(fd)
		require.ErrorIs(t, err, syscall.EBADF)
	}
}

func TestCreateLeavesNoDescriptorWhenItFails(t *testing.T) {
	before, err := syscall.Dup(0)
	require.NoError(t, err)
	syscall.Close(before)
	_, err = qnxshm.Create(-1)
	require.ErrorIs(t, err, syscall.EINVAL)
	after, err := syscall.Dup(0)
	require.NoError(t, err)
	syscall.Close(after)
	require.Equal(t, before, after)
}

func TestHandleConfig(t *testing.T) {
	obj := newObject(t, 3*page)
	for _, c := range []struct {
		cfg  *qnxshm.HandleConfig
		want int
	}{
		{nil, 3 * page},
		{&qnxshm.HandleConfig{}, 3 * page},
		{&qnxshm.HandleConfig{Offset: int64(page), Size: int64(page)}, page},
		{&qnxshm.HandleConfig{Offset: int64(page)}, 2 * page},
		{&qnxshm.HandleConfig{Offset: 2 * int64(page)}, page},
		{&qnxshm.HandleConfig{Size: int64(page)}, page},
	} {
		h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, c.cfg)
		require.NoError(t, err)
		got, err := qnxshm.Open(h, qnxshm.ReadOnly)
		require.NoError(t, err)
		size, err := got.Size()
		require.NoError(t, err)
		require.EqualValues(t, c.want, size)
		require.NoError(t, got.Close())
	}
	for _, offset := range []int64{3 * int64(page), 4 * int64(page), -int64(page), 1, math.MaxInt64, math.MinInt64} {
		_, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Offset: offset})
		require.ErrorIs(t, err, syscall.EINVAL, "from %d to the end", offset)
		require.ErrorContains(t, err, "shm_create_subrange_handle(")
	}

	for _, c := range []struct {
		cfg  qnxshm.HandleConfig
		most int
	}{
		{qnxshm.HandleConfig{NoFD: true}, 3 * page},
		{qnxshm.HandleConfig{NoFD: true, Offset: int64(page), Size: int64(page)}, page},
		{qnxshm.HandleConfig{NoFD: true, Offset: int64(page)}, 2 * page},
	} {
		h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &c.cfg)
		require.NoError(t, err)
		_, err = qnxshm.Open(h, qnxshm.ReadOnly)
		require.ErrorIs(t, err, syscall.EACCES)
		m, err := qnxshm.Map(h, qnxshm.ReadOnly, int64(c.most))
		require.NoError(t, err)
		require.Equal(t, c.most, m.Len())
		require.NoError(t, m.Unmap())
	}
}

// To the end is to the end of the window, and to the end as it is now.
func TestHandleConfigOfAWindow(t *testing.T) {
	obj := newObject(t, 4*page)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	for i := range 4 {
		m.Bytes()[i*page] = byte('a' + i)
	}
	part := func(of *qnxshm.Object, cfg *qnxshm.HandleConfig) *qnxshm.Object {
		h, err := of.CreateHandle(os.Getpid(), qnxshm.ReadOnly, cfg)
		require.NoError(t, err)
		got, err := qnxshm.Open(h, qnxshm.ReadOnly)
		require.NoError(t, err)
		t.Cleanup(func() { got.Close() })
		return got
	}
	window := part(obj, &qnxshm.HandleConfig{Offset: int64(page), Size: 2 * int64(page)})
	last := part(window, &qnxshm.HandleConfig{Offset: int64(page)})
	require.NoError(t, obj.Truncate(5*int64(page)))
	got := newMapping(t, last, qnxshm.ReadOnly)
	require.Equal(t, page, got.Len())
	require.Equal(t, byte('c'), got.Bytes()[0])
	_, err := window.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Offset: 2 * int64(page)})
	require.ErrorIs(t, err, syscall.EINVAL, "the end of the window, not of the object")
}

// An end that is not the end of a page cannot be the end of a part.
func TestHandleConfigOfAnOddSize(t *testing.T) {
	obj := newObject(t, page+100)
	_, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Offset: int64(page)})
	require.ErrorIs(t, err, syscall.EINVAL)
	require.ErrorContains(t, err, "the length from offset to the end of the object must be a multiple of the page size")
}

func TestOpenNamed(t *testing.T) {
	name := fmt.Sprintf("/qnxshm-test-%d-%x", os.Getpid(), rand.Uint64())
	_, err := qnxshm.OpenNamed(name, os.O_RDWR, 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "shm_open(")
	obj, err := qnxshm.OpenNamed(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	require.NoError(t, err)
	defer qnxshm.UnlinkObject(name)
	defer obj.Close()
	require.NoError(t, obj.Truncate(int64(page)))
	newMapping(t, obj, qnxshm.ReadWrite).Bytes()[0] = 1

	again, err := qnxshm.OpenNamed(name, os.O_RDONLY, 0)
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, byte(1), newMapping(t, again, qnxshm.ReadOnly).Bytes()[0])
	_, err = again.Map(qnxshm.ReadWrite)
	require.ErrorIs(t, err, syscall.EACCES)
}

func TestOpenPID(t *testing.T) {
	obj := newObject(t, page)
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	require.NoError(t, err)
	_, err = qnxshm.OpenPID(h, qnxshm.ReadOnly, os.Getppid())
	require.ErrorIs(t, err, syscall.ESRCH)
	got, err := qnxshm.OpenPID(h, qnxshm.ReadOnly, os.Getpid())
	require.NoError(t, err, "it was kept")
	require.NoError(t, got.Close())
}

func TestHandleBinary(t *testing.T) {
	for _, h := range []qnxshm.Handle{0, 1, 0x0123456789abcdef, math.MaxUint64} {
		b, err := h.AppendBinary([]byte("head"))
		require.NoError(t, err)
		require.Len(t, b, len("head")+qnxshm.HandleSize)
		require.Equal(t, "head", string(b[:4]))
		require.EqualValues(t, h, binary.NativeEndian.Uint64(b[4:]))
		var got qnxshm.Handle
		require.NoError(t, got.UnmarshalBinary(b[4:]))
		require.Equal(t, h, got)
	}
	for _, n := range []int{0, 1, 4, qnxshm.HandleSize - 1, qnxshm.HandleSize + 1, 100} {
		h := qnxshm.Handle(42)
		require.ErrorIs(t, h.UnmarshalBinary(make([]byte, n)), syscall.EINVAL)
		require.EqualValues(t, 42, h, "kept")
	}
}

func FuzzHandleUnmarshal(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, qnxshm.HandleSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h qnxshm.Handle
		if err := h.UnmarshalBinary(b); err != nil {
			require.Zero(t, h)
			return
		}
		got, err := h.AppendBinary(nil)
		require.NoError(t, err)
		require.Equal(t, b, got)
	})
}

func TestAccessString(t *testing.T) {
	require.Equal(t, "O_RDONLY", qnxshm.ReadOnly.String())
	require.Equal(t, "O_WRONLY", qnxshm.WriteOnly.String())
	require.Equal(t, "O_RDWR", qnxshm.ReadWrite.String())
	require.Equal(t, "0x13", qnxshm.Access(0x13).String())
}

func TestErrors(t *testing.T) {
	obj := newObject(t, page)
	fd := int(obj.Fd())
	for _, c := range []struct {
		call  string
		errno syscall.Errno
		name  string
		args  string
		do    func() error
	}{
		{"shm_create_handle", syscall.EINVAL, "EINVAL", "0x3", func() error { _, err := qnxshm.CreateHandle(fd, os.Getpid(), 3, 0); return err }},
		{"shm_create_handle", syscall.EBADF, "EBADF", "fd -1", func() error { _, err := qnxshm.CreateHandle(-1, os.Getpid(), 0, 0); return err }},
		{"shm_create_subrange_handle", syscall.EINVAL, "EINVAL", "size 1, offset 2", func() error {
			_, err := qnxshm.CreateSubrangeHandle(fd, os.Getpid(), qnxshm.ReadOnly, 0, 1, 2)
			return err
		}},
		{"shm_open_handle", syscall.ESRCH, "ESRCH", "0x2a, O_RDWR", func() error { _, err := qnxshm.OpenHandle(42, qnxshm.ReadWrite); return err }},
		{"shm_open_handle_pid", syscall.ESRCH, "ESRCH", "maker 1", func() error { _, err := qnxshm.OpenHandlePID(42, qnxshm.ReadOnly, 1); return err }},
		{"shm_delete_handle", syscall.ESRCH, "ESRCH", "0x2a", func() error { return qnxshm.DeleteHandle(42) }},
		{"shm_open", syscall.EINVAL, "EINVAL", "SHM_ANON", func() error { _, err := qnxshm.OpenAnonymous(os.O_WRONLY, 0); return err }},
		{"shm_open", syscall.ENOENT, "ENOENT", `""`, func() error { _, err := qnxshm.OpenObject("", os.O_RDWR, 0); return err }},
		{"shm_unlink", syscall.ENOENT, "ENOENT", `""`, func() error { return qnxshm.UnlinkObject("") }},
		{"shm_ctl", syscall.EINVAL, "EINVAL", "0x10000, ", func() error { _, err := qnxshm.Control(fd, 0x10000, 0, 0); return err }},
		{"shm_ctl", syscall.ENOSYS, "ENOSYS", "0x3, ", func() error {
			_, err := qnxshm.Control(fd, qnxshm.ControlAnonymous|qnxshm.ControlPhysical, 0, 4096)
			return err
		}},
		{"mmap_handle", syscall.ESRCH, "ESRCH", "0x2a, O_RDONLY, length 4096", func() error { _, err := qnxshm.Map(42, qnxshm.ReadOnly, 4096); return err }},
		{"mmap_handle_pid", syscall.ESRCH, "ESRCH", "maker 1", func() error { _, err := qnxshm.MapPID(42, qnxshm.ReadOnly, 4096, 1); return err }},
		{"setrlimit", syscall.EINVAL, "EINVAL", "RLIMIT_SHM_HANDLES_NP, 2, 1", func() error { return qnxshm.SetHandleLimit(2, 1) }},
		{"mmap", syscall.EINVAL, "EINVAL", "length 0", func() error { _, err := obj.MapRange(qnxshm.ReadOnly, 0, 0); return err }},
		{"ftruncate", syscall.EINVAL, "EINVAL", "-1", func() error { return obj.Truncate(-1) }},
	} {
		err := c.do()
		require.ErrorIs(t, err, c.errno, c.call)
		require.NotErrorIs(t, err, syscall.EIO, c.call)
		require.NotErrorIs(t, c.errno, err, "%s: an errno does not match the error of one call", c.call)
		var e *qnxshm.Error
		require.ErrorAs(t, err, &e, c.call)
		require.Equal(t, c.call, e.Call)
		require.Equal(t, c.errno, e.Errno)
		require.NotEmpty(t, e.Detail, c.call)
		require.True(t, strings.HasPrefix(err.Error(), c.call+"("), err.Error())
		require.Contains(t, err.Error(), c.name+": ")
		require.Contains(t, err.Error(), c.args)
	}
	ro := reopened(t, obj, qnxshm.ReadOnly)
	_, err := ro.Map(qnxshm.ReadWrite)
	require.ErrorIs(t, err, fs.ErrPermission)
	_, err = qnxshm.OpenObject("/no such object of these tests", os.O_RDWR, 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// reopened gives another descriptor of obj, by way of a handle.
func reopened(t *testing.T, obj *qnxshm.Object, access qnxshm.Access) *qnxshm.Object {
	t.Helper()
	h, err := obj.CreateHandle(os.Getpid(), access, nil)
	require.NoError(t, err)
	got, err := qnxshm.Open(h, access)
	require.NoError(t, err)
	t.Cleanup(func() { got.Close() })
	return got
}

// collected runs the collector until what is reported of a forgotten thing.
func collected(t *testing.T, forget func()) (what, stack string) {
	t.Helper()
	type report struct{ what, stack string }
	reports := make(chan report, 10)
	t.Cleanup(qnxshm.ReportForgotten(func(what string, stack []byte) {
		reports <- report{what, string(stack)}
	}))
	forget()
	for deadline := time.Now().Add(20 * time.Second); ; {
		runtime.GC()
		select {
		case r := <-reports:
			return r.what, r.stack
		case <-time.After(time.Millisecond): // cleanups run some time after the collection
		}
		require.True(t, time.Now().Before(deadline), "nothing reported")
	}
}

func TestForgottenObject(t *testing.T) {
	var fd int
	what, stack := collected(t, func() {
		obj, err := qnxshm.Create(int64(page))
		require.NoError(t, err)
		fd = int(obj.Fd())
	})
	require.Contains(t, what, "Object")
	require.Contains(t, stack, "TestForgottenObject", "the stack that made it")
	var st syscall.Stat_t
	require.ErrorIs(t, syscall.Fstat(fd, &st), syscall.EBADF, "the descriptor was closed")
}

func TestForgottenMapping(t *testing.T) {
	obj := newObject(t, page)
	what, stack := collected(t, func() {
		_, err := obj.Map(qnxshm.ReadOnly)
		require.NoError(t, err)
	})
	require.Contains(t, what, "Mapping")
	require.Contains(t, stack, "TestForgottenMapping")
}

func TestForgottenMappingWithBytesStays(t *testing.T) {
	obj := newObject(t, page)
	var b []byte
	what, _ := collected(t, func() {
		m, err := obj.Map(qnxshm.ReadWrite)
		require.NoError(t, err)
		b = m.Bytes()
	})
	require.Contains(t, what, "Bytes")
	b[0] = 1 // would be a fault if it had been unmapped
}
