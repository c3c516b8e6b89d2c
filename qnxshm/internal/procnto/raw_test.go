//go:build linux

package procnto_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// plainSocket is the name of the socket on which a process listens, unless
// somebody has it.
func plainSocket(pid int) string { return procnto.Space() + strconv.Itoa(pid) }

// ownSocket is where this process listens.
func ownSocket(t testing.TB) string {
	t.Helper()
	_, err := procnto.Serve()
	require.NoError(t, err)
	return plainSocket(os.Getpid())
}

// answered is for the answer to a request, of which only the errno comes back.
func answered(t testing.TB, w testproc.Raw) syscall.Errno {
	t.Helper()
	return syscall.Errno(testproc.MustReceive[*wire.Answer](t, w).Errno)
}

// requireGranted is for the answer to an Open or a Map that is granted.
func requireGranted(t testing.TB, w testproc.Raw) {
	t.Helper()
	p, err := w.Receive(0)
	require.NoError(t, err)
	require.IsType(t, (*wire.Granted)(nil), p.Frame)
	require.Equal(t, 1, p.CloseFDs())
}

// greet connects and says hello as an opener of handles.
func greet(t testing.TB, name string) testproc.Raw {
	t.Helper()
	return greetBy(t, name, new(wire.HelloHandles))
}

// greetLink connects and says hello as one who is to be told of revocations.
func greetLink(t testing.TB, name string) testproc.Raw {
	t.Helper()
	return greetBy(t, name, new(wire.HelloLink))
}

func greetBy(t testing.TB, name string, hello wire.Frame) testproc.Raw {
	t.Helper()
	w := testproc.Reach(t, name)
	require.NoError(t, w.Say(hello))
	w.WantWelcome(t, 0)
	return w
}

// linkOf makes a link of a child's with this process, without the library.
func linkOf(t testing.TB, c *testproc.Child) (conn int) {
	t.Helper()
	conn = c.Do("dial", ownSocket(t)).Int()
	c.Do("rawsend", conn, testproc.Encode(new(wire.HelloLink)))
	require.Zero(t, c.Do("rawreceive", conn, 0).At(1).Int())
	return conn
}
