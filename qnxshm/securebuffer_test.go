//go:build linux

package qnxshm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// patience ends a test in which the other process hangs; nothing waits for it to
// pass.
const patience = 60 * time.Second

// A recipient is a second process that runs the same test once more, and asks the
// first one for what it needs by messages.
type recipient struct {
	ch  *qnxmsg.Channel
	cmd *exec.Cmd
	out bytes.Buffer // read after the channel is closed
}

const recipientMark = "QNXSHM_TEST_RECIPIENT_OF"

// ofCreator returns a connection to the process that has started this one as a
// recipient, or nil when that is not so.
func ofCreator(t *testing.T) *qnxmsg.Connection {
	t.Helper()
	name := os.Getenv(recipientMark)
	if name == "" {
		return nil
	}
	conn, err := qnxmsg.OpenName(name)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func startRecipient(t *testing.T) *recipient {
	t.Helper()
	name := fmt.Sprintf("qnxshm-test-%d-%x", os.Getpid(), rand.Uint64())
	ch, err := qnxmsg.AttachName(name)
	require.NoError(t, err)
	exe, err := os.Executable()
	require.NoError(t, err)
	r := &recipient{ch: ch, cmd: exec.Command(exe, "-test.run=^"+t.Name()+"$")}
	r.cmd.Env = environ(recipientMark + "=" + name)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	require.NoError(t, r.cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer ch.Close() // receive is told
		r.cmd.Wait()
	}()
	t.Cleanup(func() {
		r.cmd.Process.Kill()
		<-ended
	})
	return r
}

func (r *recipient) pid() int { return r.cmd.Process.Pid }

// receive waits for a message of the recipient, which is to be want.
func (r *recipient) receive(t *testing.T, want string) qnxmsg.Message {
	t.Helper()
	for {
		m, err := r.ch.ReceiveTimeout(make([]byte, 64), patience)
		if errors.Is(err, os.ErrClosed) {
			require.FailNow(t, "the recipient has ended", "instead of sending %q: %s", want, &r.out)
		}
		require.NoError(t, err, "waiting for %q", want)
		if !m.IsPulse() { // such as that it has closed its connection
			require.Equal(t, want, string(m.Data))
			require.Equal(t, r.pid(), m.Info.PID)
			return m
		}
	}
}

// succeeds waits for the end of the recipient, in which its test has passed.
func (r *recipient) succeeds(t *testing.T) {
	t.Helper()
	for {
		m, err := r.ch.ReceiveTimeout(make([]byte, 64), patience)
		if errors.Is(err, os.ErrClosed) {
			require.True(t, r.cmd.ProcessState.Success(), "%s", &r.out)
			return
		}
		require.NoError(t, err)
		require.True(t, m.IsPulse(), "%q came unexpectedly", m.Data)
	}
}

const (
	bufferSize  = 64 << 10
	fromCreator = uint64(0x11_22_33_44)
	fromOther   = uint64(0x55_66_77_88)
	secret      = ^uint64(0) // in each word after the memory was taken back
)

// TestSecureBuffer goes through the eight steps that QNX's Programmer's Guide
// gives for sharing memory with a process that is not trusted (chapter "Shared
// Memory", "Putting it all together"). The recipient is another process.
func TestSecureBuffer(t *testing.T) {
	if conn := ofCreator(t); conn != nil {
		receiveSecureBuffer(t, conn)
		return
	}
	// 1. The creator makes an anonymous object
	obj, err := qnxshm.Create(0)
	require.NoError(t, err)
	defer obj.Close()

	// 2. with memory, that can be taken back, and whose layout is settled.
	_, err = obj.Control(qnxshm.ControlAnonymous, 0, bufferSize)
	require.NoError(t, err)
	_, err = obj.Control(attributes, 0, 0)
	require.NoError(t, err)
	flags, err := obj.Flags()
	require.NoError(t, err)
	require.Equal(t, attributes, flags&attributes)
	require.ErrorIs(t, obj.Truncate(0), syscall.EPERM)
	own := newMapping(t, obj, qnxshm.ReadWrite)
	require.Equal(t, bufferSize, own.Len())
	require.NoError(t, own.StoreUint64(0, fromCreator))

	// 3. Then come handles for the recipient that cannot become a descriptor.
	other := startRecipient(t)
	m := other.receive(t, "what is mine?")
	var handles []byte
	for range 2 {
		h, err := obj.CreateHandle(m.Info.PID, qnxshm.ReadWrite, &qnxshm.HandleConfig{NoFD: true})
		require.NoError(t, err)
		_, err = qnxshm.Map(h, qnxshm.ReadOnly, bufferSize)
		require.ErrorIs(t, err, syscall.ESRCH, "it is not for the creator")
		handles, err = h.AppendBinary(handles)
		require.NoError(t, err)
	}

	// 4. They are sent in a message.
	require.NoError(t, m.Reply(0, handles))

	// 5. The recipient has mapped one, and 6. both work.
	m = other.receive(t, "look")
	word, err := own.LoadUint64(8)
	require.NoError(t, err)
	require.Equal(t, fromOther, word)
	require.NoError(t, own.StoreUint64(16, fromCreator))
	require.NoError(t, m.Reply(0, nil))

	// 7. The creator decides that this is over, which the recipient, at work,
	// knows nothing of.
	m = other.receive(t, "at work")

	// 8. It takes the memory back. What it writes now the recipient never sees.
	require.NoError(t, obj.Revoke(other.pid()))
	require.NoError(t, own.View(func(b []byte) error {
		for i := 24; i < bufferSize; i += 8 {
			binary.NativeEndian.PutUint64(b[i:], secret)
		}
		return nil
	}))
	require.NoError(t, m.Reply(0, nil))
	other.succeeds(t)

	// The creator has lost nothing.
	for off, want := range map[int64]uint64{0: fromCreator, 8: fromOther, 16: fromCreator, 24: secret, bufferSize - 8: secret} {
		got, err := own.LoadUint64(off)
		require.NoError(t, err)
		require.Equal(t, want, got, "at %d", off)
	}
	again := newMapping(t, obj, qnxshm.ReadOnly)
	word, err = again.LoadUint64(8)
	require.NoError(t, err)
	require.Equal(t, fromOther, word)
	require.NoError(t, obj.Revoke(other.pid()), "it may take it back again, although nobody is there")
}

func receiveSecureBuffer(t *testing.T, conn *qnxmsg.Connection) {
	reply := make([]byte, 2*qnxshm.HandleSize)
	_, err := conn.SendTimeout([]byte("what is mine?"), reply, patience)
	require.NoError(t, err)
	var h, unused qnxshm.Handle
	require.NoError(t, h.UnmarshalBinary(reply[:qnxshm.HandleSize]))
	require.NoError(t, unused.UnmarshalBinary(reply[qnxshm.HandleSize:]))

	// Step 5. No descriptor comes of the handle, and it is good after each try.
	for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.WriteOnly, qnxshm.ReadWrite} {
		_, err := qnxshm.OpenHandle(h, access)
		require.ErrorIs(t, err, syscall.EACCES, "%v", access)
	}
	mem, err := qnxshm.Map(h, qnxshm.ReadWrite, bufferSize)
	require.NoError(t, err)
	_, err = qnxshm.Map(h, qnxshm.ReadOnly, bufferSize)
	require.ErrorIs(t, err, syscall.ESRCH, "it is used up")
	require.Empty(t, openObjects(t, "self"))

	// Step 6.
	word, err := mem.LoadUint64(0)
	require.NoError(t, err)
	require.Equal(t, fromCreator, word)
	require.NoError(t, mem.StoreUint64(8, fromOther))
	_, err = conn.SendTimeout([]byte("look"), nil, patience)
	require.NoError(t, err)
	word, err = mem.LoadUint64(16)
	require.NoError(t, err)
	require.Equal(t, fromCreator, word)

	// Steps 7 and 8. The memory goes while it is read in every way there is.
	ways := map[string]func() (last uint64, err error){
		"View": func() (last uint64, err error) {
			err = mem.View(func(b []byte) error {
				last = binary.NativeEndian.Uint64(b[bufferSize-8:])
				return nil
			})
			return last, err
		},
		"ReadAt": func() (uint64, error) {
			b := make([]byte, bufferSize)
			_, err := mem.ReadAt(b, 0)
			return binary.NativeEndian.Uint64(b[bufferSize-8:]), err
		},
	}
	if !raceEnabled() { // else a fault in the middle of it ends the process, as documented
		ways["LoadUint64"] = func() (uint64, error) { return mem.LoadUint64(bufferSize - 8) }
	}
	var working, over sync.WaitGroup
	for what, read := range ways {
		working.Add(1)
		over.Add(1)
		go func() {
			defer over.Done()
			started := false
			for {
				last, err := read()
				if err != nil {
					if !started || !errors.Is(err, qnxshm.ErrRevoked) {
						t.Errorf("%s: %v", what, err)
					}
					break
				}
				if last == secret {
					t.Errorf("%s has read what came after the memory was taken back", what)
					break
				}
				if !started {
					started = true
					working.Done()
				}
			}
			if !started {
				working.Done()
			}
		}()
	}
	working.Wait()
	_, err = conn.SendTimeout([]byte("at work"), nil, patience)
	require.NoError(t, err)
	for what, read := range ways {
		_, err := read()
		require.ErrorIs(t, err, qnxshm.ErrRevoked, what)
	}
	over.Wait()
	_, err = mem.WriteAt([]byte("lost"), 0)
	require.ErrorIs(t, err, qnxshm.ErrRevoked)
	require.ErrorIs(t, mem.StoreUint64(bufferSize-8, 0), qnxshm.ErrRevoked)
	_, err = mem.LoadUint64(bufferSize - 8)
	require.ErrorIs(t, err, qnxshm.ErrRevoked)

	// Nor is there another way to it.
	_, err = qnxshm.Map(unused, qnxshm.ReadOnly, bufferSize)
	require.ErrorIs(t, err, syscall.ESRCH)
	_, err = qnxshm.OpenHandle(unused, qnxshm.ReadOnly)
	require.ErrorIs(t, err, syscall.ESRCH)
	require.ErrorIs(t, qnxshm.DeleteHandle(unused), syscall.ESRCH)
	require.NoError(t, mem.Unmap())
}

