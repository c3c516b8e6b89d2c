//go:build linux

package procnto_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// impostor makes the node listen where the process pid would, or with 0 itself.
// What it does to openers behave says.
func (n *node) impostor(pid int) error {
	if pid == 0 {
		pid = os.Getpid()
	}
	return n.bad.Listen(plainSocket(pid), pretend)
}

// pretend does to one opener what a hostile maker could.
func pretend(c testproc.Raw, act string) {
	defer c.Close()
	if act == "end at once" {
		return
	}
	hello, err := c.ReceiveFrame()
	if err != nil || misbehave(c, "welcome: ", act, new(wire.Welcome), 0) || c.Say(new(wire.Welcome)) != nil {
		return
	}
	if hello.Kind() != wire.KindHelloHandles {
		c.ReceiveFrame() // until the client leaves
		return
	}
	for {
		request, err := c.ReceiveFrame()
		if err != nil {
			return
		}
		open, ok := request.(*wire.Open)
		if !ok {
			c.Say(&wire.Answer{ID: request.(*wire.Delete).Handle})
			continue
		}
		if !misbehave(c, "answer: ", act, &wire.Granted{Handle: open.Handle}, open.Handle) {
			fd := aReadOnlyObject()
			c.Say(&wire.Granted{Handle: open.Handle}, fd)
			unix.Close(fd)
		}
		if act != "answer: busy" {
			return
		}
	}
}

