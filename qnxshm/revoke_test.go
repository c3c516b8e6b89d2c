//go:build linux

package qnxshm_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
)

func newRevocable(t *testing.T) *qnxshm.Object {
	t.Helper()
	obj := newObject(t, 2*page)
	require.NoError(t, obj.MakeRevocable())
	return obj
}

func TestRevokedMapping(t *testing.T) {
	obj := newRevocable(t)
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
	require.NoError(t, err)
	direct, err := qnxshm.Map(h, qnxshm.ReadOnly, int64(page))
	require.NoError(t, err)
	unused, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	require.NoError(t, err)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	require.NoError(t, obj.Revoke(os.Getpid()))

	for _, m := range []*qnxshm.Mapping{direct, m} {
		require.ErrorIs(t, m.View(func(b []byte) error { _ = string(b[:8]); return errors.New("went on") }), qnxshm.ErrRevoked)
		n, err := m.ReadAt(make([]byte, 8), 0)
		require.ErrorIs(t, err, qnxshm.ErrRevoked)
		require.NotErrorIs(t, err, qnxshm.ErrTruncated)
		require.Zero(t, n)
	}
	require.ErrorIs(t, m.View(func(b []byte) error { b[page] = 1; return errors.New("went on") }), qnxshm.ErrRevoked)
	_, err = m.LoadUint32(8)
	require.ErrorIs(t, err, qnxshm.ErrRevoked)
	require.ErrorIs(t, m.StoreUint64(8, 1), qnxshm.ErrRevoked)
	n, err := m.WriteAt([]byte("lost"), int64(page))
	require.ErrorIs(t, err, qnxshm.ErrRevoked)
	require.ErrorContains(t, err, fmt.Sprint("offset ", page))
	require.Zero(t, n)
	require.NoError(t, m.Unmap())
	require.NoError(t, direct.Unmap())

	require.ErrorIs(t, qnxshm.DeleteHandle(unused), syscall.ESRCH)
	again := newMapping(t, obj, qnxshm.ReadWrite) // the descriptor stays
	_, err = again.WriteAt([]byte("more"), 0)
	require.NoError(t, err)
}

// A revocable object that became shorter is not taken for a revoked one.
func TestRevocableMappingTruncated(t *testing.T) {
	obj := newRevocable(t)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	require.NoError(t, obj.Truncate(int64(page)))
	_, err := m.ReadAt(make([]byte, 8), int64(page))
	require.ErrorIs(t, err, qnxshm.ErrTruncated)
	require.NotErrorIs(t, err, qnxshm.ErrRevoked)
	require.NoError(t, obj.Truncate(int64(2*page)))
	_, err = m.WriteAt([]byte("back"), int64(page))
	require.NoError(t, err, "to find out has not changed the memory")
}

func TestRevokeAll(t *testing.T) {
	obj := newRevocable(t)
	h, err := obj.CreateHandle(os.Getppid(), qnxshm.ReadOnly, nil)
	require.NoError(t, err)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	require.NoError(t, obj.RevokeAll())
	_, err = m.ReadAt(make([]byte, 8), 0)
	require.ErrorIs(t, err, qnxshm.ErrRevoked, "the creator's own, too")
	require.ErrorIs(t, qnxshm.DeleteHandle(h), syscall.ESRCH, "another process's handle")
}

func TestRevokeErrors(t *testing.T) {
	obj := newObject(t, page)
	err := obj.Revoke(os.Getpid())
	require.ErrorIs(t, err, syscall.EINVAL)
	require.ErrorContains(t, err, "shm_revoke(")
	require.ErrorContains(t, err, "not made revocable")
	require.NoError(t, obj.MakeRevocable())
	own, fd := int64(os.Getpid()), int64(obj.Fd())
	for _, pid := range []int64{0, -2, 1 << 30, 1<<32 - 1, 1<<32 + own, own - 1<<32} {
		if n := int(pid); int64(n) == pid { // on this processor
			require.ErrorIs(t, obj.Revoke(n), syscall.ESRCH, "%d", pid)
		}
	}
	require.ErrorIs(t, qnxshm.Revoke(-1, os.Getpid()), syscall.EBADF)
	if strconv.IntSize == 64 {
		require.ErrorIs(t, qnxshm.Revoke(int(1<<32+fd), os.Getpid()), syscall.EBADF)
	}
	gone := exec.Command("/proc/self/exe", "-test.run=^$")
	gone.Env = environ()
	require.NoError(t, gone.Run())
	require.ErrorIs(t, obj.Revoke(gone.Process.Pid), syscall.ESRCH)
	for range 2 {
		require.NoError(t, obj.RevokeAll())
		require.NoError(t, obj.Revoke(-1), "the same")
		require.NoError(t, obj.Revoke(os.Getpid()), "who has nothing")
	}
}
