//go:build linux

package qnxshm_test

import (
	"fmt"
	"math"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A wrong argument is named in the text of the error, with what is allowed.
func TestWrongArguments(t *testing.T) {
	obj, empty, page := newObject(t, page), newObject(t, 0), int64(page)
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	require.NoError(t, err)
	fd, self := int(obj.Fd()), os.Getpid()
	nothing, err := qnxshm.NewObject(math.MaxInt32)
	require.NoError(t, err)
	t.Cleanup(func() { nothing.Close() })
	ch, err := qnxmsg.NewChannel(0)
	require.NoError(t, err)
	t.Cleanup(func() { ch.Close() })
	conn, err := qnxmsg.Connect(0, ch.ID())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SendPulse(-1, 0, 0))
	pulse, err := ch.Receive(nil)
	require.NoError(t, err)

	part := func(pid int, access qnxshm.Access, opts qnxshm.HandleOptions, size, offset int64) error {
		_, err := qnxshm.CreateSubrangeHandle(fd, pid, access, opts, size, offset)
		return err
	}
	create := func(fd, pid int, access qnxshm.Access, opts qnxshm.HandleOptions) error {
		_, err := qnxshm.CreateHandle(fd, pid, access, opts)
		return err
	}
	whole := func(o *qnxshm.Object, access qnxshm.Access) error {
		_, err := o.Map(access)
		return err
	}
	toEnd := func(offset int64) error {
		_, err := obj.CreateHandle(self, 0, &qnxshm.HandleConfig{Offset: offset})
		return err
	}
	mapped := func(access qnxshm.Access, offset, length int64) error {
		_, err := obj.MapRange(access, offset, length)
		return err
	}
	second := func(_ any, err error) error { return err }
	const access = "access must be O_RDONLY, O_WRONLY or O_RDWR"
	pages := fmt.Sprintf("must be a multiple of the page size, %d", page)
	for _, c := range []struct {
		err   error
		errno syscall.Errno
		text  string
	}{
		{create(fd, self, 3, 0), syscall.EINVAL, access},
		{create(fd, self, 0, 1<<31), syscall.EINVAL, "options has unknown bits"},
		{create(-1, self, 0, 0), syscall.EBADF, "fd is not an open descriptor of a shared-memory object"},
		{create(fd, -1, 0, 0), syscall.ESRCH, "pid must be above 0"},
		{create(fd, 0, 0, 0), syscall.ESRCH, "pid must be above 0"},
		{create(fd, math.MaxInt32, 0, 0), syscall.ESRCH, "no process has this pid"},
		{part(self, 4, 0, page, 0), syscall.EINVAL, access},
		{part(self, 0, 1<<31, page, 0), syscall.EINVAL, "options has unknown bits"},
		{part(self, 0, 0, 0, 0), syscall.EINVAL, "size must be above 0"},
		{part(self, 0, 0, 1, 0), syscall.EINVAL, "size " + pages},
		{part(self, 0, 0, page, 1), syscall.EINVAL, "offset " + pages},
		{part(self, 0, 0, page, -page), syscall.EINVAL, "offset must not be negative"},
		{part(self, 0, 0, page, page), syscall.EINVAL, "the part does not lie within the object"},
		{part(-1, 0, 0, page, 0), syscall.ESRCH, "pid must be above 0"},
		{toEnd(1), syscall.EINVAL, "offset " + pages},
		{toEnd(page), syscall.EINVAL, "the length from offset to the end of the object must be above 0"},
		{toEnd(math.MaxInt64 / page * page), syscall.EINVAL, "the length from offset to the end of the object must be above 0"},
		{toEnd(-page), syscall.EINVAL, "offset must not be negative"},
		{toEnd(math.MinInt64), syscall.EINVAL, "offset must not be negative"},
		{second(qnxshm.OpenHandle(0, 0)), syscall.ESRCH, "0 is never a handle"},
		{second(qnxshm.OpenHandle(1, 3)), syscall.EINVAL, "access must be one of"},
		{second(qnxshm.OpenAnonymous(os.O_WRONLY|os.O_CREATE, 0)), syscall.EINVAL, "shm_open(SHM_ANON, O_WRONLY|O_CREAT, 0): EINVAL: flags must be O_RDONLY or O_RDWR"},
		{second(qnxshm.OpenObject("/x", os.O_RDWR|os.O_EXCL|os.O_APPEND, 0o600)), syscall.EINVAL, fmt.Sprintf(`shm_open("/x", O_RDWR|O_EXCL|%#x, 0600): EINVAL`, os.O_APPEND)},
		{second(qnxshm.OpenObject("x\x00", os.O_RDWR, 0)), syscall.EINVAL, "the name must not have a zero byte"},
		{second(qnxshm.NewObject(-1)), syscall.EBADF, "a descriptor is 0 to 2147483647"},
		{second(qnxshm.Create(-1)), syscall.EINVAL, "the size must be 0 or more"},
		{second(nothing.Size()), syscall.EBADF, "fd is not an open descriptor; or, on the host, it is a window"},
		{nothing.Truncate(0), syscall.EBADF, "fd is not an open descriptor; or, on the host, it is a window"},
		{whole(nothing, 0), syscall.EBADF, "fd is not an open descriptor; or, on the host, it is a window"},
		{nothing.Seal(), syscall.EBADF, "fd is not an open descriptor of a shared-memory object; or, on the host"},
		{nothing.RevokeAll(), syscall.EBADF, "fd is not an open descriptor of a shared-memory object; or, on the host"},
		{mapped(5, 0, page), syscall.EINVAL, access},
		{mapped(qnxshm.WriteOnly, 0, page), syscall.EACCES, "access must be O_RDWR"},
		{mapped(0, 0, 0), syscall.EINVAL, "length must be above 0"},
		{mapped(0, 1, page), syscall.EINVAL, "offset " + pages},
		{whole(obj, 7), syscall.EINVAL, "0x7, all of it): EINVAL: " + access},
		{whole(obj, qnxshm.WriteOnly), syscall.EACCES, "access must be O_RDWR"},
		{whole(empty, 7), syscall.EINVAL, access},
		{whole(empty, 0), syscall.EINVAL, "an object of size 0 cannot be mapped"},
		{second(qnxshm.Map(h, 7, page)), syscall.EINVAL, "0x7, length " + fmt.Sprint(page) + "): EINVAL: " + access},
		{second(qnxshm.Map(h, qnxshm.WriteOnly, page)), syscall.EACCES, "access must be O_RDWR"},
		{second(qnxshm.Map(h, 0, 0)), syscall.EINVAL, "length must be above 0"},
		{second(qnxshm.MapPID(h, 7, page, self)), syscall.EINVAL, access},
		{second(qnxshm.MapPID(h, 0, -1, self)), syscall.EINVAL, "length must be above 0"},

		{second(qnxmsg.NewChannel(1)), syscall.EINVAL, "flags must be none or some of ChannelUnblock (0x2), ChannelDisconnect (0x8), ChannelConnectionDeath (0x40) and ChannelPrivate (0x1000)"},
		{second(qnxmsg.AttachName("/x")), syscall.EINVAL, `does not begin with "/"`},
		{second(qnxmsg.OpenName("")), syscall.EINVAL, "a name has 1 to 255 bytes"},
		{second(qnxmsg.Connect(-1, 1)), syscall.ESRCH, "no process has this pid"},
		{conn.SendPulse(-2, 0, 0), syscall.EINVAL, "priority must be 0 to 255, or -1"},
		{conn.SendPulse(-1, 128, 0), syscall.EINVAL, "code 0 to 127"},
		{pulse.Reply(0, nil), syscall.EINVAL, "a pulse is not answered"},
		{pulse.Unblock(), syscall.EINVAL, "a pulse is not answered"},
		{ch.DetachClient(0), syscall.EINVAL, "scoid is no client of this channel"},
	} {
		require.ErrorIs(t, c.err, c.errno)
		require.ErrorContains(t, c.err, c.text)
	}
	require.NoError(t, qnxshm.DeleteHandle(h), "it was never used")
}