func aReadOnlyObject() int {
	fd, err := anObject(1, "not what you wanted")
	if err != nil {
		return -1
	}
	defer unix.Close(fd)
	got, _ := unix.Open(pathOf(fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return got
}

// misbehave sends something in place of f, about the handle id, if act begins with
// step, and reports whether it does.
func misbehave(c testproc.Raw, step, act string, f wire.Frame, id uint64) bool {
	what, ok := strings.CutPrefix(act, step)
	if !ok {
		return false
	}
	sendThen := func(f wire.Frame, fds ...int) {
		c.Say(f, fds...)
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	if w, ok := badWindows[what]; ok {
		sendThen(&wire.Granted{Handle: id, Offset: w[0], Size: w[1]}, aReadOnlyObject())
		return true
	}
	if file := otherFiles[what]; file != nil {
		sendThen(f, file())
		return true
	}
	if packet := noFrames[what]; packet != nil {
		c.Send(packet)
		return true
	}
	refuse := func(errno int32) wire.Frame {
		if step == "welcome: " {
			return &wire.Welcome{Errno: errno}
		}
		return &wire.Answer{ID: id, Errno: errno}
	}
	switch what {
	case "end":
	case "silence":
		c.ReceiveFrame()
	case "other kind":
		sendThen(new(wire.Bell), aReadOnlyObject())
	case "other id":
		sendThen(&wire.Granted{Handle: id + 1}, aReadOnlyObject())
	case "payload":
		fd := aReadOnlyObject()
		c.Send(append(testproc.Encode(f), "more"...), fd)
		unix.Close(fd)
	case "refused", "busy", "no such errno", "no error":
		c.Say(refuse(refusals[what]))
	case "errno and descriptor":
		sendThen(refuse(int32(syscall.EACCES)), aReadOnlyObject())
	case "nothing":
		c.Say(f)
	case "two":
		sendThen(f, aReadOnlyObject(), aReadOnlyObject())
	case "many":
		fds := make([]int, 253) // the most that the kernel passes
		for i := range fds {
			fds[i] = aReadOnlyObject()
		}
		sendThen(f, fds...)
	}
	return true
}

// noFrames are packets of another kind, or another version.
var noFrames = map[string][]byte{
	"garbage":        []byte("What is your name?"),
	"zeros":          make([]byte, wire.FrameSize),
	"older":          testproc.OfVersion(wire.Version-1, wire.FrameSize),
	"newer, longer":  testproc.OfVersion(wire.Version+1, wire.FrameSize+16),
	"newer, shorter": testproc.OfVersion(wire.Version+1, wire.FrameSize-16),
}

var refusals = map[string]int32{
	"refused":       int32(syscall.EAGAIN),
	"busy":          int32(syscall.EBUSY),
	"no such errno": math.MaxInt32,
	"no error":      0,
}

// badWindows are offsets and sizes that no window has.
var badWindows = map[string][2]int64{
	"window: unaligned":         {1, page},
	"window: odd size":          {0, page - 1},
	"window: negative offset":   {-page, page},
	"window: negative size":     {0, -page},
	"window: least":             {math.MinInt64, math.MinInt64},
	"window: offset of nothing": {page, 0},
	"window: overflow":          {math.MaxInt64 &^ (page - 1), page},
}

// otherFiles are no objects, or not with the access asked for.
var otherFiles = map[string]func() int{
	"descriptor": aReadOnlyObject,
	"pipe": func() int {
		var p [2]int
		unix.Pipe2(p[:], unix.O_CLOEXEC)
		unix.Close(p[1])
		return p[0]
	},
	"fifo": func() int {
		dir, _ := os.MkdirTemp("", "")
		defer os.RemoveAll(dir)
		unix.Mkfifo(dir+"/fifo", 0o600)
		return opened(dir+"/fifo", unix.O_RDONLY|unix.O_NONBLOCK)
	},
	"directory": func() int { return opened("/", unix.O_RDONLY) },
	"device":    func() int { return opened("/dev/zero", unix.O_RDONLY) },
	"socket": func() int {
		w, _ := testproc.NewRaw()
		return w.FD
	},
	"path": func() int {
		fd := aReadOnlyObject()
		defer unix.Close(fd)
		return opened(pathOf(fd), unix.O_PATH)
	},
	"more access": func() int {
		fd, _ := anObject(1, "")
		return fd
	},
	"less access": func() int {
		fd, _ := anObject(1, "")
		defer unix.Close(fd)
		return opened(pathOf(fd), unix.O_WRONLY)
	},
}

func opened(path string, flags int) int {
	fd, _ := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	return fd
}

// handleOf is a handle that a process may have made.
func handleOf(c *testproc.Child) uint64 { return uint64(c.PID())<<42 | 7 }

// TestHostileMaker opens handles of a maker that sends anything but what it
// should. The opener gets an errno, keeps nothing, and can go on.
func TestHostileMaker(t *testing.T) {
	check := noLeak(t)
	maker := testproc.Start(t, "node")
	maker.Do("impostor", 0)
	open := func(act string) error {
		maker.Do("behave", act)
		return openObject(handleOf(maker), os.O_RDONLY)
	}
	tests := map[string]syscall.Errno{
		"end at once":                  syscall.ESRCH,
		"welcome: end":                 syscall.ESRCH,
		"welcome: garbage":             syscall.ESRCH,
		"welcome: zeros":               syscall.ESRCH,
		"welcome: other kind":          syscall.ESRCH,
		"welcome: payload":             syscall.ESRCH,
		"welcome: refused":             syscall.EAGAIN,
		"answer: end":                  syscall.ESRCH,
		"answer: garbage":              syscall.ESRCH,
		"answer: zeros":                syscall.ESRCH,
		"answer: other kind":           syscall.ESRCH,
		"answer: other id":             syscall.ESRCH,
		"answer: payload":              syscall.ESRCH,
		"answer: nothing":              syscall.ESRCH,
		"answer: no error":             syscall.ESRCH,
		"answer: two":                  syscall.ESRCH,
		"answer: many":                 syscall.ESRCH,
		"answer: refused":              syscall.EAGAIN,
		"answer: errno and descriptor": syscall.ESRCH,
		"answer: no such errno":        math.MaxInt32,
	}
	for what := range badWindows {
		tests["answer: "+what] = syscall.ESRCH
	}
	for what := range otherFiles {
		tests["answer: "+what] = syscall.ESRCH
	}
	delete(tests, "answer: descriptor") // which is right
	for act, want := range tests {
		for range 5 {
			err := open(act)
			require.Error(t, err, act)
			require.Equal(t, want, testproc.ErrnoOf(err), "%s: %v", act, err)
		}
		require.NoError(t, open("well"), "after %s", act)
	}
	// Nothing says that a maker must not send a descriptor with the welcome, only
	// that the opener keeps none.
	for _, act := range []string{"welcome: descriptor", "welcome: two", "welcome: many"} {
		for range 20 {
			open(act)
		}
		require.NoError(t, open("well"), "after %s", act)
	}
	maker.Kill()
	testproc.WantErrno(t, syscall.ESRCH, openObject(handleOf(maker), os.O_RDONLY))
	check()
}

// TestMakerOfAnotherVersion must tell what is wrong: ESRCH would send people to
// look for a handle that is not there.
func TestMakerOfAnotherVersion(t *testing.T) {
	for act, version := range map[string]int{"older": wire.Version - 1, "newer, longer": wire.Version + 1, "newer, shorter": wire.Version + 1} {
		t.Run(act, func(t *testing.T) {
			maker := testproc.Start(t, "node")
			maker.Do("impostor", 0)
			maker.Do("behave", "welcome: "+act)
			err := openObject(handleOf(maker), os.O_RDONLY)
			testproc.WantErrno(t, syscall.EPROTO, err)
			require.ErrorContains(t, err, fmt.Sprintf("version %d of", version))
			require.ErrorContains(t, err, fmt.Sprintf("this one version %d:", wire.Version))
			testproc.WantErrno(t, syscall.EPROTO, procnto.DeleteHandle(handleOf(maker)))
			_, _, err = procnto.Dial(maker.PID(), new(wire.HelloAttach))
			testproc.WantErrno(t, syscall.EPROTO, err)
		})
	}
}

// TestRefusalIsHeard: a maker that has too many connections says so and closes.
// The opener must hear it although it cannot send any more then.
func TestRefusalIsHeard(t *testing.T) {
	maker := testproc.Start(t, "node")
	maker.Do("impostor", 0)
	maker.Do("behave", testproc.RefuseAtOnce)
	for range 2000 {
		err := openObject(handleOf(maker), os.O_RDONLY)
		testproc.WantErrno(t, syscall.EAGAIN, err)
		require.ErrorContains(t, err, "too many connections")
		_, _, err = procnto.Dial(maker.PID(), new(wire.HelloAttach))
		testproc.WantErrno(t, syscall.EAGAIN, err)
	}
}

// TestMakerHangs opens a handle of a maker that takes the request and is silent.
func TestMakerHangs(t *testing.T) {
	t.Parallel()
	for _, act := range []string{"welcome: silence", "answer: silence", "answer: busy"} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			maker := testproc.Start(t, "node")
			maker.Do("impostor", 0)
			maker.Do("behave", act)
			start := time.Now()
			err := openObject(handleOf(maker), os.O_RDONLY)
			testproc.WantErrno(t, syscall.EAGAIN, err)
			require.Less(t, time.Since(start), procnto.PeerTimeout+3*time.Second)
			require.Greater(t, time.Since(start), procnto.PeerTimeout-time.Second)
			require.ErrorContains(t, err, "did not answer")
		})
	}
}

// TestMakerHangsAndSignalsCome: the limit is one for the call, not for the time
// between two signals.
func TestMakerHangsAndSignalsCome(t *testing.T) {
	testproc.TakesLong(t, "waits for who never answers")
	t.Parallel()
	maker := testproc.Start(t, "node")
	maker.Do("impostor", 0)
	maker.Do("behave", "answer: silence")
	thread, result := make(chan int), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: nobody else gets the signals
		thread <- unix.Gettid()
		result <- openObject(handleOf(maker), os.O_RDONLY)
	}()
	tid := <-thread
	tick := time.NewTicker(procnto.PeerTimeout / 10)
	defer tick.Stop()
	for limit := time.After(procnto.PeerTimeout + 2*time.Second); ; {
		select {
		case err := <-result:
			testproc.WantErrno(t, syscall.EAGAIN, err)
			return
		case <-tick.C:
			// A signal that Go's runtime handles and nobody minds.
			require.NoError(t, unix.Tgkill(os.Getpid(), tid, unix.SIGURG))
		case <-limit:
			maker.Kill()
			<-result
			require.FailNow(t, "signals keep the call waiting")
		}
	}
}
