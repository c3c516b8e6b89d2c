package shmtest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// maxCarried is the longest data that travels between case and worker; of
// longer data only the sum does.
const maxCarried = 1 << 12

func errnoByName(name string) (syscall.Errno, bool) { return qnxerr.ByName(name) }

// work is the life of a worker: it does what it is asked for until nobody can
// ask any more.
func work(in io.Reader, out io.Writer) (exitCode int) {
	h := &hands{refs: make(map[ref]any)}
	enc := json.NewEncoder(out)
	var mu sync.Mutex // enc
	send := func(r reply) {
		mu.Lock()
		defer mu.Unlock()
		enc.Encode(r)
	}
	send(reply{})
	for dec := json.NewDecoder(in); ; {
		var req request
		if err := dec.Decode(&req); err != nil {
			return 0
		}
		go func() {
			r, err := h.do(&req)
			r.ID, r.Err = req.ID, nameOf(err)
			if err != nil {
				r.Text = err.Error()
			}
			r.Sum = crc32.ChecksumIEEE(r.Data)
			if len(r.Data) > maxCarried {
				r.Data = nil
			}
			send(r)
		}()
	}
}

// hands are what a worker works with: the things it holds.
type hands struct {
	mu   sync.Mutex
	last ref
	refs map[ref]any
	fill []int
}

func (h *hands) keep(v any) ref {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.refs[h.last] = v
	return h.last
}

func get[T any](h *hands, r ref) (v T, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.refs[r].(T)
	if !ok {
		err = fmt.Errorf("shmtest: %d is %T, not %T", r, h.refs[r], v)
	}
	return v, err
}

func (h *hands) do(req *request) (r reply, err error) {
	op := operations[req.Op]
	if op == nil {
		return r, fmt.Errorf("shmtest: no operation %q", req.Op)
	}
	if req.Pattern > 0 {
		req.Data = pattern(req.Pattern)
	}
	err = op(h, req, &r)
	return r, err
}

