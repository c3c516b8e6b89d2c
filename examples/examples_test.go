//go:build linux

// Package examples_test runs the example programs as a person does: as
// processes of their own, by their output and exit status.
package examples_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// patience ends a test in which a program hangs; nothing waits for it to pass.
const patience = 60 * time.Second

// marker stands in the environment of every process the tests start, so that
// one left behind is found.
var marker = fmt.Sprintf("QNXSHM_EXAMPLES_RUN=%d-%x", os.Getpid(), rand.Uint64())

// roleVar makes this test binary play a part in a process of its own.
const roleVar = "QNXSHM_EXAMPLES_ROLE"

var roles = map[string]func(name string) error{
	"hold": holdMemory,
	"part": partFromServer,
	"mute": neverAnswer,
	"rude": sendNonsense,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		if err := roles[role](os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if programs.dir != "" {
		os.RemoveAll(programs.dir)
	}
	if left := processesLeft(); len(left) > 0 {
		fmt.Println("processes left behind:", left)
		code = 1
	}
	os.Exit(code)
}

func TestClientPrintsServersPID(t *testing.T) {
	name := uniqueName(t)
	server := startServer(t, name)
	client := start(t, "client", "-name", name)
	client.exits(t, 0)

	require.Equal(t, []string{fmt.Sprintf("client %d: Hello from %d", client.pid(), server.pid())}, client.rest())
	require.NotEqual(t, server.pid(), client.pid())
	require.Empty(t, client.stderr.String())

	server.line(t, fmt.Sprintf("server %d: client %d gets a read-only handle", server.pid(), client.pid()))
	server.line(t, fmt.Sprintf("server %d: client %d is gone, its memory is freed", server.pid(), client.pid()))
	server.keepsNoMemory(t)
}

func TestDefaultName(t *testing.T) {
	for _, program := range []string{"server", "client"} {
		cmd := exec.Command(programs.path(t, program), "-h")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err)
		require.Contains(t, string(out), `(default "qnxshm-example")`, program)
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	const n = 20
	name := uniqueName(t)
	server := startServer(t, name, "-clients", strconv.Itoa(n))

	clients := make([]*process, n)
	for i := range clients {
		clients[i] = start(t, "client", "-name", name)
	}
	for _, c := range clients {
		c.exits(t, 0)
		require.Equal(t, []string{fmt.Sprintf("client %d: Hello from %d", c.pid(), server.pid())}, c.rest())
	}
	server.exits(t, 0)
	server.leftNothing(t, name)
	lines := server.rest()
	require.Len(t, lines, 2*n+1)
	require.Equal(t, fmt.Sprintf("server %d: all clients served", server.pid()), lines[2*n])
}

func TestServerStopsAfterClients(t *testing.T) {
	name := uniqueName(t)
	server := startServer(t, name, "-clients", "2")
	start(t, "client", "-name", name).exits(t, 0)
	start(t, "client", "-name", name).exits(t, 0)
	server.exits(t, 0)
	server.leftNothing(t, name)

	client := start(t, "client", "-name", name)
	client.exits(t, 1)
	require.Contains(t, client.stderr.String(), "no server named")
}

func TestClientWithoutServer(t *testing.T) {
	name := uniqueName(t)
	client := start(t, "client", "-name", name)
	client.exits(t, 1)
	require.Equal(t, fmt.Sprintf("no server named %q: start one with: go run ./examples/server -name %s\n", name, name), client.stderr.String())
	require.Empty(t, client.rest())
}

func TestServerOnTakenName(t *testing.T) {
	name := uniqueName(t)
	first := startServer(t, name)
	second := start(t, "server", "-name", name)
	second.exits(t, 1)
	require.Equal(t, fmt.Sprintf("the name %q is taken: another server is running; choose another name with -name\n", name), second.stderr.String())
	require.Empty(t, second.rest())
	second.leftNothing(t, "")

	// The first one is not disturbed, and its name is free when it has ended.
	start(t, "client", "-name", name).exits(t, 0)
	first.signal(t, syscall.SIGTERM)
	first.exits(t, 0)
	startServer(t, name)
}

func TestNameOfKilledServerIsFree(t *testing.T) {
	name := uniqueName(t)
	server := startServer(t, name)
	server.signal(t, syscall.SIGKILL)
	server.exits(t, -1)
	server.leftNothing(t, name)
	startServer(t, name)
}

func TestInvalidName(t *testing.T) {
	for _, program := range []string{"server", "client"} {
		p := start(t, program, "-name", "/slash")
		p.exits(t, 1)
		require.Equal(t, 1, strings.Count(p.stderr.String(), "\n"), "one line")
		require.Contains(t, p.stderr.String(), "EINVAL")
	}
}

func TestWrongArguments(t *testing.T) {
	for _, args := range [][]string{{"server", "-clients", "-1"}, {"server", "name"}, {"client", "name"}} {
		p := start(t, args[0], args[1:]...)
		p.exits(t, 2)
		require.Contains(t, p.stderr.String(), "the name is given with -name")
		require.Empty(t, p.rest())
	}
}

func TestServerEndsOnSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			name := uniqueName(t)
			server := startServer(t, name)
			holder := startRole(t, "hold", name) // a client that is not gone yet
			holder.line(t, "holds")
			server.signal(t, sig)
			server.exits(t, 0)
			require.Empty(t, server.stderr.String())
			lines := server.rest()
			require.Equal(t, fmt.Sprintf("server %d: stopped", server.pid()), lines[len(lines)-1])
			server.leftNothing(t, name)

			// What the client has mapped outlives the server.
			holder.stdin.Close()
			holder.line(t, fmt.Sprintf("still reads Hello from %d", server.pid()))
			holder.exits(t, 0)
		})
	}
}

