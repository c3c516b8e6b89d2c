//go:build linux

package qnxshm_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

const (
	loadReaders = 8
	// So many objects go round at the same time: a process whose goroutines use
	// all processors takes tens of milliseconds to hear of a Revoke.
	loadObjects = 16
	loadPages   = 2
)

// TestRevokeUnderLoad takes memory back, again and again, from a process that
// reads it all the time. After each Revoke that returned nil the creator writes
// the number of the next generation to the memory: whoever reads that through the
// old mapping has read too late.
func TestRevokeUnderLoad(t *testing.T) {
	cycles := 1000
	if testing.Short() || raceEnabled() {
		cycles = 100
	}
	time.AfterFunc(time.Hour, func() {}).Stop() // the first one of a process has two descriptors
	before := countHoldings()
	name := fmt.Sprintf("qnxshm-test-load-%d", os.Getpid())
	ch, err := qnxmsg.AttachName(name)
	require.NoError(t, err)
	c := &loadCreator{ch: ch, failed: make(chan error, loadObjects)}
	c.left.Store(int64(cycles))
	for i := range c.objects {
		c.objects[i] = newGranted(t)
	}
	consumer := testproc.Start(t, "reader")
	reading := consumer.Begin("read", name)
	var serving sync.WaitGroup
	for range loadObjects {
		serving.Add(1)
		go func() {
			defer serving.Done()
			c.serve()
		}()
	}
	report, err := reading.Within(2 * time.Minute)
	select {
	case failure := <-c.failed:
		require.NoError(t, failure, "and the consumer: %v", err)
	default:
	}
	require.NoError(t, err, "the consumer")
	consumer.End()
	require.NoError(t, ch.Close())
	serving.Wait()
	require.Equal(t, int64(-loadObjects), c.left.Load())
	t.Logf("%d cycles, Revoke was pending %d times; the consumer: %s", cycles, c.pending.Load(), report.Text())
	for _, g := range c.objects {
		require.NoError(t, g.memory.Unmap())
		require.NoError(t, g.obj.Close())
	}
	require.NoError(t, backTo(before.and(keptToServe)))
}

// A granted is an object that is given to the consumer, taken back, and so on.
type granted struct {
	obj        *qnxshm.Object
	memory     *qnxshm.Mapping // made before the object was revocable
	generation uint64
}

func newGranted(t *testing.T) *granted {
	t.Helper()
	g := &granted{obj: newObject(t, loadPages*page)}
	g.memory = newMapping(t, g.obj, qnxshm.ReadWrite)
	require.NoError(t, g.obj.MakeRevocable())
	require.NoError(t, g.next())
	return g
}

// next writes the next generation to each page.
func (g *granted) next() (err error) {
	g.generation++
	for i := range int64(loadPages) {
		err = errors.Join(err, g.memory.StoreUint64(i*int64(page), g.generation))
	}
	return err
}

type loadCreator struct {
	ch      *qnxmsg.Channel
	objects [loadObjects]*granted // each is of one sender, which waits for each answer
	left    atomic.Int64
	pending atomic.Int64
	failed  chan error
}

// What the consumer says of an object: its number follows.
const (
	wantsIt = 'w' // answered with a handle and the generation, or status 1: no more
	hasIt   = 'h' // mapped it, and reads; answered when it was revoked
)

func (c *loadCreator) serve() {
	buf := make([]byte, 2)
	for {
		m, err := c.ch.Receive(buf)
		if errors.Is(err, os.ErrClosed) || err == nil && m.IsPulse() {
			return // the test closes the channel, or the consumer has ended
		}
		if err == nil && m.Data[0] == wantsIt {
			err = c.give(&m, c.objects[m.Data[1]])
		} else if err == nil {
			err = c.takeBack(&m, c.objects[m.Data[1]])
		}
		if err != nil {
			c.failed <- err
			c.ch.Close() // the consumer need not wait
			return
		}
	}
}