var operations = map[string]func(h *hands, req *request, r *reply) error{
	"create": func(h *hands, req *request, r *reply) error {
		obj, err := qnxshm.Create(req.Size)
		return h.kept(r, obj, err)
	},
	"named": func(h *hands, req *request, r *reply) error {
		obj, err := qnxshm.OpenNamed(req.Name, req.N, 0o600)
		return h.kept(r, obj, err)
	},
	"handle": func(h *hands, req *request, r *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		r.Handle, err = obj.CreateHandle(req.PID, req.Access, &qnxshm.HandleConfig{Offset: req.Offset, Size: req.Size, NoFD: req.NoFD})
		return err
	},
	"open": func(h *hands, req *request, r *reply) error {
		obj, err := qnxshm.Open(req.Handle, req.Access)
		return h.kept(r, obj, err)
	},
	"openpid": func(h *hands, req *request, r *reply) error {
		obj, err := qnxshm.OpenPID(req.Handle, req.Access, req.PID)
		return h.kept(r, obj, err)
	},
	"delete": func(_ *hands, req *request, _ *reply) error { return qnxshm.DeleteHandle(req.Handle) },
	"maphandle": func(h *hands, req *request, r *reply) error {
		m, err := qnxshm.Map(req.Handle, req.Access, req.Size)
		return h.kept(r, m, err)
	},
	"maphandlepid": func(h *hands, req *request, r *reply) error {
		m, err := qnxshm.MapPID(req.Handle, req.Access, req.Size, req.PID)
		return h.kept(r, m, err)
	},
	"race": func(_ *hands, req *request, r *reply) error {
		r.Counts = openRace(req.Handle, req.N)
		return nil
	},
	"maprace": func(_ *hands, req *request, r *reply) error {
		r.Counts = directRace(req.Handle, req.N)
		return nil
	},
	"control": func(h *hands, req *request, _ *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		_, err = obj.Control(qnxshm.ControlFlags(req.N), 0, uint64(req.Size))
		return err
	},
	"shrink": func(h *hands, req *request, r *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		r.Counts = make(map[string]int)
		for _, shrink := range shrinkings(obj) {
			r.Counts[nameOf(shrink())]++
		}
		return nil
	},
	"flags": func(h *hands, req *request, r *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		flags, err := obj.Flags()
		r.N = int(flags)
		return err
	},
	"limit": func(_ *hands, _ *request, r *reply) (err error) {
		r.Cur, r.Max, err = qnxshm.HandleLimit()
		return err
	},
	"setlimit": func(_ *hands, req *request, _ *reply) error { return qnxshm.SetHandleLimit(req.Cur, req.Max) },
	"limitrace": func(h *hands, req *request, r *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		r.Counts = race(req.N, func(int) error {
			_, err := obj.CreateHandle(req.PID, qnxshm.ReadOnly, nil)
			return err
		})
		return nil
	},
	"size": func(h *hands, req *request, r *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		r.Size, err = obj.Size()
		return err
	},
	"truncate": func(h *hands, req *request, _ *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		return obj.Truncate(req.Size)
	},
	"map": func(h *hands, req *request, r *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		m, err := obj.Map(req.Access)
		return h.kept(r, m, err)
	},
	"read": func(h *hands, req *request, r *reply) error {
		m, done, err := h.memory(req.Ref, qnxshm.ReadOnly)
		if err != nil {
			return err
		}
		defer done()
		r.Data = make([]byte, req.N)
		_, err = m.ReadAt(r.Data, req.Offset)
		return err
	},
	"write": func(h *hands, req *request, r *reply) error {
		m, done, err := h.memory(req.Ref, qnxshm.ReadWrite)
		if err != nil {
			return err
		}
		defer done()
		_, err = m.WriteAt(req.Data, req.Offset)
		return err
	},
	"revoke": func(h *hands, req *request, _ *reply) error {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		return obj.Revoke(req.PID)
	},
	"revokefd": func(_ *hands, req *request, _ *reply) error { return qnxshm.Revoke(req.N, req.PID) },
	"guarded": func(h *hands, req *request, r *reply) error {
		m, err := get[*qnxshm.Mapping](h, req.Ref)
		if err != nil {
			return err
		}
		r.Names = make(map[string]string)
		for access, f := range guardedAccesses(m, req.Offset) {
			r.Names[access] = nameOf(f())
		}
		return nil
	},
	"busy": func(h *hands, req *request, _ *reply) error {
		m, err := get[*qnxshm.Mapping](h, req.Ref)
		for err == nil {
			err = count(m, req.Name, req.Offset)
		}
		return err
	},
	"touch": func(h *hands, req *request, r *reply) error {
		m, err := get[*qnxshm.Mapping](h, req.Ref)
		if err == nil {
			r.N = int(m.Bytes()[req.Offset])
		}
		return err
	},
	"fork": func(h *hands, req *request, _ *reply) error {
		m, err := get[*qnxshm.Mapping](h, req.Ref)
		if err != nil {
			return err
		}
		return forkAndRead(m.Bytes())
	},
	"close": func(h *hands, req *request, _ *reply) error {
		h.mu.Lock()
		v := h.refs[req.Ref]
		h.mu.Unlock()
		switch v := v.(type) {
		case *qnxshm.Mapping:
			return v.Unmap()
		case io.Closer:
			return v.Close()
		}
		return fmt.Errorf("shmtest: %d is %T, which is not closed", req.Ref, v)
	},
	"fill": func(h *hands, _ *request, r *reply) (err error) {
		h.fill, err = fillDescriptors()
		return err
	},
	"unfill": func(h *hands, _ *request, _ *reply) error {
		for _, fd := range h.fill {
			closeFD(fd)
		}
		return nil
	},
	"exec":  func(*hands, *request, *reply) error { return execSelf() },
	"child": inChild,

	"channel": func(h *hands, req *request, r *reply) error {
		ch, err := qnxmsg.NewChannel(qnxmsg.ChannelFlags(req.N))
		if err != nil {
			return err
		}
		r.N = ch.ID()
		return h.kept(r, ch, nil)
	},
	"attach": func(h *hands, req *request, r *reply) error {
		ch, err := qnxmsg.AttachName(req.Name)
		return h.kept(r, ch, err)
	},
	"openname": func(h *hands, req *request, r *reply) error {
		conn, err := qnxmsg.OpenName(req.Name)
		return h.connected(r, conn, err)
	},
	"connect": func(h *hands, req *request, r *reply) error {
		conn, err := qnxmsg.Connect(req.PID, req.N)
		return h.connected(r, conn, err)
	},
	"send": func(h *hands, req *request, r *reply) error {
		conn, err := get[*qnxmsg.Connection](h, req.Ref)
		if err != nil {
			return err
		}
		r.Data = make([]byte, req.N)
		r.N, err = conn.SendTimeout(req.Data, r.Data, req.Timeout)
		return err
	},
	"channelid": func(h *hands, req *request, r *reply) error {
		ch, err := get[*qnxmsg.Channel](h, req.Ref)
		if err == nil {
			r.N = ch.ID()
		}
		return err
	},
	"register": func(h *hands, req *request, r *reply) error {
		ch, err := get[*qnxmsg.Channel](h, req.Ref)
		if err != nil {
			return err
		}
		var server *qnxmsg.Connection
		if req.Server != 0 {
			if server, err = get[*qnxmsg.Connection](h, req.Server); err != nil {
				return err
			}
		}
		e, err := ch.RegisterEvent(server, qnxmsg.EventFlags(req.Cur), -1, req.N, req.Size)
		if err != nil {
			return err
		}
		r.Data, _ = e.AppendBinary(nil)
		return h.kept(r, e, nil)
	},
	"unregister": func(h *hands, req *request, _ *reply) error {
		e, err := get[qnxmsg.Event](h, req.Ref)
		if err != nil {
			return err
		}
		return e.Unregister()
	},
	// Message and reply are in pieces of Size bytes.
	"sendv": func(h *hands, req *request, r *reply) error {
		conn, err := get[*qnxmsg.Connection](h, req.Ref)
		if err != nil {
			return err
		}
		r.Data = make([]byte, req.N)
		r.N, err = conn.SendvTimeout(inPieces(req.Data, int(req.Size)), inPieces(r.Data, int(req.Size)), req.Timeout)
		return err
	},
	"sendmany": func(_ *hands, req *request, r *reply) error {
		r.Counts = sendMany(req.Name, req.N)
		return nil
	},
	"pulse": func(h *hands, req *request, _ *reply) error {
		conn, err := get[*qnxmsg.Connection](h, req.Ref)
		if err != nil {
			return err
		}
		priority := req.Priority
		if priority == 0 {
			priority = -1
		}
		return conn.SendPulse(priority, req.N, req.Size)
	},
	"receive": func(h *hands, req *request, r *reply) error {
		ch, err := get[*qnxmsg.Channel](h, req.Ref)
		if err != nil {
			return err
		}
		m, err := ch.ReceiveTimeout(make([]byte, req.N), req.Timeout)
		if err != nil {
			return err
		}
		if m.IsPulse() {
			r.Pulse = &m.Pulse
		}
		r.Data, r.Info = m.Data, m.Info
		return h.kept(r, &m, nil)
	},
	"reply": func(h *hands, req *request, _ *reply) error {
		m, err := get[*qnxmsg.Message](h, req.Ref)
		if err != nil {
			return err
		}
		return m.Reply(req.N, req.Data)
	},
	"error": func(h *hands, req *request, _ *reply) error {
		m, err := get[*qnxmsg.Message](h, req.Ref)
		if err != nil {
			return err
		}
		errno, err := errnoNamed(req.Errno)
		if err != nil {
			return err
		}
		return m.ReplyError(errno)
	},
}

