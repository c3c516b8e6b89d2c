//go:build linux

package testproc_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

func TestMain(m *testing.M) {
	testproc.Main(m, testproc.Roles{
		"tested": tested,
		"unfit":  func() testproc.Procedures { testproc.CannotServe("no room"); return nil },
	})
}

type pair struct {
	A int
	B string
}

func tested() testproc.Procedures {
	count, opened := 0, make(chan struct{})
	return testproc.Procedures{
		"add": func(a, b int) int { return a + b },
		"sum": func(all ...uint64) (n uint64) {
			for _, a := range all {
				n += a
			}
			return n
		},
		"pair":   func(p pair) (pair, error) { return pair{p.A + 1, p.B + "!"}, nil },
		"three":  func() (int, string, bool) { return 1, "two", true },
		"errno":  func() error { return fmt.Errorf("as expected: %w", syscall.ESRCH) },
		"error":  func() error { return errors.New("no errno") },
		"fail":   func(t testing.TB) { require.Equal(t, 1, 2, "what is wrong") },
		"skip":   func(t testing.TB) { t.Skip("not here") },
		"exit":   func() { os.Exit(3) },
		"print":  func() { fmt.Println("whatever") },
		"count":  func() int { count++; return count }, // without a lock
		"wait":   func() { <-opened },
		"open":   func() { close(opened) },
		"parent": os.Getppid,
		"nested": func(t testing.TB, procedure string) (testproc.Value, error) {
			return testproc.Start(t, "tested").Try(procedure)
		},
	}
}

// A recorder is a test that may fail.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	said string
}

func (r *recorder) say(how string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said += how + fmt.Sprintln(args...)
}

func (r *recorder) Helper()                      {}
func (r *recorder) Errorf(f string, args ...any) { r.say("failed: ", fmt.Sprintf(f, args...)) }
func (r *recorder) Fatal(args ...any)            { r.say("failed: ", args...); runtime.Goexit() }
func (r *recorder) Fatalf(f string, args ...any) { r.Fatal(fmt.Sprintf(f, args...)) }
func (r *recorder) Skipf(f string, args ...any) {
	r.say("skipped: ", fmt.Sprintf(f, args...))
	runtime.Goexit()
}

// outcome is what a test says that does what do does.
func outcome(t *testing.T, do func(t testing.TB)) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(r)
	}()
	<-done
	return r.said
}

// TestValues: what goes there, and what comes back.
func TestValues(t *testing.T) {
	c := testproc.Start(t, "tested")
	require.Equal(t, 5, c.Do("add", 2, 3).Int())
	require.Equal(t, 8, c.Do("add", c.Do("add", 2, 3), 3).Int())
	require.Zero(t, c.Do("sum").Int())
	require.Equal(t, ^uint64(0), c.Do("sum", ^uint64(0)-1, 1).Uint64())
	var p pair
	c.Do("pair", pair{1, "one"}).Into(&p)
	require.Equal(t, pair{2, "one!"}, p)
	three := c.Do("three")
	require.Equal(t, "two", three.At(1).Text())
	require.True(t, three.At(2).Bool())
	c.Do("print")
	require.Equal(t, os.Getpid(), c.Do("parent").Int())
}

// TestErrors: an errno is one on the other side, too, with its text.
func TestErrors(t *testing.T) {
	c := testproc.Start(t, "tested")
	err := c.Err("errno")
	testproc.WantErrno(t, syscall.ESRCH, err)
	require.ErrorIs(t, err, syscall.ESRCH)
	require.EqualError(t, err, "as expected: no such process")
	testproc.WantErrno(t, syscall.EIO, c.Err("error"))
	_, err = c.Try("nested", "errno")
	testproc.WantErrno(t, syscall.ESRCH, err)
}

// TestFailuresAreCarriedBack: whatever the child fails or skips, the test does.
func TestFailuresAreCarriedBack(t *testing.T) {
	for procedure, says := range map[string]string{
		"fail":    "failed: .*what is wrong",
		"skip":    "skipped: .*not here",
		"exit":    "failed: .*has ended: exit status 3",
		"unknown": "failed: .*no such procedure",
		"add":     "failed: .*0 arguments",
	} {
		said := outcome(t, func(t2 testing.TB) { testproc.Start(t, "tested").For(t2).Try(procedure) })
		require.Regexp(t, "(?s)^"+says, said, procedure)
		said = outcome(t, func(t2 testing.TB) { testproc.Start(t, "tested").For(t2).Try("nested", procedure) })
		require.Regexp(t, "(?s)^"+says, said, "nested "+procedure)
	}
	require.Regexp(t, "failed: .*argument", outcome(t, func(t2 testing.TB) {
		testproc.Start(t, "tested").For(t2).Do("add", "x", 1)
	}))
	require.Regexp(t, "failed: errno .*as expected", outcome(t, func(t2 testing.TB) {
		testproc.Start(t, "tested").For(t2).Do("errno")
	}))
	require.Regexp(t, "skipped: .*no room", outcome(t, func(t2 testing.TB) {
		testproc.Start(cleaner{t2, t}, "unfit")
	}))
	require.Regexp(t, "failed: want ENOENT, got ESRCH", outcome(t, func(t2 testing.TB) {
		testproc.WantErrno(t2, syscall.ENOENT, syscall.ESRCH)
	}))
}

