//go:build linux && cgo

package qnxhost_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// patience ends a program that hangs; nothing waits for it to pass.
const patience = 100 * time.Second

// nested stands in the environment of what these tests start, so that none of it
// starts them again.
const nested = "QNXHOST_CPROGRAMS_NESTED"

// built are the library and the programs, made once for all tests.
var built struct {
	once sync.Once
	dir  string
	skip string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// programs returns the directory with the library and all programs.
func programs(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: builds a C library and C programs")
	}
	built.once.Do(func() { built.skip, built.err = build() })
	if built.skip != "" {
		t.Skip(built.skip)
	}
	require.NoError(t, built.err)
	return built.dir
}

func build() (skip string, err error) {
	for _, compiler := range []string{"gcc", "g++"} {
		if _, err := exec.LookPath(compiler); err != nil {
			return "no C and C++ compiler: " + err.Error(), nil
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		switch {
		case slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}):
			return "-race: the race detector sees nothing of a C program", nil
		case slices.Contains(info.Settings, debug.BuildSetting{Key: "-tags", Value: "qnx"}):
			return "-tags qnx: the library and the programs are the same without", nil
		}
	}
	if os.Getenv(nested) != "" {
		return "these tests run already", nil
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	include := filepath.Join(root, "qnxshm/qnxhost/include")
	hash, err := readSources(root, include)
	if err != nil {
		return "", err
	}
	if built.dir, err = os.MkdirTemp("", "qnxhost"); err != nil {
		return "", err
	}
	library := filepath.Join(built.dir, "libqnxhost.so")
	cflags := os.Getenv("CGO_CFLAGS")
	if cflags == "" {
		cflags = "-g -O2" // as the go command's default
	}
	run := func(name string, args ...string) error {
		cmd := exec.Command(name, args...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), nested+"=1", "CGO_ENABLED=1", "CGO_CFLAGS="+cflags+" -DQNXHOST_HEADERS=0x"+hash)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
		}
		return nil
	}
	// As scripts/install-c.sh builds it: then the standard library is compiled once for both.
	if err := run("go", "build", "-trimpath", "-buildmode=c-shared", "-o", library, "./qnxshm/qnxhost/lib"); err != nil {
		return "", err
	}
	if err := run("go", "build", "-o", built.dir+"/", "./examples/server", "./examples/client", "./examples/securebuffer"); err != nil {
		return "", err
	}
	for _, name := range []string{"server", "client", "client.cpp", "producer", "consumer", "messages", "handles", "timers", "signals", "processes", "threads", "limits", "faults", "dispatch", "host", "pools", "waits", "storm", "ends", "exceptions"} {
		compiler, source := sourceOf(name)
		source = filepath.Join("qnxshm/qnxhost", source)
		switch name {
		case "server":
			source = "examples/c/server.c"
		case "client.cpp":
			compiler, source = "g++", "examples/c/clientpp.cpp"
		}
		if err := run(compiler, "-Wall", "-Wextra", "-Wno-missing-braces", "-Werror", "-O1", "-I", include, "-o", filepath.Join(built.dir, "c-"+name),
			filepath.Join(root, source), library); err != nil {
			return "", err
		}
	}
	if err := run("gcc", "-D_NTO_VERSION=710", "-Wall", "-Wextra", "-Wno-missing-braces", "-Werror", "-I", include, "-o",
		filepath.Join(built.dir, "c-dispatch-7.1"), "qnxshm/qnxhost/testdata/dispatch.c", library); err != nil {
		return "", err
	}
	rules, err := filepath.Glob(filepath.Join(root, "qnxshm/qnxhost/testdata/rules*.c"))
	if err != nil {
		return "", err
	}
	for variant, flags := range dialects {
		for program, sources := range map[string][]string{
			"rules":       rules,
			"events":      {filepath.Join(root, "qnxshm/qnxhost/testdata/events.c")},
			"pair_server": {filepath.Join(root, "qnxshm/qnxhost/testdata/pair_server.c")},
			"pair_client": {filepath.Join(root, "qnxshm/qnxhost/testdata/pair_client.c")},
		} {
			args := append(slices.Clone(flags[1:]), "-Wall", "-Wextra", "-Werror", "-O1", "-I", include, "-o", filepath.Join(built.dir, "c-"+program+"-"+variant))
			args = append(append(args, sources...), "-x", "none", library)
			if err := run(flags[0], args...); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

// sourceOf returns the source of a program of testdata, and what compiles it.
func sourceOf(program string) (compiler, source string) {
	if program == "exceptions" {
		return "g++", "testdata/exceptions.cpp"
	}
	return "gcc", filepath.Join("testdata", program+".c")
}

// readSources reads every file that the build may depend on, so that the test
// cache knows of them. It returns a hash of the headers: the build cache does not
// watch those, because no package has them in its own directory.
func readSources(root, include string) (headers string, err error) {
	sum := sha256.New()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() || !slices.Contains([]string{".go", ".c", ".cpp", ".h", ".mod", ".sum"}, filepath.Ext(path)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if strings.HasPrefix(path, include) {
			sum.Write(text)
		}
		return err
	})
	return fmt.Sprintf("%x", sum.Sum(nil)[:8]), err
}

// A process runs a program until it ends, or the test does.
type process struct {
	cmd    *exec.Cmd
	lines  chan string
	stderr bytes.Buffer
	ended  chan error
}

func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	dir := programs(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p := &process{cmd: exec.CommandContext(ctx, filepath.Join(dir, name), args...), lines: make(chan string, 1000), ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), nested+"=1")
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
		close(p.lines)
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		for range p.lines {
		}
		p.ended <- <-p.ended
	})
	return p
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// line takes the next line of the program's output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	line, ok := <-p.lines
	require.True(t, ok, "%s ended: %s", p.cmd, &p.stderr)
	return line
}

