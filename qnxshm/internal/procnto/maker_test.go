//go:build linux

package procnto_test

import (
	"encoding/binary"
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// impostor makes the node listen where the process pid would, or with 0 itself,
// without the host's library. What it does to openers behave says.
func (n *node) impostor(a arguments) ([]any, error) { // pid
	pid := a.int(0)
	if pid == 0 {
		pid = os.Getpid()
	}
	name, err := procnto.ProcessSocket(pid)
	if err != nil {
		return nil, err
	}
	w, err := rawListen(name)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := w.accept()
			if err != nil {
				return
			}
			n.mu.Lock()
			act := n.act
			n.mu.Unlock()
			if act == "refuse at once" {
				c.send(procnto.Frame{Kind: procnto.Welcome, Errno: int32(syscall.EAGAIN)}.Encode())
				c.close()
				continue
			}
			go pretend(c, act)
		}
	}()
	return []any{pid}, nil
}

func (n *node) behave(a arguments) ([]any, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.act = string(a.bytes(0))
	return nil, nil
}

// pretend does to one opener what a hostile maker could.
func pretend(c wire, act string) {
	defer c.close()
	if act == "end at once" {
		return
	}
	hello, _, _, err := c.receive(0)
	if err != nil {
		return
	}
	f := procnto.Frame{Kind: procnto.Welcome}
	switch hello.Kind {
	case procnto.HelloLane:
		for good := c.send(f.Encode()) == nil; good; {
			good = serveBadly(c, act)
		}
		return
	case procnto.HelloAttach:
		start, err := procnto.StartTime(os.Getpid())
		if err != nil {
			return
		}
		f.Number, f.SCOID, f.A = hello.Number, 1, int64(start)
	}
	if misbehave(c, "welcome: ", act, f) {
		return
	}
	if c.send(f.Encode()) != nil {
		return
	}
	if hello.Kind == procnto.HelloAttach {
		c.receive(0) // until the client detaches
	}
	for again := hello.Kind == procnto.HelloHandles; again; again = act == "answer: busy" {
		request, _, _, err := c.receive(0)
		if err != nil {
			return
		}
		f := procnto.Frame{Kind: procnto.Answer, ID: request.ID}
		if misbehave(c, "answer: ", act, f) {
			continue
		}
		fd, err := aReadOnlyObject()
		if err != nil || c.send(f.Encode(), fd) != nil {
			return
		}
		unix.Close(fd)
	}
}

// serveBadly takes a message from a lane and replies, and reports whether to go
// on.
func serveBadly(c wire, act string) bool {
	m, _, _, err := c.receive(0)
	if err != nil {
		return false
	}
	f := procnto.Frame{Kind: procnto.Reply, ID: m.ID}
	if misbehave(c, "reply: ", act, f) {
		return false
	}
	f.B = m.B
	return c.send(append(f.Encode(), make([]byte, m.B)...)) == nil
}

// sealedFile is a payload as this module makes them, with any content; of size
// bytes if that is more.
func sealedFile(content []byte, size int64) int {
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1
	}
	unix.Pwrite(fd, content, 0)
	unix.Ftruncate(fd, max(size, int64(len(content))))
	unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, procnto.PayloadSeals)
	return fd
}