func (h *hands) connected(r *reply, conn *qnxmsg.Connection, err error) error {
	if err == nil {
		r.N = conn.ID()
	}
	return h.kept(r, conn, err)
}

func (h *hands) kept(r *reply, v any, err error) error {
	if err == nil {
		r.Ref = h.keep(v)
	}
	return err
}

// memory gives the mapping that r is, or a new one of the object that r is.
func (h *hands) memory(r ref, access qnxshm.Access) (m *qnxshm.Mapping, done func(), err error) {
	if m, err = get[*qnxshm.Mapping](h, r); err == nil {
		return m, func() {}, nil
	}
	obj, err := get[*qnxshm.Object](h, r)
	if err != nil {
		return nil, nil, err
	}
	if m, err = obj.Map(access); err != nil {
		return nil, nil, err
	}
	return m, func() { m.Unmap() }, nil
}

// guardedAccesses are the ways to touch a mapping that never crash.
func guardedAccesses(m *qnxshm.Mapping, off int64) map[string]func() error {
	return map[string]func() error{
		"View, load":           func() error { return m.View(func(b []byte) error { sink(b[off]); return nil }) },
		"View, store":          func() error { return m.View(func(b []byte) error { b[off] = 0; return nil }) },
		"ReadAt":               func() error { _, err := m.ReadAt(make([]byte, 100), off); return err },
		"WriteAt":              func() error { _, err := m.WriteAt(make([]byte, 100), off); return err },
		"LoadUint32":           func() error { _, err := m.LoadUint32(off); return err },
		"LoadUint64":           func() error { _, err := m.LoadUint64(off); return err },
		"StoreUint32":          func() error { return m.StoreUint32(off, 0) },
		"StoreUint64":          func() error { return m.StoreUint64(off, 0) },
		"AddUint32":            func() error { _, err := m.AddUint32(off, 1); return err },
		"AddUint64":            func() error { _, err := m.AddUint64(off, 1); return err },
		"CompareAndSwapUint32": func() error { _, err := m.CompareAndSwapUint32(off, 0, 1); return err },
		"CompareAndSwapUint64": func() error { _, err := m.CompareAndSwapUint64(off, 0, 1); return err },
	}
}