// openObjects returns the paths of a process's descriptors of anonymous objects.
func openObjects(t *testing.T, pid string) (paths []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/" + pid + "/fd/*")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, path := range all {
		if to, err := os.Readlink(path); err == nil && strings.HasPrefix(to, "/memfd:") {
			paths = append(paths, path)
		}
	}
	return paths
}

// TestSealedObjectKeepsItsSize: the creator tries all it can, on every descriptor
// it can get, to take memory from a recipient that trusts the seal.
func TestSealedObjectKeepsItsSize(t *testing.T) {
	if conn := ofCreator(t); conn != nil {
		trustSealedObject(t, conn)
		return
	}
	obj := newObject(t, bufferSize)
	dup, err := syscall.Dup(int(obj.Fd())) // of before the seal
	require.NoError(t, err)
	defer syscall.Close(dup)
	syscall.CloseOnExec(dup)
	require.NoError(t, obj.Seal())
	own := newMapping(t, obj, qnxshm.ReadWrite)
	for off := int64(0); off < bufferSize; off += int64(page) {
		require.NoError(t, own.StoreUint64(off, fromCreator))
	}

	other := startRecipient(t)
	m := other.receive(t, "what is mine?")
	withFD, err := obj.CreateHandle(other.pid(), qnxshm.ReadWrite, nil)
	require.NoError(t, err)
	withoutFD, err := obj.CreateHandle(other.pid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
	require.NoError(t, err)
	handles, err := withFD.AppendBinary(nil)
	require.NoError(t, err)
	handles, err = withoutFD.AppendBinary(handles)
	require.NoError(t, err)
	require.NoError(t, m.Reply(0, handles))
	m = other.receive(t, "intact")

	refused := func(what string, err error) {
		t.Helper()
		require.ErrorIs(t, err, syscall.EPERM, what)
		size, err := obj.Size()
		require.NoError(t, err, what)
		require.EqualValues(t, bufferSize, size, what)
		require.NoError(t, m.Reply(1, nil))
		m = other.receive(t, "intact")
	}
	sizes := []int64{0, 1, int64(page), bufferSize - 1, bufferSize + 1, 2 * bufferSize}
	for _, size := range sizes {
		refused(fmt.Sprint("Truncate to ", size), obj.Truncate(size))
		for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlAnonymous, qnxshm.ControlAnonymous | qnxshm.ControlLazy} {
			_, err := obj.Control(flags, 0, uint64(size))
			refused(fmt.Sprintf("Control %#x to %d", flags, size), err)
		}
	}
	for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlSeal, qnxshm.ControlRevocable} {
		_, err := obj.Control(flags, 0, 0)
		refused(fmt.Sprintf("Control %#x", flags), err)
	}

	// By the kernel's own calls, on all descriptors: those of this process, those
	// that it makes through /proc, and the recipient's.
	try := func(what string, fd int) {
		t.Helper()
		for _, size := range sizes {
			refused(fmt.Sprintf("ftruncate of %s to %d", what, size), syscall.Ftruncate(fd, size))
		}
		_, err := syscall.Pwrite(fd, []byte("more"), bufferSize)
		refused("pwrite to "+what, err)
		refused("fallocate of "+what, syscall.Fallocate(fd, 0, bufferSize, int64(page)))
	}
	try("the descriptor", int(obj.Fd()))
	try("its duplicate", dup)
	paths := append(openObjects(t, fmt.Sprint(other.pid())), fmt.Sprintf("/proc/self/fd/%d", obj.Fd()), fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), dup))
	require.Len(t, paths, 3, "the recipient has one descriptor")
	for _, path := range paths {
		fd, err := syscall.Open(path, os.O_RDWR|syscall.O_CLOEXEC, 0)
		require.NoError(t, err, path)
		try(path, fd)
		require.NoError(t, syscall.Close(fd))
		fd, err = syscall.Open(path, os.O_WRONLY|os.O_APPEND|syscall.O_CLOEXEC, 0)
		require.NoError(t, err, path)
		_, err = syscall.Write(fd, []byte("more"))
		refused("append to "+path, err)
		require.NoError(t, syscall.Close(fd))
		_, err = syscall.Open(path, os.O_RDWR|os.O_TRUNC|syscall.O_CLOEXEC, 0)
		refused("open to truncate "+path, err)
		refused("truncate "+path, syscall.Truncate(path, 0))
	}
	require.NoError(t, m.Reply(0, nil))
	other.succeeds(t)
}

func trustSealedObject(t *testing.T, conn *qnxmsg.Connection) {
	reply := make([]byte, 2*qnxshm.HandleSize)
	_, err := conn.SendTimeout([]byte("what is mine?"), reply, patience)
	require.NoError(t, err)
	var withFD, withoutFD qnxshm.Handle
	require.NoError(t, withFD.UnmarshalBinary(reply[:qnxshm.HandleSize]))
	require.NoError(t, withoutFD.UnmarshalBinary(reply[qnxshm.HandleSize:]))
	obj, err := qnxshm.Open(withFD, qnxshm.ReadWrite)
	require.NoError(t, err)
	defer obj.Close()
	flags, err := obj.Flags()
	require.NoError(t, err)
	require.NotZero(t, flags&qnxshm.ControlSeal, "it is why the recipient trusts the object")
	direct, err := qnxshm.Map(withoutFD, qnxshm.ReadOnly, bufferSize)
	require.NoError(t, err)
	defer direct.Unmap()
	mapped := newMapping(t, obj, qnxshm.ReadOnly)
	for more := 1; more == 1; {
		for _, mem := range []*qnxshm.Mapping{mapped, direct} {
			b := mem.Bytes() // unguarded: memory that is gone would end the process
			for off := 0; off < bufferSize; off += page {
				require.Equal(t, fromCreator, binary.NativeEndian.Uint64(b[off:]))
			}
		}
		more, err = conn.SendTimeout([]byte("intact"), nil, patience)
		require.NoError(t, err)
	}
	require.ErrorIs(t, obj.Truncate(0), syscall.EPERM, "the recipient cannot either")
}
