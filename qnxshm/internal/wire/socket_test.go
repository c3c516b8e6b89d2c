//go:build linux

package wire_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// socketName is a name that nobody else has.
func socketName(t testing.TB) string {
	return fmt.Sprintf("wire-test/%d/%016x", os.Getpid(), linux.RandomUint64())
}

func listen(t testing.TB, name string) (fd int) {
	t.Helper()
	fd, err := wire.Listen(name)
	require.NoError(t, err)
	require.NoError(t, unix.SetNonblock(fd, false))
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// TestListen: a name is one socket's.
func TestListen(t *testing.T) {
	name := socketName(t)
	check := noLeak(t)
	_, err := wire.Connect(name, 0)
	require.Equal(t, syscall.ECONNREFUSED, err)
	fd, err := wire.Listen(name)
	require.NoError(t, err)
	_, err = wire.Listen(name)
	require.Equal(t, syscall.EADDRINUSE, err)
	c, err := wire.Connect(name, 0)
	require.NoError(t, err)
	peer, err := wire.PeerOf(c)
	require.NoError(t, err)
	require.Equal(t, wire.Peer{PID: os.Getpid(), UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}, peer)
	lives, err := wire.PeerLives(c)
	require.NoError(t, err)
	require.True(t, lives)
	require.GreaterOrEqual(t, min(c, fd), linux.FirstHigh)
	unix.Close(c)
	unix.Close(fd)
	_, err = wire.Connect(name, 0)
	require.Equal(t, syscall.ECONNREFUSED, err)
	check()
}

// TestConnectDoesNotWait for a listener whose queue is full.
func TestConnectDoesNotWait(t *testing.T) {
	name := socketName(t)
	require.NoError(t, unix.Listen(listen(t, name), 2))
	check := noLeak(t)
	var open []int
	var err error
	for err == nil {
		require.Less(t, len(open), 10)
		var fd int
		if fd, err = wire.Connect(name, 0); err == nil {
			open = append(open, fd)
		}
	}
	require.Equal(t, syscall.EAGAIN, err)
	for _, fd := range open {
		unix.Close(fd)
	}
	check()
}

// TestKernelRefusesRights: a peer cannot attach descriptors until it may.
func TestKernelRefusesRights(t *testing.T) {
	name := socketName(t)
	l := listen(t, name)
	c, err := wire.Connect(name, 0)
	require.NoError(t, err)
	defer unix.Close(c)
	accepted, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(accepted)
	err = attach(t, c, encode(new(wire.Open)), memfd(t))
	if pass, e := unix.GetsockoptInt(l, unix.SOL_SOCKET, unix.SO_PASSRIGHTS); e != nil {
		require.NoError(t, err)
		var q wire.Packet
		_, err = q.Receive(accepted, wire.NoRights, nil, nil, 0)
		require.ErrorIs(t, err, wire.ErrRights, "then Receive does")
		return
	} else {
		require.Zero(t, pass)
	}
	require.Equal(t, syscall.EPERM, err)
	wire.AllowRights(accepted)
	require.NoError(t, attach(t, c, encode(new(wire.Segment)), memfd(t)))
	require.NoError(t, attach(t, accepted, encode(new(wire.Granted)), memfd(t)), "who has connected takes them")
}

// TestListeners: those that listen, once each, whatever is connected to them.
func TestListeners(t *testing.T) {
	prefix := socketName(t)
	one, two := prefix+"/one", prefix+"/two"
	l := listen(t, one)
	listen(t, two)
	for i := range 3 {
		c, err := wire.Connect(one, 0)
		require.NoError(t, err)
		defer unix.Close(c)
		if i == 0 {
			accepted, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
			require.NoError(t, err)
			defer unix.Close(accepted)
		}
	}
	bound, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(bound)
	require.NoError(t, unix.Bind(bound, &unix.SockaddrUnix{Name: "@" + prefix + "/three"}))
	names := func(found []wire.Listener) (names []string) {
		for _, l := range found {
			names = append(names, l.Name)
		}
		return names
	}
	for how, find := range map[string]func(string) []wire.Listener{"either": wire.Listeners, "proc": wire.Listed, "netlink": wire.Diagnosed} {
		require.ElementsMatch(t, []string{one, two}, names(find(prefix+"/")), how)
		require.Equal(t, []string{two}, names(find(prefix+"/tw")), how)
		require.Empty(t, find(prefix+"/x"), how)
	}
	for _, l := range wire.Diagnosed(prefix) {
		require.True(t, l.KnowsUID)
		require.Equal(t, uint32(os.Geteuid()), l.UID)
	}
}

// TestManyListeners: the kernel tells of more than one answer of its holds. It may leave
// one out when other programs come or go meanwhile.
func TestManyListeners(t *testing.T) {
	prefix := socketName(t)
	const n = 700
	for i := range n {
		listen(t, fmt.Sprintf("%s/%016x", prefix, i))
	}
	for what, find := range map[string]func(string) []wire.Listener{
		"netlink": wire.Diagnosed, "/proc": wire.Listed,
	} {
		require.Eventually(t, func() bool { return len(find(prefix+"/")) == n }, 10*time.Second, time.Millisecond, what)
	}
}
