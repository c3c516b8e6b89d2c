//go:build linux

// Package shmipc measures github.com/cloudwego/shmipc-go beside this module: both send a
// message to another process, which answers with as many bytes.
//
//	cd qnxshm/internal/bench/shmipc && go test -bench . -benchtime 1000x -count 5
package shmipc

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cloudwego/shmipc-go"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// roleEnv, when set, makes the test binary a server: its role, its name and the size of
// messages follow as arguments.
const roleEnv = "SHMIPC_BESIDE_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	size, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = map[string]func(string, int) error{"ours": serveOurs, "theirs": serveTheirs}[role](os.Args[1], size)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// BenchmarkEcho sends messages of a size and reads the answers.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{64, 64 << 10, 1 << 20} {
		name := filepath.Join(b.TempDir(), "socket")
		for role, dial := range map[string]func(testing.TB, string, int) func() error{"ours": dialOurs, "theirs": dialTheirs} {
			b.Run(fmt.Sprintf("%d/%s", size, role), func(b *testing.B) {
				server := exec.Command(os.Args[0], name, fmt.Sprint(size))
				server.Env = append(os.Environ(), roleEnv+"="+role)
				server.Stderr = os.Stderr
				if err := server.Start(); err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() {
					server.Process.Kill()
					server.Wait()
				})
				exchange := dial(b, name, size)
				for b.Loop() {
					if err := exchange(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func ourName(name string) string {
	return "shmipc-beside-" + filepath.Base(filepath.Dir(filepath.Dir(name)))
}

func serveOurs(name string, size int) error {
	ch, err := qnxmsg.AttachName(ourName(name))
	if err != nil {
		return err
	}
	for buf := make([]byte, size); ; {
		m, err := ch.Receive(buf)
		if err != nil {
			return err
		}
		if !m.IsPulse() {
			m.Reply(0, m.Data)
		}
	}
}

func dialOurs(tb testing.TB, name string, size int) func() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := qnxmsg.OpenWait(ctx, ourName(name))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	msg, reply := make([]byte, size), make([]byte, size)
	return func() error {
		_, err := conn.Send(msg, reply)
		return err
	}
}

func serveTheirs(name string, size int) error {
	os.Remove(name)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return err
	}
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	session, err := shmipc.Server(conn, shmipc.DefaultConfig())
	if err != nil {
		return err
	}
	stream, err := session.AcceptStream()
	if err != nil {
		return err
	}
	for {
		if err := copied(stream, make([]byte, size), false); err != nil {
			return err
		}
	}
}

// copied reads a message and writes one, or the other way round.
func copied(stream *shmipc.Stream, b []byte, first bool) error {
	write := func() error {
		if _, err := stream.BufferWriter().WriteBytes(b); err != nil {
			return err
		}
		return stream.Flush(false)
	}
	if first {
		if err := write(); err != nil {
			return err
		}
	}
	got, err := stream.BufferReader().ReadBytes(len(b))
	if err != nil {
		return err
	}
	copy(b, got)
	stream.BufferReader().ReleasePreviousRead()
	if !first {
		return write()
	}
	return nil
}

func dialTheirs(tb testing.TB, name string, size int) func() error {
	conf := shmipc.DefaultSessionManagerConfig()
	conf.Network, conf.Address = "unix", name
	conf.ShareMemoryPathPrefix = fmt.Sprintf("/dev/shm/shmipc-beside-%d-%d", os.Getpid(), size)
	var manager *shmipc.SessionManager
	var err error
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		if manager, err = shmipc.NewSessionManager(conf); err == nil {
			break
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		manager.Close()
		files, _ := filepath.Glob(conf.ShareMemoryPathPrefix + "*")
		for _, f := range files { // which stay there
			os.Remove(f)
		}
	})
	stream, err := manager.GetStream()
	if err != nil {
		tb.Fatal(err)
	}
	b := make([]byte, size)
	return func() error { return copied(stream, b, true) }
}