func TestClientKilledInTheMiddle(t *testing.T) {
	name := uniqueName(t)
	server := startServer(t, name)
	server.keepsNoMemory(t)
	for range 3 {
		holder := startRole(t, "hold", name)
		holder.line(t, "holds")
		server.line(t, fmt.Sprintf("server %d: client %d gets a read-only handle", server.pid(), holder.pid()))
		server.line(t, fmt.Sprintf("server %d: client %d gets a read-only handle", server.pid(), holder.pid()))
		holder.signal(t, syscall.SIGKILL)
		holder.exits(t, -1)
		server.line(t, fmt.Sprintf("server %d: client %d is gone, its memory is freed", server.pid(), holder.pid()))
		server.keepsNoMemory(t)
	}
	start(t, "client", "-name", name).exits(t, 0)
}

func TestClientPartsWithHandleUnused(t *testing.T) {
	name := uniqueName(t)
	server := startServer(t, name)
	client := startRole(t, "part", name)
	client.line(t, "parted")
	server.line(t, fmt.Sprintf("server %d: client %d is gone, its memory is freed", server.pid(), client.pid()))
	server.keepsNoMemory(t)
	client.stdin.Close()
	client.exits(t, 0)
}

func TestServerKilledWhileClientWaits(t *testing.T) {
	name := uniqueName(t)
	server := startRole(t, "mute", name)
	server.line(t, "serves")
	client := start(t, "client", "-name", name)
	server.line(t, fmt.Sprintf("has the message of %d", client.pid()))
	server.signal(t, syscall.SIGKILL)
	server.exits(t, -1)
	client.exits(t, 1)
	require.Equal(t, fmt.Sprintf("the server named %q ended before it answered\n", name), client.stderr.String())
	require.Empty(t, client.rest())
}

func TestServerSurvivesNonsense(t *testing.T) {
	name := uniqueName(t)
	server := startServer(t, name, "-clients", "2")
	startRole(t, "rude", name).exits(t, 0)
	client := start(t, "client", "-name", name)
	client.exits(t, 0)
	server.exits(t, 0)
	require.Empty(t, server.stderr.String())
	server.leftNothing(t, name)
}

func TestSecureBuffer(t *testing.T) {
	p := start(t, "securebuffer")
	p.exits(t, 0)
	require.Empty(t, p.stderr.String())
	lines := p.rest()
	require.Len(t, lines, 6)
	var consumer int
	_, err := fmt.Sscanf(lines[1], "consumer %d:", &consumer)
	require.NoError(t, err)
	require.NotEqual(t, p.pid(), consumer)
	for i, want := range []string{
		`producer P: C may read frame 1`,
		`consumer C: no descriptor for me: shm_open_handle\(0x[0-9a-f]+, O_RDONLY\): EACCES: .*`,
		`consumer C: reading frame 1`,
		`producer P: C may go on for 100ms, and is not asked then`,
		`producer P: took the buffer back from C, and wrote frame 2 into it`,
		`consumer C: read it \d+ times, then was cut off: .*: qnxshm: the memory was revoked`,
	} {
		want = strings.NewReplacer("P", strconv.Itoa(p.pid()), "C ", strconv.Itoa(consumer)+" ", "C:", strconv.Itoa(consumer)+":", "C,", strconv.Itoa(consumer)+",").Replace(want)
		require.Regexp(t, "^"+want+"$", lines[i])
	}
	leftNothing(t, strconv.Itoa(p.pid()), strconv.Itoa(consumer))
}