// A cleaner cleans up with another test.
type cleaner struct {
	testing.TB
	with *testing.T
}

func (c cleaner) Cleanup(f func()) { c.with.Cleanup(f) }

// TestNoAnswer: a child that hangs is found out, and tells where.
func TestNoAnswer(t *testing.T) {
	c := testproc.Start(t, "tested")
	c.Stop() // else it would tell where
	require.Regexp(t, "failed: .*has not answered wait", outcome(t, func(t2 testing.TB) {
		c.For(t2).Begin("wait").Within(10 * time.Millisecond)
	}))
}

// TestCallsBesideOthers: each has its own goroutine, and sees what was answered before.
func TestCallsBesideOthers(t *testing.T) {
	c := testproc.Start(t, "tested")
	first, second := c.Begin("wait"), c.Begin("wait")
	for i := range 100 {
		require.Equal(t, i+1, c.Do("count").Int())
	}
	c.Do("open")
	for _, call := range []*testproc.Call{first, second} {
		_, err := call.Wait()
		require.NoError(t, err)
	}
	c.End()
}

// TestStopped: a stopped child answers when it goes on.
func TestStopped(t *testing.T) {
	c := testproc.Start(t, "tested")
	c.Stop()
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.PID()))
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(state), ") ")
	require.Equal(t, "T", after[:1])
	call := c.Begin("add", 1, 2)
	c.Continue()
	v, err := call.Wait()
	require.NoError(t, err)
	require.Equal(t, 3, v.Int())
}

// TestNothingStays: of children that were killed, ended by themselves, or were ended
// with a test.
func TestNothingStays(t *testing.T) {
	before, goroutines := len(testproc.Descriptors(t, os.Getpid())), runtime.NumGoroutine()
	var pids []int
	for _, end := range []func(c *testproc.Child){
		func(c *testproc.Child) { c.Kill(); c.Kill() },
		func(c *testproc.Child) { c.Stop(); c.Kill() },
		func(c *testproc.Child) { c.End() },
		func(c *testproc.Child) { unix.Kill(c.PID(), unix.SIGKILL); c.Wait() },
		func(*testproc.Child) {},
	} {
		t.Run("", func(t *testing.T) {
			c := testproc.Start(t, "tested")
			pids = append(pids, c.PID())
			end(c)
		})
	}
	for _, pid := range pids {
		require.Equal(t, unix.ESRCH, unix.Kill(pid, 0))
	}
	testproc.Eventually(t, testproc.LeakLimit, func() bool {
		return len(testproc.Descriptors(t, os.Getpid())) <= before && runtime.NumGoroutine() <= goroutines
	}, "had %d descriptors, now %v", before, testproc.Kinds(os.Getpid()))
}

// TestNoLeak: a descriptor, a goroutine, and what a package counts itself. Who has made
// them is told.
func TestNoLeak(t *testing.T) {
	defer testproc.SetLeakLimit(100 * time.Millisecond)()
	found := []string{}
	left := func() []string { return found }
	check := testproc.NoLeak(t, left)
	check()
	leaks := func(leak func() (end func()), says string) {
		t.Helper()
		require.Regexp(t, says, outcome(t, func(t2 testing.TB) {
			check := testproc.NoLeak(t2, left)
			defer leak()()
			check()
		}))
	}
	leaks(func() func() {
		found = []string{"this"}
		return func() { found = nil }
	}, `\[this\]`)
	leaks(func() func() {
		stay := make(chan struct{})
		for range 3 { // one that is about to end may count before
			go func() { <-stay }()
		}
		return func() { close(stay) }
	}, `goroutines before, now \d+\ngoroutine \d+ (?s:[^\n]*\n.*)created by [^\n]*testproc_test\.TestNoLeak`)
	leaks(func() func() {
		fd, err := linux.Memfd("test")
		require.NoError(t, err)
		return func() { unix.Close(fd) }
	}, `descriptors before, .*\ndescriptor \d+, /memfd:test .*, made by linux\.Memfd \(descriptor\.go:\d+\), called by testproc_test\.TestNoLeak`)
	leaks(func() func() {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		require.NoError(t, err)
		return func() { unix.Close(fd) }
	}, `descriptors before, .*\ndescriptor \d+, anon_inode:.*, not made by the host\n`)
	check()
}

// TestGenerated: only the lines that differ are told.
func TestGenerated(t *testing.T) {
	file := t.TempDir() + "/list"
	require.NoError(t, os.WriteFile(file, []byte("2 lines\none\ntwo\n"), 0o666))
	for want, says := range map[string]string{
		"2 lines\none\ntwo\n":        "",
		"3 lines\none\n1.5\ntwo\n":   "-2 lines\n+3 lines\n+1.5\n",
		"2 lines\nONE\ntwo\n":        "-one\n+ONE\n",
		"2 lines\ntwo\none\n":        "-one\n+one\n",
		"2 lines\none\ntwo":          "-two\n+two (no line feed)\n",
		"2 lines\none\ntwo\n\n":      "+\n",
		"":                           "-2 lines\n-one\n-two\n",
		"2 lines\none\ntwo\nthree\n": "+three\n",
	} {
		if says != "" {
			says = "failed: " + file + " is not current; run: make list\n" + says + "\n"
		}
		require.Equal(t, says, outcome(t, func(t testing.TB) {
			testproc.Generated(t, file, []byte(want), "make list")
		}))
	}
}