// count adds 1 to the number at off, by View, by copying it, or as a word. Nobody
// else writes it.
func count(m *qnxshm.Mapping, by string, off int64) error {
	switch by {
	case "view":
		return m.View(func(b []byte) error {
			n := b[off : off+8]
			binary.NativeEndian.PutUint64(n, binary.NativeEndian.Uint64(n)+1)
			return nil
		})
	case "copy":
		n := make([]byte, 8)
		if _, err := m.ReadAt(n, off); err != nil {
			return err
		}
		binary.NativeEndian.PutUint64(n, binary.NativeEndian.Uint64(n)+1)
		_, err := m.WriteAt(n, off)
		return err
	}
	_, err := m.AddUint64(off, 1)
	return err
}

// openRace opens one handle from n goroutines at once and counts how the calls
// ended.
func openRace(h qnxshm.Handle, n int) map[string]int {
	return race(n, func(int) error {
		obj, err := qnxshm.Open(h, qnxshm.ReadOnly)
		if err == nil {
			err = obj.Close()
		}
		return err
	})
}

// directRace is openRace for mapping straight from the handle.
func directRace(h qnxshm.Handle, n int) map[string]int {
	return race(n, func(int) error { return directErr(h, qnxshm.ReadOnly, page) })
}

// race runs f from n goroutines at once and counts how the calls ended.
func race(n int, f func(i int) error) map[string]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	counts := make(map[string]int)
	begin := make(chan struct{})
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-begin
			name := nameOf(f(i))
			mu.Lock()
			defer mu.Unlock()
			counts[name]++
		}()
	}
	close(begin)
	wg.Wait()
	return counts
}

// sendMany makes n connections to a name, sends a message on each at once, and
// counts how the calls ended. The server echoes.
func sendMany(name string, n int) map[string]int {
	return race(n, func(i int) error {
		conn, err := qnxmsg.OpenName(name)
		if err != nil {
			return err
		}
		defer conn.Close()
		msg := fmt.Sprintf("%d of process %d", i, os.Getpid())
		answer := make([]byte, 64)
		n, err := conn.Send([]byte(msg), answer)
		if err != nil {
			return err
		}
		if got := string(answer[:min(n, len(answer))]); got != msg {
			return fmt.Errorf("sent %q, got the answer to %q", msg, got)
		}
		return nil
	})
}

// inPieces cuts b into pieces of n bytes, between which there are empty ones.
func inPieces(b []byte, n int) (pieces [][]byte) {
	for piece := range slices.Chunk(b, n) {
		pieces = append(pieces, piece, nil)
	}
	return pieces
}

// pattern is data of n bytes in which no two places look alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(n)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// inChild does the inner request in a child of this process.
func inChild(h *hands, req *request, r *reply) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe)
	cmd.Stderr = os.Stderr
	if req.Ref != 0 {
		obj, err := get[*qnxshm.Object](h, req.Ref)
		if err != nil {
			return err
		}
		fd, err := duplicate(fdOf(obj))
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), "object")
		defer f.Close()
		cmd.ExtraFiles = []*os.File{f}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var hello, inner reply
	dec := json.NewDecoder(stdout)
	err = dec.Decode(&hello)
	if err == nil {
		if err = json.NewEncoder(stdin).Encode(req.Inner); err == nil {
			err = dec.Decode(&inner)
		}
	}
	stdin.Close()
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return fmt.Errorf("shmtest: child of a worker: %w", err)
	}
	*r = inner
	if inner.Err != "EOK" {
		return remoteError{inner.Err, inner.Text}
	}
	return nil
}
