//go:build !linux && !qnx

package qnxshm_test

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
)

// Without host and target every call fails, and the error says what and where.
func TestUnsupported(t *testing.T) {
	obj, err := qnxshm.NewObject(0)
	require.NoError(t, err)
	calls := []struct {
		name string
		call func() error
	}{
		{"shm_create_handle", func() error { _, err := qnxshm.CreateHandle(0, os.Getpid(), qnxshm.ReadOnly, 0); return err }},
		{"shm_create_subrange_handle", func() error {
			_, err := qnxshm.CreateSubrangeHandle(0, os.Getpid(), qnxshm.ReadOnly, 0, 4096, 0)
			return err
		}},
		{"shm_open_handle", func() error { _, err := qnxshm.OpenHandle(1, qnxshm.ReadOnly); return err }},
		{"shm_open_handle_pid", func() error { _, err := qnxshm.OpenHandlePID(1, qnxshm.ReadOnly, os.Getpid()); return err }},
		{"shm_delete_handle", func() error { return qnxshm.DeleteHandle(1) }},
		{"shm_open", func() error { _, err := qnxshm.OpenAnonymous(os.O_RDWR, 0); return err }},
		{"shm_open", func() error { _, err := qnxshm.OpenObject("/x", os.O_RDWR, 0); return err }},
		{"shm_unlink", func() error { return qnxshm.UnlinkObject("/x") }},
		{"shm_open", func() error { _, err := qnxshm.Create(4096); return err }},
		{"shm_open", func() error { _, err := qnxshm.OpenNamed("/x", os.O_RDWR, 0); return err }},
		{"shm_open_handle", func() error { _, err := qnxshm.Open(1, qnxshm.ReadOnly); return err }},
		{"shm_open_handle_pid", func() error { _, err := qnxshm.OpenPID(1, qnxshm.ReadOnly, os.Getpid()); return err }},
		{"shm_create_handle", func() error { _, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil); return err }},
		{"shm_create_subrange_handle", func() error {
			_, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Size: 4096})
			return err
		}},
		{"fstat", func() error {
			_, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Offset: 4096})
			return err
		}},
		{"fstat", func() error { _, err := obj.Size(); return err }},
		{"ftruncate", func() error { return obj.Truncate(1) }},
		{"fstat", func() error { _, err := obj.Map(qnxshm.ReadOnly); return err }},
		{"shm_ctl", func() error { _, err := qnxshm.Control(0, qnxshm.ControlSeal, 0, 0); return err }},
		{"shm_ctl", obj.Seal},
		{"shm_ctl", obj.MakeRevocable},
		{"shm_revoke", func() error { return qnxshm.Revoke(0, os.Getpid()) }},
		{"shm_revoke", func() error { return obj.Revoke(os.Getpid()) }},
		{"shm_revoke", obj.RevokeAll},
		{"shm_ctl", func() error { _, err := obj.Control(qnxshm.ControlAnonymous, 0, 4096); return err }},
		{"shm_ctl", func() error { _, err := obj.Flags(); return err }},
		{"mmap_handle", func() error { _, err := qnxshm.Map(1, qnxshm.ReadOnly, 4096); return err }},
		{"mmap_handle_pid", func() error { _, err := qnxshm.MapPID(1, qnxshm.ReadOnly, 4096, os.Getpid()); return err }},
		{"getrlimit", func() error { _, _, err := qnxshm.HandleLimit(); return err }},
		{"setrlimit", func() error { return qnxshm.SetHandleLimit(1, 1) }},
		{"mmap", func() error { _, err := obj.MapRange(qnxshm.ReadOnly, 0, 4096); return err }},
		{"close", obj.Close}, // last: the others need it
	}
	for _, c := range calls {
		err := c.call()
		require.Error(t, err, c.name)
		require.ErrorIs(t, err, errors.ErrUnsupported, c.name)
		require.ErrorIs(t, err, syscall.ENOSYS, c.name)
		require.Contains(t, err.Error(), c.name+"(")
		require.Contains(t, err.Error(), runtime.GOOS)
	}
}