func (c *loadCreator) give(m *qnxmsg.Message, g *granted) error {
	if c.left.Add(-1) < 0 {
		return m.Reply(1, nil)
	}
	h, err := g.obj.CreateHandle(m.Info.PID, qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
	if err != nil {
		return err
	}
	data, err := h.AppendBinary(nil)
	if err != nil {
		return err
	}
	return m.Reply(0, binary.NativeEndian.AppendUint64(data, g.generation))
}

func (c *loadCreator) takeBack(m *qnxmsg.Message, g *granted) error {
	err := g.obj.Revoke(m.Info.PID)
	for began := time.Now(); errors.Is(err, qnxshm.ErrRevokePending) && time.Since(began) < time.Minute; { // the machine may be slow
		c.pending.Add(1)
		time.Sleep(10 * time.Millisecond) // who has not answered is not waited for again
		err = g.obj.Revoke(m.Info.PID)
	}
	return errors.Join(err, g.next(), m.Reply(0, nil))
}

// A lent is memory that the consumer has for a while.
type lent struct {
	memory     *qnxshm.Mapping
	generation uint64
	read       chan struct{} // closed by the first one who has read it
	once       sync.Once
}

// loadConsumer is what the reading goroutines share.
type loadConsumer struct {
	conn          *qnxmsg.Connection
	current       [loadObjects]atomic.Pointer[lent]
	reads, denied atomic.Int64
	stop          atomic.Bool

	mu     sync.Mutex
	places map[uintptr]bool // where memory was mapped
}

// reader is the consumer.
func reader() testproc.Procedures { return testproc.Procedures{"read": readUnderLoad} }

// readUnderLoad maps what it is given by the server of that name, and reads it until
// it is revoked and a little longer.
func readUnderLoad(name string) (report string, err error) {
	time.AfterFunc(time.Hour, func() {}).Stop()
	before := countHoldings()
	conn, err := qnxmsg.OpenName(name)
	if err != nil {
		return "", err
	}
	c := &loadConsumer{conn: conn, places: make(map[uintptr]bool)}
	errs := make(chan error, loadReaders+loadObjects)
	for i := range loadReaders {
		go func() { errs <- c.readAll(i%2 == 0) }()
	}
	for i := range loadObjects {
		go func() { errs <- c.use(i) }()
	}
	for i := range cap(errs) {
		if i == loadObjects { // only the readers are left
			c.stop.Store(true)
		}
		if err := <-errs; err != nil {
			return "", err
		}
	}
	if err := conn.Close(); err != nil {
		return "", err
	}
	report = fmt.Sprintf("%d reads, %d were denied, at %d places", c.reads.Load(), c.denied.Load(), len(c.places))
	if err := c.leftMapped(); err != nil {
		return "", err
	}
	return report, backTo(before.and(keptToServe).and(keptForOther))
}

// use maps an object again and again.
func (c *loadConsumer) use(object int) error {
	for {
		reply := make([]byte, qnxshm.HandleSize+8)
		if status, err := c.conn.Send([]byte{wantsIt, byte(object)}, reply); err != nil || status != 0 {
			return err
		}
		var h qnxshm.Handle
		if err := h.UnmarshalBinary(reply[:qnxshm.HandleSize]); err != nil {
			return err
		}
		l := &lent{generation: binary.NativeEndian.Uint64(reply[qnxshm.HandleSize:]), read: make(chan struct{})}
		var err error
		if l.memory, err = qnxshm.Map(h, qnxshm.ReadOnly, int64(loadPages*page)); err != nil {
			return err
		}
		c.mu.Lock()
		c.places[uintptr(unsafe.Pointer(unsafe.SliceData(l.memory.Bytes())))] = true
		c.mu.Unlock()
		c.current[object].Store(l)
		<-l.read
		if _, err := c.conn.Send([]byte{hasIt, byte(object)}, nil); err != nil {
			return err
		}
		if err := l.gone(); err != nil {
			return err
		}
		c.current[object].Store(nil)
		if err := l.memory.Unmap(); err != nil {
			return err
		}
	}
}

// gone checks that the memory cannot be read.
func (l *lent) gone() error {
	for i := range loadPages {
		_, err := l.memory.ReadAt(make([]byte, 8), int64(i*page))
		if !errors.Is(err, qnxshm.ErrRevoked) {
			return fmt.Errorf("ReadAt after the revocation: %v", err)
		}
		if _, err = l.memory.LoadUint64(int64(i * page)); !errors.Is(err, qnxshm.ErrRevoked) {
			return fmt.Errorf("LoadUint64 after the revocation: %v", err)
		}
	}
	return nil
}

// readAll reads all that is there, at full speed.
func (c *loadConsumer) readAll(byView bool) error {
	read := (*lent).byReadAt
	if byView {
		read = (*lent).byView
	}
	to := make([]byte, 64)
	for i := 0; !c.stop.Load(); i++ {
		l := c.current[i%loadObjects].Load()
		if l == nil {
			continue
		}
		err := read(l, to, int64(i%loadPages*page))
		switch generation := binary.NativeEndian.Uint64(to); {
		case errors.Is(err, qnxshm.ErrRevoked), errors.Is(err, os.ErrClosed):
			c.denied.Add(1)
		case err != nil:
			return err
		case generation != l.generation:
			return fmt.Errorf("memory of generation %d holds %d: it was read after the revocation", l.generation, generation)
		default:
			c.reads.Add(1)
			l.once.Do(func() { close(l.read) })
		}
	}
	return nil
}

func (l *lent) byReadAt(to []byte, off int64) error {
	_, err := l.memory.ReadAt(to, off)
	return err
}

func (l *lent) byView(to []byte, off int64) error {
	return l.memory.View(func(b []byte) error {
		copy(to, b[off:])
		return nil
	})
}

// leftMapped tells of memory that is still mapped at one of the places, or was
// replaced by nothing.
func (c *loadConsumer) leftMapped() error {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(maps)) {
		// start-end rwxp offset device inode name
		var start, end uintptr
		var prot string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &start, &end, &prot); err != nil {
			return err
		}
		for place := range c.places {
			if start <= place && place < end && (prot[:3] == "---" || strings.Contains(line, "qnxshm")) {
				return fmt.Errorf("still mapped: %#x in %s", place, line)
			}
		}
	}
	return nil
}
