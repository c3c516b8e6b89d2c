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

func TestExplain(t *testing.T) {
	cause := qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the other side sleeps"}
	for _, c := range []struct {
		name   string
		err    error
		errno  syscall.Errno
		detail string
	}{
		{"errno with a meaning", syscall.ENOENT, syscall.ENOENT, "no such thing"},
		{"errno without", syscall.EIO, syscall.EIO, syscall.EIO.Error()},
		{"errno inside", fmt.Errorf("x: %w", syscall.ENOENT), syscall.ENOENT, "no such thing"},
		{"errno of a path", &fs.PathError{Op: "x", Path: "y", Err: syscall.ENOENT}, syscall.ENOENT, "no such thing"},
		{"cause", cause, syscall.EAGAIN, "the other side sleeps"},
		{"cause inside", fmt.Errorf("x: %w", cause), syscall.EAGAIN, "the other side sleeps"},
		{"anything else", errors.New("odd"), syscall.EIO, "odd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			errno, detail := qnxerr.Explain(c.err, "open", meaning)
			require.Equal(t, c.errno, errno)
			require.Equal(t, c.detail, detail)
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

func TestCauseText(t *testing.T) {
	require.Equal(t, "EAGAIN: busy", qnxerr.Cause{Errno: syscall.EAGAIN, Text: "busy"}.Error())
}

func TestClosed(t *testing.T) {
	err := qnxerr.Closed("Object.Size")
	require.ErrorIs(t, err, os.ErrClosed)
	require.Contains(t, err.Error(), "Object.Size")
}