// startSecureBuffer starts producer and consumer, and returns the pid of the
// consumer, which is reading.
func startSecureBuffer(t *testing.T, reading string) (p *process, consumer int) {
	t.Helper()
	p = start(t, "securebuffer", "-for", reading)
	pid := p.match(t, `^producer \d+: (\d+) may go on for `+reading)[1]
	consumer, err := strconv.Atoi(pid)
	require.NoError(t, err)
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil { // the test has failed
			syscall.Kill(consumer, syscall.SIGKILL)
		}
	})
	return p, consumer
}

func TestSecureBufferConsumerKilled(t *testing.T) {
	p, consumer := startSecureBuffer(t, "1h0m0s")
	require.NoError(t, syscall.Kill(consumer, syscall.SIGKILL))
	p.exits(t, 1)
	require.Equal(t, "the consumer did not end well: signal: killed\n", p.stderr.String())
	require.Empty(t, p.rest())
	leftNothing(t, strconv.Itoa(p.pid()), strconv.Itoa(consumer))
}

func TestSecureBufferProducerKilled(t *testing.T) {
	p, consumer := startSecureBuffer(t, "1h0m0s")
	p.signal(t, syscall.SIGKILL)
	p.exits(t, -1) // when the consumer has closed its output, too
	require.Contains(t, p.stderr.String(), "the producer is gone: MsgSend(")
	require.Contains(t, p.stderr.String(), "ESRCH")
	require.Empty(t, p.rest())
	leftNothing(t, strconv.Itoa(p.pid()), strconv.Itoa(consumer))
}

// The memory of a consumer that does not answer goes when it runs again.
func TestSecureBufferConsumerStopped(t *testing.T) {
	for range 20 {
		p, consumer := startSecureBuffer(t, "200ms")
		require.NoError(t, syscall.Kill(consumer, syscall.SIGSTOP))
		next := p.match(t, `^producer \d+: (not yet|took the buffer back).*`)
		require.NoError(t, syscall.Kill(consumer, syscall.SIGCONT))
		p.exits(t, 0)
		require.Empty(t, p.stderr.String())
		lines := p.rest()
		require.Regexp(t, `^consumer \d+: read it \d+ times, then was cut off`, lines[len(lines)-1])
		if next[1] == "not yet" {
			require.Contains(t, next[0], fmt.Sprintf("pid %d): EAGAIN: ", consumer))
			return
		}
		// It was too late to stop the consumer.
	}
	require.Fail(t, "the consumer was never stopped in time")
}

func TestSecureBufferProducerEndsBeforeItAnswers(t *testing.T) {
	name := uniqueName(t)
	producer := startRole(t, "mute", name)
	producer.line(t, "serves")
	consumer := start(t, "securebuffer", "-consume", name)
	producer.line(t, fmt.Sprintf("has the message of %d", consumer.pid()))
	producer.signal(t, syscall.SIGKILL)
	producer.exits(t, -1)
	consumer.exits(t, 1)
	require.Contains(t, consumer.stderr.String(), "ESRCH")
	require.Empty(t, consumer.rest())
}

func TestSecureBufferWrongArguments(t *testing.T) {
	p := start(t, "securebuffer", "-consume", uniqueName(t))
	p.exits(t, 1)
	require.Contains(t, p.stderr.String(), "ENOENT: no server has this name")
	p = start(t, "securebuffer", "name")
	p.exits(t, 2)
	require.Equal(t, "nothing but flags is taken; -help lists them\n", p.stderr.String())
}

// holdMemory is a client that asks twice, opens one of the handles, maps it,
// and keeps all of it until its input ends.
func holdMemory(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if err != nil {
		return err
	}
	var h qnxshm.Handle
	for range 2 {
		reply := make([]byte, qnxshm.HandleSize)
		if _, err := conn.Send(binary.NativeEndian.AppendUint16(nil, 0x200), reply); err != nil {
			return err
		}
		if err := h.UnmarshalBinary(reply); err != nil {
			return err
		}
	}
	if _, err := qnxshm.Open(h, qnxshm.ReadWrite); !errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("a read-only handle opened for writing: %v", err)
	}
	obj, err := qnxshm.Open(h, qnxshm.ReadOnly)
	if err != nil {
		return err
	}
	if _, err := obj.Map(qnxshm.ReadWrite); !errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("a read-only descriptor mapped for writing: %v", err)
	}
	mem, err := obj.Map(qnxshm.ReadOnly)
	if err != nil {
		return err
	}
	fmt.Println("holds")
	os.Stdin.Read(make([]byte, 1))
	text, _, _ := bytes.Cut(mem.Bytes(), []byte{0})
	fmt.Printf("still reads %s\n", text)
	return nil
}