func aReadOnlyObject() (int, error) {
	fd, err := anObject(1, "not what you wanted")
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	return unix.Open(pathOf(fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// misbehave sends something in place of f if act begins with step, and reports
// whether it does.
func misbehave(c wire, step, act string, f procnto.Frame) bool {
	if len(act) < len(step) || act[:len(step)] != step {
		return false
	}
	send := func(f procnto.Frame, fds ...int) {
		c.send(f.Encode(), fds...)
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	object := func() int { fd, _ := aReadOnlyObject(); return fd }
	part := func(offset, size int64) {
		f.A, f.B = offset, size
		send(f, object())
	}
	page := int64(os.Getpagesize())
	file := func(pieces int32, size int64, numbers ...int64) {
		var content []byte
		for _, n := range numbers {
			content = binary.NativeEndian.AppendUint64(content, uint64(n))
		}
		fd := sealedFile(content, size)
		f.InFile, f.Number, f.B = true, pieces, max(size, int64(len(content)))
		send(f, fd)
	}
	switch act[len(step):] {
	case "end":
		return true
	case "silence":
		c.receive(0)
	case "garbage":
		c.send([]byte("What is your name?"))
	case "zeros":
		c.send(make([]byte, procnto.FrameSize))
	case "version 2":
		c.send(ofVersion(2, procnto.FrameSize))
	case "version 2, longer":
		c.send(ofVersion(2, procnto.FrameSize+16))
	case "version 2, shorter":
		c.send(ofVersion(2, procnto.FrameSize-16))
	case "other kind":
		f.Kind = procnto.Reply
		send(f, object())
	case "other id":
		f.ID++
		send(f, object())
	case "payload":
		c.send(append(f.Encode(), "more"...), object())
	case "refused":
		f.Errno = int32(syscall.EAGAIN)
		send(f)
	case "busy":
		f.Errno = int32(syscall.EBUSY)
		send(f)
	case "no such errno":
		f.Errno = math.MaxInt32
		send(f)
	case "errno and descriptor":
		f.Errno = int32(syscall.EACCES)
		send(f, object())
	case "descriptor":
		send(f, object())
	case "nothing":
		send(f)
	case "two":
		send(f, object(), object())
	case "many":
		fds := make([]int, 253) // the most that the kernel passes
		for i := range fds {
			fds[i] = object()
		}
		send(f, fds...)
	case "pipe":
		var p [2]int
		unix.Pipe2(p[:], unix.O_CLOEXEC)
		send(f, p[0])
		unix.Close(p[1])
	case "fifo":
		path := "/dev/shm/procnto-test-fifo-" + string(rune('a'+os.Getpid()%26))
		unix.Mkfifo(path, 0o600)
		fd, _ := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
		unix.Unlink(path)
		send(f, fd)
	case "directory":
		fd, _ := unix.Open("/", unix.O_RDONLY, 0)
		send(f, fd)
	case "device":
		fd, _ := unix.Open("/dev/zero", unix.O_RDONLY, 0)
		send(f, fd)
	case "socket":
		fd, _ := rawSocket()
		send(f, fd)
	case "path":
		fd := object()
		path, _ := unix.Open(pathOf(fd), unix.O_PATH, 0)
		unix.Close(fd)
		send(f, path)
	case "more access":
		fd, _ := anObject(1, "")
		send(f, fd)
	case "longer than the room":
		f.B = 1000
		c.send(append(f.Encode(), make([]byte, 1000)...))
	case "other length":
		f.B = 3
		c.send(append(f.Encode(), 'x'))
	case "negative length":
		f.B = -1
		send(f)
	case "file without one":
		f.InFile, f.B = true, 10
		send(f)
	case "file is a pipe":
		var p [2]int
		unix.Pipe2(p[:], unix.O_CLOEXEC)
		f.InFile, f.B = true, 10
		send(f, p[0])
		unix.Close(p[1])
	case "file of another size":
		f.InFile, f.B = true, 10
		send(f, sealedFile(nil, 11))
	case "pieces: none":
		file(1, 0)
	case "pieces: half a head":
		file(1, 0, 0)
	case "pieces: negative offset":
		file(1, 0, -1, 8, 0)
	case "pieces: negative length":
		file(1, 0, 0, -8, 0)
	case "pieces: too long":
		file(1, 0, 0, math.MaxInt64, 0)
	case "pieces: beyond the room":
		file(1, 0, 8, 8, 0)
	case "pieces: beyond any room":
		file(1, 0, math.MaxInt64, 8, 0)
	case "pieces: cut off":
		file(1, 0, 0, 8)
	case "pieces: without end":
		file(1, 1<<50)
	case "window: unaligned":
		part(1, page)
	case "window: odd size":
		part(0, page-1)
	case "window: negative offset":
		part(-page, page)
	case "window: negative size":
		part(0, -page)
	case "window: least":
		part(math.MinInt64, math.MinInt64)
	case "window: offset of nothing":
		part(page, 0)
	case "window: overflow":
		part(math.MaxInt64&^(page-1), page)
	}
	return true
}

// TestHostileMaker opens handles of a maker that sends anything but what it
// should. The opener gets an errno, keeps nothing, and can go on.
func TestHostileMaker(t *testing.T) {
	maker := startChild(t)
	maker.do("impostor", 0)
	check := noLeak(t)
	id := uint64(maker.pid())<<42 | 7
	open := func(act string) error {
		maker.do("behave", quote([]byte(act)))
		fd, err := procnto.OpenHandle(id, os.O_RDONLY)
		if err == nil {
			require.NoError(t, procnto.CloseDescriptor(fd))
		}
		return err
	}
	for _, tt := range []struct {
		act  string
		want syscall.Errno
	}{
		{"end at once", syscall.ESRCH},
		{"welcome: end", syscall.ESRCH},
		{"welcome: garbage", syscall.ESRCH},
		{"welcome: zeros", syscall.ESRCH},
		{"welcome: other kind", syscall.ESRCH},
		{"welcome: payload", syscall.ESRCH},
		{"welcome: descriptor", syscall.ESRCH},
		{"welcome: refused", syscall.EAGAIN},
		{"answer: end", syscall.ESRCH},
		{"answer: garbage", syscall.ESRCH},
		{"answer: zeros", syscall.ESRCH},
		{"answer: other kind", syscall.ESRCH},
		{"answer: other id", syscall.ESRCH},
		{"answer: payload", syscall.ESRCH},
		{"answer: nothing", syscall.ESRCH},
		{"answer: pipe", syscall.ESRCH},
		{"answer: fifo", syscall.ESRCH},
		{"answer: directory", syscall.ESRCH},
		{"answer: device", syscall.ESRCH},
		{"answer: socket", syscall.ESRCH},
		{"answer: path", syscall.ESRCH},
		{"answer: more access", syscall.ESRCH},
		{"answer: refused", syscall.EAGAIN},
		{"answer: errno and descriptor", syscall.EACCES},
		{"answer: no such errno", math.MaxInt32},
		{"answer: window: unaligned", syscall.ESRCH},
		{"answer: window: odd size", syscall.ESRCH},
		{"answer: window: negative offset", syscall.ESRCH},
		{"answer: window: negative size", syscall.ESRCH},
		{"answer: window: least", syscall.ESRCH},
		{"answer: window: offset of nothing", syscall.ESRCH},
		{"answer: window: overflow", syscall.ESRCH},
	} {
		for range 5 {
			err := open(tt.act)
			require.Error(t, err, tt.act)
			require.Equal(t, tt.want, errnoOf(err), "%s: %v", tt.act, err)
		}
		require.NoError(t, open("well"), "after %s", tt.act)
	}
	check()
	maker.kill()
	_, err := procnto.OpenHandle(id, os.O_RDONLY)
	requireErrno(t, syscall.ESRCH, err)
}

func pathOf(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// TestHostileServer sends messages to a server that replies anything but what it
// should. The client gets an errno and keeps nothing.
func TestHostileServer(t *testing.T) {
	server := startChild(t)
	server.do("impostor", 0)
	check := noLeak(t)
	send := func(t *testing.T, act string) error {
		server.t = t
		server.do("behave", quote([]byte(act)))
		coid, err := procnto.ConnectAttach(server.pid(), 1)
		require.NoError(t, err)
		defer procnto.ConnectDetach(coid)
		_, err = procnto.MsgSend(coid, []byte("hello"), make([]byte, 8), patience)
		if err != nil {
			server.do("behave", quote([]byte("well")))
			_, again := procnto.MsgSend(coid, []byte("hello"), make([]byte, 8), patience)
			require.NoError(t, again, "the connection stays usable")
		}
		return err
	}
	for _, act := range []string{
		"end", "garbage", "zeros", "version 2", "other kind", "other id", "payload", "descriptor",
		"longer than the room", "other length", "negative length", "file without one", "file is a pipe", "file of another size",
		"pieces: half a head", "pieces: negative offset", "pieces: negative length", "pieces: too long",
		"pieces: beyond the room", "pieces: beyond any room", "pieces: cut off",
	} {
		for range 3 {
			requireErrno(t, syscall.ESRCH, send(t, "reply: "+act), act)
		}
		require.NoError(t, send(t, "well"), "after %s", act)
	}
	check()
}

// TestHostileServerRepliesWithoutEnd: a file of any size costs its sender
// nothing. Its length must not be how long the client is busy with it.
func TestHostileServerRepliesWithoutEnd(t *testing.T) {
	server, client := startChild(t), startChild(t)
	server.do("impostor", 0)
	server.do("behave", quote([]byte("reply: pieces: without end")))
	coid := client.number("attach", server.pid(), 1)
	_, errno := client.try("send", coid, 10)
	require.Equal(t, syscall.ESRCH, errno)
}

// TestHostileMakerSendsSeveralDescriptors is apart from the other lies: nothing
// says that a maker must not, only that the opener keeps one at most.
func TestHostileMakerSendsSeveralDescriptors(t *testing.T) {
	for _, act := range []string{"answer: two", "answer: many", "welcome: two", "reply: two"} {
		t.Run(act, func(t *testing.T) {
			maker := startChild(t)
			maker.do("impostor", 0)
			maker.do("behave", quote([]byte(act)))
			check := noLeak(t)
			for range 20 {
				fd, err := procnto.OpenHandle(uint64(maker.pid())<<42|7, os.O_RDONLY)
				if err == nil {
					require.NoError(t, procnto.CloseDescriptor(fd))
				}
				if coid, err := procnto.ConnectAttach(maker.pid(), 1); err == nil {
					procnto.MsgSend(coid, nil, nil, patience)
					require.NoError(t, procnto.ConnectDetach(coid))
				}
			}
			check()
		})
	}
}

// TestMakerOfAnotherVersion must tell what is wrong: ESRCH would send people to
// look for a handle that is not there.
func TestMakerOfAnotherVersion(t *testing.T) {
	maker := startChild(t)
	maker.do("impostor", 0)
	for _, act := range []string{"version 2", "version 2, longer", "version 2, shorter"} {
		t.Run(act, func(t *testing.T) {
			maker.t = t
			maker.do("behave", quote([]byte("welcome: "+act)))
			_, err := procnto.OpenHandle(uint64(maker.pid())<<42|7, os.O_RDONLY)
			requireErrno(t, syscall.EPROTO, err)
			require.ErrorContains(t, err, "version 2 ")
			require.ErrorContains(t, err, "version 1")
			_, err = procnto.ConnectAttach(maker.pid(), 1)
			requireErrno(t, syscall.EPROTO, err)
			requireErrno(t, syscall.EPROTO, procnto.DeleteHandle(uint64(maker.pid())<<42|7))
		})
	}
}

// TestMakersNameIsTaken: whoever listens in the maker's place is not the maker.
func TestMakersNameIsTaken(t *testing.T) {
	maker, squatter := startChild(t), startChild(t)
	squatter.do("impostor", maker.pid())
	check := noLeak(t)
	for range 5 {
		_, err := procnto.OpenHandle(uint64(maker.pid())<<42|7, os.O_RDONLY)
		requireErrno(t, syscall.ESRCH, err)
		_, err = procnto.ConnectAttach(maker.pid(), 1)
		requireErrno(t, syscall.ESRCH, err)
	}
	check()
	// The maker cannot serve anybody, and says so.
	fd := maker.number("object", 1)
	text, errno := maker.try("handle", fd, os.Getpid(), os.O_RDONLY)
	require.Equal(t, syscall.EAGAIN, errno, "%v", text)
}

// TestRefusalIsHeard: a maker that has too many connections says so and closes.
// The opener must hear it although it cannot send any more then.
func TestRefusalIsHeard(t *testing.T) {
	maker := startChild(t)
	maker.do("impostor", 0)
	maker.do("behave", quote([]byte("refuse at once")))
	for range 2000 {
		_, err := procnto.OpenHandle(uint64(maker.pid())<<42|7, os.O_RDONLY)
		requireErrno(t, syscall.EAGAIN, err)
		_, err = procnto.ConnectAttach(maker.pid(), 1)
		requireErrno(t, syscall.EAGAIN, err)
	}
}

// TestMakerHangs opens a handle of a maker that takes the request and is silent.
func TestMakerHangs(t *testing.T) {
	t.Parallel()
	for _, act := range []string{"welcome: silence", "answer: silence", "answer: busy"} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			maker := startChild(t)
			maker.do("impostor", 0)
			maker.do("behave", quote([]byte(act)))
			start := time.Now()
			_, err := procnto.OpenHandle(uint64(maker.pid())<<42|7, os.O_RDONLY)
			requireErrno(t, syscall.EAGAIN, err)
			require.Less(t, time.Since(start), procnto.PeerTimeout+3*time.Second)
			require.Greater(t, time.Since(start), procnto.PeerTimeout-time.Second)
			require.ErrorContains(t, err, "did not answer")
		})
	}
}

// TestMakerHangsAndSignalsCome: the limit is one for the call, not for the time
// between two signals.
func TestMakerHangsAndSignalsCome(t *testing.T) {
	t.Parallel()
	maker := startChild(t)
	maker.do("impostor", 0)
	maker.do("behave", quote([]byte("answer: silence")))
	thread, result := make(chan int), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: nobody else gets the signals
		thread <- unix.Gettid()
		_, err := procnto.OpenHandle(uint64(maker.pid())<<42|7, os.O_RDONLY)
		result <- err
	}()
	tid := <-thread
	tick := time.NewTicker(procnto.PeerTimeout / 10)
	defer tick.Stop()
	for limit := time.After(procnto.PeerTimeout + 2*time.Second); ; {
		select {
		case err := <-result:
			requireErrno(t, syscall.EAGAIN, err)
			return
		case <-tick.C:
			// A signal that Go's runtime handles and nobody minds.
			require.NoError(t, unix.Tgkill(os.Getpid(), tid, unix.SIGURG))
		case <-limit:
			maker.kill()
			<-result
			require.FailNow(t, "signals keep the call waiting")
		}
	}
}
