//go:build !linux && !qnx

package qnxmsg_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// Without host and target no channel and no connection can be made, and the
// error says so. What works on one cannot be called.
func TestUnsupported(t *testing.T) {
	calls := []struct {
		name string
		call func() error
	}{
		{"ChannelCreate", func() error { _, err := qnxmsg.NewChannel(0); return err }},
		{"name_attach", func() error { _, err := qnxmsg.AttachName("x"); return err }},
		{"ConnectAttach", func() error { _, err := qnxmsg.Connect(os.Getpid(), 1); return err }},
		{"name_open", func() error { _, err := qnxmsg.OpenName("x"); return err }},
		{"name_open", func() error { _, err := qnxmsg.OpenWait(context.Background(), "x"); return err }},
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