// partFromServer is a client that closes its connection and lives on, with a
// handle that it tries to open when its input ends.
func partFromServer(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if err != nil {
		return err
	}
	reply := make([]byte, qnxshm.HandleSize)
	if _, err := conn.Send(binary.NativeEndian.AppendUint16(nil, 0x200), reply); err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	fmt.Println("parted")
	os.Stdin.Read(make([]byte, 1))
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(reply); err != nil {
		return err
	}
	if _, err := qnxshm.Open(h, qnxshm.ReadOnly); !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("opened a handle that the server has deleted: %v", err)
	}
	return nil
}

// neverAnswer is a server that receives and does not reply.
func neverAnswer(name string) error {
	ch, err := qnxmsg.AttachName(name)
	if err != nil {
		return err
	}
	fmt.Println("serves")
	m, err := ch.Receive(make([]byte, 64))
	if err != nil {
		return err
	}
	fmt.Println("has the message of", m.Info.PID)
	os.Stdin.Read(make([]byte, 1))
	return nil
}

// sendNonsense is a client that sends what the server does not expect.
func sendNonsense(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if err != nil {
		return err
	}
	hello := binary.NativeEndian.AppendUint16(nil, 0x200)
	reply := make([]byte, qnxshm.HandleSize)
	for _, c := range []struct {
		what string
		msg  []byte
		want error
	}{
		{"nothing", nil, syscall.EBADMSG},
		{"one byte", []byte{0}, syscall.EBADMSG},
		{"an unknown type", binary.NativeEndian.AppendUint16(nil, 0x201), syscall.ENOSYS},
		{"_IO_CONNECT", binary.NativeEndian.AppendUint16(nil, 0x100), nil},
		{"another type of the system", binary.NativeEndian.AppendUint16(nil, 0x115), syscall.ENOSYS},
		{"a megabyte of zeroes", make([]byte, 1<<20), syscall.ENOSYS},
		{"hello with more behind it", append(hello, make([]byte, 1<<20)...), nil},
	} {
		if _, err := conn.Send(c.msg, reply); !errors.Is(err, c.want) {
			return fmt.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
	}
	if status, err := conn.Send(hello, nil); status != 0 || err != nil {
		return fmt.Errorf("no room for the reply: %d, %v", status, err)
	}
	for code := 0; code <= 127; code++ {
		if err := conn.SendPulse(-1, code, -1); err != nil {
			return fmt.Errorf("pulse %d: %v", code, err)
		}
	}
	// The server keeps no more for one client than it is willing to.
	for n := 2; ; n++ {
		_, err := conn.Send(hello, reply)
		if n < 16 && err != nil || n == 16 && !errors.Is(err, syscall.EAGAIN) {
			return fmt.Errorf("request %d: %v", n+1, err)
		}
		if n == 16 {
			return nil
		}
	}
}

// A process is a program under test.
type process struct {
	cmd    *exec.Cmd
	stdin  interface{ Close() error }
	lines  chan string // of stdout, closed at its end
	stderr bytes.Buffer
}

func startServer(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := start(t, "server", append([]string{"-name", name}, args...)...)
	p.line(t, fmt.Sprintf("server %d: serving as %q", p.pid(), name))
	return p
}

func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	return run(t, exec.Command(programs.path(t, program), args...))
}

func startRole(t *testing.T, role, name string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, name)
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	return run(t, cmd)
}

func run(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, lines: make(chan string, 1000)}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	// Without the option each program sleeps for a second before it ends, when
	// it was built with the race detector.
	cmd.Env = append(cmd.Env, marker, "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	cmd.Stderr = &p.stderr
	stdin, err := cmd.StdinPipe() // held open, and closed by our death too
	require.NoError(t, err)
	p.stdin = stdin
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			<-ended
			cmd.Wait()
		}
		require.NotContains(t, p.stderr.String(), "DATA RACE")
		if t.Failed() {
			t.Logf("%s, stderr: %s", filepath.Base(cmd.Path), p.stderr.String())
		}
	})
	return p
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// line waits for the line want, skipping others.
func (p *process) line(t *testing.T, want string) {
	t.Helper()
	p.until(t, want, func(line string) bool { return line == want })
}