// end waits until the program ends.
func (p *process) end() error {
	for range p.lines {
	}
	err := <-p.ended
	p.ended <- err
	return err
}

// succeeds requires that the program has found no fault, and leaves nothing.
func (p *process) succeeds(t *testing.T) {
	t.Helper()
	err := p.end()
	require.NoError(t, err, "%s: %s", p.cmd, &p.stderr)
	require.Empty(t, p.stderr.String())
}

// endsBy requires that the signal ends the program, by its default action.
func (p *process) endsBy(t *testing.T, signal syscall.Signal) {
	t.Helper()
	p.end()
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled(), "%v %s", p.cmd.ProcessState, &p.stderr)
	require.Equal(t, signal, status.Signal())
}

func uniqueName() string { return fmt.Sprintf("qnxhost-test-%d-%x", os.Getpid(), rand.Uint64()) }

// Servers and clients in C, C++ and Go understand each other.
func TestCServersAndClients(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"c-server", "server"} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			name := uniqueName()
			args := func(program string) []string {
				if strings.HasPrefix(program, "c-") {
					return []string{name}
				}
				return []string{"-name", name}
			}
			s := start(t, server, args(server)...)
			require.Equal(t, fmt.Sprintf("server %d: serving as %q", s.pid(), name), s.line(t))
			for _, client := range []string{"c-client", "c-client.cpp", "client", "c-client"} {
				c := start(t, client, args(client)...)
				require.Equal(t, fmt.Sprintf("client %d: Hello from %d", c.pid(), s.pid()), c.line(t), client)
				c.succeeds(t)
				for !strings.Contains(s.line(t), "is gone") {
				}
			}
			// The signal's handler sets a flag. One that comes just before the
			// server waits is followed by the next.
			done := make(chan struct{})
			go func() {
				for {
					s.cmd.Process.Signal(syscall.SIGINT)
					select {
					case <-done:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
			}()
			var last string
			for line := range s.lines {
				last = line
			}
			close(done)
			require.Equal(t, fmt.Sprintf("server %d: stopped", s.pid()), last)
			s.succeeds(t)
			c := start(t, "c-client", name)
			require.Error(t, c.end())
			require.Contains(t, c.stderr.String(), "name_open: No such file or directory")
		})
	}
}

// A client that is killed leaves a C server that serves on.
func TestCServerOutlivesKilledClient(t *testing.T) {
	t.Parallel()
	name := uniqueName()
	s := start(t, "c-server", name)
	s.line(t)
	c := start(t, "c-processes", "client", name) // sends what this server refuses
	require.Error(t, c.end())
	require.Equal(t, fmt.Sprintf("server %d: a client is gone", s.pid()), s.line(t))
	start(t, "c-client", name).succeeds(t)
}

// The eight steps of the guide to memory that is taken back, each side once in C
// and once in Go. Programs check their own side.
func TestCSecureBuffer(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"c-consumer", "securebuffer"} {
		t.Run(consumer, func(t *testing.T) {
			t.Parallel()
			name := uniqueName()
			p := start(t, "c-producer", name)
			require.Equal(t, fmt.Sprintf("producer %d: serving as %q", p.pid(), name), p.line(t))
			if consumer == "c-consumer" {
				c := start(t, consumer, name)
				require.Equal(t, fmt.Sprintf("consumer %d: cut off by signal %d", c.pid(), syscall.SIGSEGV), c.line(t))
				c.succeeds(t)
				require.Equal(t, fmt.Sprintf("producer %d: took the frame back, in which %[2]d had left %[2]d", p.pid(), c.pid()), p.line(t))
			} else {
				c := start(t, consumer, "-consume", name)
				require.Contains(t, c.line(t), "EACCES")
				require.Equal(t, fmt.Sprintf("consumer %d: reading frame 1", c.pid()), c.line(t))
				require.Regexp(t, `then was cut off: .*revoked$`, c.line(t))
				c.succeeds(t)
				require.Equal(t, fmt.Sprintf("producer %d: took the frame back, in which %d had left 1", p.pid(), c.pid()), p.line(t))
			}
			p.succeeds(t)
		})
	}
	t.Run("Go producer", func(t *testing.T) {
		t.Parallel()
		lendFrame(t)
	})
}

