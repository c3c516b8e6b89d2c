//go:build !qnx || linux

package qnxshm_test

import (
	"errors"
	"io/fs"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

func TestErrorText(t *testing.T) {
	e := &qnxshm.Error{Call: "open", Args: "1", Errno: syscall.ESRCH, Detail: "gone"}
	require.Equal(t, "open(1): ESRCH: gone", e.Error())
	e.Detail = ""
	require.Equal(t, "open(1): ESRCH", e.Error())
}

func TestErrorMatches(t *testing.T) {
	for errno, stands := range map[syscall.Errno]error{
		syscall.EACCES: fs.ErrPermission,
		syscall.EPERM:  fs.ErrPermission,
		syscall.ENOENT: fs.ErrNotExist,
		syscall.EEXIST: fs.ErrExist,
		syscall.ENOSYS: errors.ErrUnsupported,
	} {
		err := error(&qnxshm.Error{Call: "call", Errno: errno})
		require.ErrorIs(t, err, errno)
		require.ErrorIs(t, err, stands)
		require.NotErrorIs(t, err, syscall.ESRCH)
	}
}

// A program needs one type for the errors of both packages.
func TestOneError(t *testing.T) {
	_, shm := qnxshm.OpenHandle(42, qnxshm.ReadOnly)
	_, msg := qnxmsg.NewChannel(1)
	for call, err := range map[string]error{"shm_open_handle": shm, "ChannelCreate": msg} {
		var e *qnxshm.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, call, e.Call)
		var same *qnxmsg.Error
		require.ErrorAs(t, err, &same)
		require.Same(t, e, same)
	}
}

// What an Error carries is read where it is looked up first.
func TestErrorIsDocumented(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("runs the go tool: ", err)
	}
	out, err := exec.Command("go", "doc", "Error").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, field := range []string{"Call", "Args", "Errno", "Detail"} {
		require.Contains(t, string(out), "\n\t"+field+" ", "go doc Error")
	}
}