func (p *process) until(t *testing.T, want string, is func(line string) bool) string {
	t.Helper()
	var seen []string
	late := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.cmd.Process.Kill()
				p.cmd.Wait()
				require.Fail(t, "the program ended", "waiting for %q; it printed %q and %q", want, seen, p.stderr.String())
			}
			if is(line) {
				return line
			}
			seen = append(seen, line)
		case <-late:
			require.Fail(t, "the program hangs", "waiting for %q; it printed %q", want, seen)
		}
	}
}

// match waits for a line that pattern matches, skipping others, and returns it and
// what the groups of the pattern have matched.
func (p *process) match(t *testing.T, pattern string) []string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	return wanted.FindStringSubmatch(p.until(t, pattern, wanted.MatchString))
}

// exits waits for the end of the program; code -1 is death by a signal.
func (p *process) exits(t *testing.T, code int) {
	t.Helper()
	hung := time.AfterFunc(patience, func() { p.cmd.Process.Signal(syscall.SIGQUIT) })
	defer hung.Stop()
	var lines []string
	for line := range p.lines {
		lines = append(lines, line)
	}
	p.lines = make(chan string, len(lines))
	for _, line := range lines {
		p.lines <- line
	}
	close(p.lines)
	p.cmd.Wait()
	require.Equal(t, code, p.cmd.ProcessState.ExitCode(), "%s: %v, %s", filepath.Base(p.cmd.Path), p.cmd.ProcessState, p.stderr.String())
}

// rest returns the lines that line has not taken, after exits.
func (p *process) rest() []string {
	var lines []string
	for line := range p.lines {
		lines = append(lines, line)
	}
	return lines
}

func (p *process) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(sig))
}

// keepsNoMemory checks that the program has no shared-memory object open or
// mapped, and soon not the memory of a connection either, which the last thread
// that looks at it gives back after the program has been told that its client is gone.
func (p *process) keepsNoMemory(t *testing.T) {
	t.Helper()
	for _, memory := range p.memory(t) {
		require.NotContains(t, memory, "/memfd:qnxshm:")
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Empty(c, p.memory(c)) }, 10*time.Second, time.Millisecond)
}

// memory returns the memory files that the program has mapped or open.
func (p *process) memory(t require.TestingT) []string {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.pid()))
	require.NoError(t, err)
	memory := regexp.MustCompile("/memfd:.*").FindAllString(string(maps), -1)
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.pid()))
	require.NoError(t, err)
	require.NotEmpty(t, fds)
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, "/memfd:") {
			memory = append(memory, target)
		}
	}
	return memory
}

// leftNothing checks that nothing of the program is left after its end: no
// process, no socket with its pid or name, no file in /dev/shm.
func (p *process) leftNothing(t *testing.T, name string) {
	t.Helper()
	require.NotNil(t, p.cmd.ProcessState, "still runs")
	words := []string{strconv.Itoa(p.pid())}
	if name != "" {
		words = append(words, regexp.QuoteMeta(name))
	}
	leftNothing(t, words...)
}

func leftNothing(t *testing.T, words ...string) {
	t.Helper()
	mine := regexp.MustCompile(`\b(` + strings.Join(words, "|") + `)\b`)
	sockets, err := os.ReadFile("/proc/net/unix")
	require.NoError(t, err)
	for _, line := range strings.Split(string(sockets), "\n") {
		if _, path, ok := strings.Cut(line, "@"); ok {
			require.NotRegexp(t, mine, path, "a socket is left")
		}
	}
	files, err := os.ReadDir("/dev/shm")
	require.NoError(t, err)
	for _, f := range files {
		require.NotRegexp(t, mine, f.Name(), "a file is left in /dev/shm")
	}
}

// processesLeft returns the processes that the tests have started and not
// waited for, or that those have started.
func processesLeft() []string {
	var left []string
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		if env, err := os.ReadFile(path); err == nil && bytes.Contains(env, []byte(marker)) {
			left = append(left, path)
		}
	}
	return left
}

func uniqueName(t *testing.T) string {
	return fmt.Sprintf("examples-%d-%x", os.Getpid(), rand.Uint64())
}

// built holds the example programs, built when the first test needs them.
type built struct {
	once sync.Once
	dir  string
	err  error
}

var programs built

func (b *built) path(t *testing.T, program string) string {
	t.Helper()
	needGo(t)
	b.once.Do(func() { b.dir, b.err = build() })
	require.NoError(t, b.err)
	return filepath.Join(b.dir, program)
}

func build() (string, error) {
	if err := readSources(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "qnxshm-examples-")
	if err != nil {
		return "", err
	}
	args := append([]string{"build", "-o", dir + "/"}, special()...)
	out, err := exec.Command("go", append(args, "./server", "./client", "./securebuffer")...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return dir, err
}
