package qnxerr_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

func meaning(call string, errno syscall.Errno) string {
	if call == "open" && errno == syscall.ENOENT {
		return "no such thing"
	}
	return ""
}

func TestNames(t *testing.T) {
	for name, errno := range map[string]syscall.Errno{
		"EOK": 0, "EPERM": syscall.EPERM, "ESRCH": syscall.ESRCH, "EBADF": syscall.EBADF, "EACCES": syscall.EACCES,
		"EINVAL": syscall.EINVAL, "EMFILE": syscall.EMFILE, "EAGAIN": syscall.EAGAIN, "ETIMEDOUT": syscall.ETIMEDOUT,
		"ENAMETOOLONG": syscall.ENAMETOOLONG, "ESRVRFAULT": qnxerr.ESRVRFAULT,
	} {
		require.Equal(t, name, qnxerr.Name(errno))
		got, ok := qnxerr.ByName(name)
		require.True(t, ok, name)
		require.Equal(t, errno, got, name)
	}
	require.Equal(t, "errno 99999", qnxerr.Name(99999))
	_, ok := qnxerr.ByName("ENOTHING")
	require.False(t, ok)
}

func TestWrapKinds(t *testing.T) {
	cause := qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the other side sleeps"}
	for _, c := range []struct {
		name string
		err  error
		want qnxerr.Error
	}{
		{"errno with a meaning", syscall.ENOENT, qnxerr.Error{Errno: syscall.ENOENT, Detail: "no such thing"}},
		{"errno without", syscall.EIO, qnxerr.Error{Errno: syscall.EIO, Detail: syscall.EIO.Error()}},
		{"errno inside", fmt.Errorf("x: %w", syscall.ENOENT), qnxerr.Error{Errno: syscall.ENOENT, Detail: "no such thing"}},
		{"errno of a path", &fs.PathError{Op: "x", Path: "y", Err: syscall.ENOENT}, qnxerr.Error{Errno: syscall.ENOENT, Detail: "no such thing"}},
		{"cause", cause, qnxerr.Error{Errno: syscall.EAGAIN, Detail: "the other side sleeps"}},
		{"cause inside", fmt.Errorf("x: %w", cause), qnxerr.Error{Errno: syscall.EAGAIN, Detail: "the other side sleeps"}},
		{"anything else", errors.New("odd"), qnxerr.Error{Errno: syscall.EIO, Detail: "odd"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Call, c.want.Args = "open", "1, two"
			got := qnxerr.Wrap(c.err, meaning, "open", "%d, %s", 1, "two")
			var e *qnxerr.Error
			require.ErrorAs(t, got, &e)
			require.Equal(t, c.want, *e)
			require.ErrorIs(t, got, c.want.Errno)
		})
	}
}

func TestBecause(t *testing.T) {
	require.Equal(t, qnxerr.Cause{Errno: syscall.EINVAL, Text: "why"}, qnxerr.Because(syscall.EINVAL, syscall.EINVAL, "", "why", "more"))
	require.Equal(t, syscall.EINVAL, qnxerr.Because(syscall.EINVAL, syscall.EINVAL, ""))
	require.Equal(t, syscall.EPERM, qnxerr.Because(syscall.EPERM, syscall.EINVAL, "why"))
	cause := qnxerr.Cause{Errno: syscall.EINVAL, Text: "something"}
	require.Equal(t, cause, qnxerr.Because(cause, syscall.EINVAL, ""))
	require.Equal(t, qnxerr.Cause{Errno: syscall.EINVAL, Text: "why"}, qnxerr.Because(cause, syscall.EINVAL, "why"))
}

func TestText(t *testing.T) {
	e := &qnxerr.Error{Call: "open", Args: "1", Errno: syscall.ESRCH, Detail: "gone"}
	require.Equal(t, "open(1): ESRCH: gone", e.Error())
	e.Detail = ""
	require.Equal(t, "open(1): ESRCH", e.Error())
	require.Equal(t, "EAGAIN: busy", qnxerr.Cause{Errno: syscall.EAGAIN, Text: "busy"}.Error())
}

func TestMatches(t *testing.T) {
	for errno, stands := range map[syscall.Errno]error{
		syscall.EACCES: fs.ErrPermission,
		syscall.EPERM:  fs.ErrPermission,
		syscall.ENOENT: fs.ErrNotExist,
		syscall.EEXIST: fs.ErrExist,
		syscall.ENOSYS: errors.ErrUnsupported,
	} {
		err := qnxerr.Wrap(errno, meaning, "call", "")
		require.ErrorIs(t, err, errno)
		require.ErrorIs(t, err, stands)
		require.NotErrorIs(t, err, syscall.ESRCH)
	}
}

func TestClosed(t *testing.T) {
	err := qnxerr.Closed("Object.Size")
	require.ErrorIs(t, err, os.ErrClosed)
	require.Contains(t, err.Error(), "Object.Size")
}