// lendFrame is a producer in Go of a consumer in C.
func lendFrame(t *testing.T) {
	obj, err := qnxshm.Create(64 << 10)
	require.NoError(t, err)
	defer obj.Close()
	require.NoError(t, obj.MakeRevocable())
	require.NoError(t, obj.Seal())
	mem, err := obj.Map(qnxshm.ReadWrite)
	require.NoError(t, err)
	defer mem.Unmap()
	fill := func(number uint64) {
		for off := int64(0); off < int64(mem.Len()); off += 8 {
			require.NoError(t, mem.StoreUint64(off, number))
		}
	}
	fill(1)
	name := uniqueName()
	ch, err := qnxmsg.AttachName(name)
	require.NoError(t, err)
	defer ch.Close()
	c := start(t, "c-consumer", name)
	for {
		m, err := ch.ReceiveTimeout(make([]byte, 64), patience)
		require.NoError(t, err, "%s", &c.stderr)
		if m.IsPulse() {
			break // the consumer has gone
		}
		require.Equal(t, c.pid(), m.Info.PID)
		switch binary.NativeEndian.Uint16(m.Data) {
		case 0x200:
			h, err := obj.CreateHandle(c.pid(), qnxshm.ReadWrite, &qnxshm.HandleConfig{NoFD: true})
			require.NoError(t, err)
			reply, err := h.AppendBinary(nil)
			require.NoError(t, err)
			require.NoError(t, m.Reply(0, reply))
		case 0x201:
			require.NoError(t, obj.Revoke(c.pid()))
			word, err := mem.LoadUint64(0)
			require.NoError(t, err)
			require.EqualValues(t, c.pid(), word, "what the consumer has written")
			fill(2)
			require.NoError(t, m.Reply(0, nil))
		}
	}
	require.Equal(t, fmt.Sprintf("consumer %d: cut off by signal %d", c.pid(), syscall.SIGSEGV), c.line(t))
	c.succeeds(t)
	word, err := mem.LoadUint64(0)
	require.NoError(t, err)
	require.EqualValues(t, 2, word)
}

// Each program checks many things, and tells those that are wrong.
func TestCPrograms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
	}{
		{"messages", []string{"all", "NAME"}},
		{"messages", []string{"receivers"}},
		{"handles", nil},
		{"timers", nil},
		{"signals", []string{"interrupted"}},
		{"signals", []string{"pulses"}},
		{"signals", []string{"sigwait"}},
		{"signals", []string{"masks"}},
		{"signals", []string{"storm"}},
		{"signals", []string{"quiet"}},
		{"signals", []string{"reset"}},
		{"processes", []string{"fork", "NAME"}},
		{"processes", []string{"churn"}},
		{"processes", []string{"cancel"}},
		{"processes", []string{"closes", "NAME"}},
		{"threads", []string{"leader", "NAME"}},
		{"threads", []string{"unused", "NAME"}},
		{"threads", []string{"handler", "NAME"}},
		{"faults", []string{"alone", "NAME"}},
		{"dispatch", nil},
		{"dispatch-7.1", nil},
		{"host", []string{"NAME"}},
		{"events-c-8.0", []string{"alone"}},
		{"pools", nil},
		{"waits", nil},
		{"ends", nil},
		{"exceptions", nil},
	} {
		t.Run(strings.Trim(test.name+"-"+strings.Join(test.args, "-"), "-"), func(t *testing.T) {
			t.Parallel()
			args := slices.Clone(test.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "NAME", uniqueName())
			}
			start(t, "c-"+test.name, args...).succeeds(t)
		})
	}
}

// QNX's logs are lines of standard error.
func TestCProgramLogs(t *testing.T) {
	t.Parallel()
	p := start(t, "c-host", "logs")
	require.NoError(t, p.end(), "%s", &p.stderr)
	require.Equal(t, "slog error 0x2710: number 5\nset.buffer warning 0x7: text here\nset.buffer error 0x1: plain\n", p.stderr.String())
}

// What a program has not asked for happens as without the library.
func TestCProgramDefaultSignals(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"receive", "send"} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1} {
			p := start(t, "c-signals", part)
			require.Equal(t, "blocked", p.line(t))
			require.NoError(t, p.cmd.Process.Signal(signal))
			p.endsBy(t, signal)
		}
	}
	start(t, "c-signals", "fault").endsBy(t, syscall.SIGSEGV)
	start(t, "c-handles", "revoked").endsBy(t, syscall.SIGSEGV)
	start(t, "c-signals", "pipe").endsBy(t, syscall.SIGPIPE)
	start(t, "c-signals", "abort").endsBy(t, syscall.SIGABRT)
	start(t, "c-pools", "untold").endsBy(t, syscall.SIGABRT)
	start(t, "c-signals", "stkflt").endsBy(t, syscall.SIGSTKFLT)
}

func TestCProgramExitsWhileBlocked(t *testing.T) {
	t.Parallel()
	for range 20 {
		p := start(t, "c-processes", "exit")
		p.end()
		require.Equal(t, 7, p.cmd.ProcessState.ExitCode(), "%v %s", p.cmd.ProcessState, &p.stderr)
	}
}