// TestRerun: a process of its own, whose skip is this test's.
func TestRerun(t *testing.T) {
	pid := fmt.Sprint(os.Getpid())
	o := testproc.Options{Env: []string{"TEST_FIRST=" + pid}}
	skipped := false
	t.Run("passes / with (blanks)", func(t *testing.T) {
		o.Rerun(t, func(t *testing.T) {
			require.NotEqual(t, fmt.Sprint(os.Getpid()), os.Getenv("TEST_FIRST"))
		})
	})
	t.Run("skips", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		o.Rerun(t, func(t *testing.T) { t.Skip("not here") })
	})
	if !testproc.Rerunning() {
		require.True(t, skipped)
	}
}

// TestRaw: packets, descriptors, and the end.
func TestRaw(t *testing.T) {
	name := fmt.Sprintf("testproc/%d", os.Getpid())
	l, err := testproc.Listen(name, 1)
	require.NoError(t, err)
	defer l.Close()
	r := testproc.Reach(t, name)
	defer r.Close()
	s, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, r.SayWith(&wire.Revoked{ID: 7}, "more", r.FD, r.FD))
	p, err := s.Receive(0)
	require.NoError(t, err)
	require.Equal(t, &wire.Revoked{ID: 7}, p.Frame)
	require.Equal(t, "more", string(p.Payload))
	require.Equal(t, 2, p.CloseFDs())
	require.NoError(t, s.Say(&wire.Welcome{Errno: int32(syscall.EAGAIN)}))
	r.WantWelcome(t, syscall.EAGAIN)
	require.NoError(t, s.Say(new(wire.Welcome)))
	require.Contains(t, outcome(t, func(t2 testing.TB) { r.WantWelcome(t2, syscall.EAGAIN) }), "failed")
	require.NoError(t, s.Say(new(wire.Welcome)))
	require.Contains(t, outcome(t, func(t2 testing.TB) { testproc.MustReceive[*wire.Answer](t2, r) }), "failed")
	r.SetLimit(10 * time.Millisecond)
	require.Contains(t, outcome(t, func(t2 testing.TB) { r.Ended(t2) }), "still open")
	s.Close()
	r.Ended(t)
}

// TestBequeath: an heir keeps a descriptor open.
func TestBequeath(t *testing.T) {
	var p [2]int
	require.NoError(t, unix.Pipe2(p[:], unix.O_CLOEXEC))
	defer unix.Close(p[0])
	heir, err := testproc.Bequeath(p[1])
	require.NoError(t, err)
	unix.Close(p[1])
	poll := []unix.PollFd{{Fd: int32(p[0])}}
	n, err := unix.Poll(poll, 0)
	require.NoError(t, err)
	require.Zero(t, n, "the other end is closed")
	require.NoError(t, unix.Kill(heir, unix.SIGKILL))
	_, err = unix.Wait4(heir, nil, 0, nil)
	require.NoError(t, err)
	n, err = unix.Poll(poll, -1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// TestFiller leaves as many numbers as it is told.
func TestFiller(t *testing.T) {
	testproc.Options{}.Rerun(t, func(t *testing.T) {
		require.NoError(t, testproc.LimitDescriptors(100))
		var f testproc.Filler
		require.NoError(t, f.Fill(2))
		for range 2 {
			_, err := unix.Dup(0)
			require.NoError(t, err)
		}
		_, err := unix.Dup(0)
		require.ErrorIs(t, err, unix.EMFILE)
		f.Unfill()
		_, err = unix.Dup(0)
		require.NoError(t, err)
	})
}

// TestRounds go on, rest, and end with the first error.
func TestRounds(t *testing.T) {
	var r testproc.Rounds
	fail := make(chan error, 1)
	at := make(chan int, 1<<20)
	r.Start(func(i int) error {
		at <- i
		select {
		case err := <-fail:
			return err
		default:
			return nil
		}
	})
	_, err := r.Progress(10)
	require.NoError(t, err)
	require.NoError(t, r.Pause())
	n := len(at)
	require.Greater(t, n, 10)
	runtime.Gosched()
	require.Len(t, at, n, "they rest")
	r.Resume()
	_, err = r.Progress(1)
	require.NoError(t, err)
	fail <- syscall.EPIPE
	_, err = r.Progress(1 << 20)
	require.Equal(t, syscall.EPIPE, err)
	require.Equal(t, syscall.EPIPE, r.Pause())
	r.Start(func(i int) error {
		if i == 3 {
			return syscall.ESRCH
		}
		return nil
	})
	_, err = r.Progress(10)
	require.Equal(t, syscall.ESRCH, err, "once more")
}
