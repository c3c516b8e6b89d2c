//go:build linux

package hostile_test

import (
	"io/fs"
	"maps"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A node is a second process.
type node struct {
	mu       sync.Mutex
	last     int
	mappings map[string]*qnxshm.Mapping
	conns    map[string]*qnxmsg.Connection
	family   map[string]*testproc.Child
	kept     []*qnxshm.Mapping
	held     int // messages without a reply
	raw      []testproc.Raw

	// Of a false maker.
	asked    atomic.Int32
	answers  chan struct{}
	answered chan error
}

// newNode gives what a node can be told to do: calls of the public packages here,
// what strangers do in stranger_test.go, what is measured in cost_test.go.
func newNode() testproc.Procedures {
	n := &node{
		mappings: make(map[string]*qnxshm.Mapping), conns: make(map[string]*qnxmsg.Connection),
		family: make(map[string]*testproc.Child), answers: make(chan struct{}), answered: make(chan error),
	}
	all := testproc.Procedures{
		"calls": calls, "object": object, "inode": inode, "handle": handle, "part": part,
		"open": qnxshm.OpenHandle, "delete": qnxshm.DeleteHandle,
		"map": n.mapHandle, "mapfd": n.mapDescriptor, "touch": n.touch, "store": n.store,
		"revoke": qnxshm.Revoke, "control": control, "named": named,
		"truncate": unix.Ftruncate, "close": unix.Close, "status": status,
		"channel": n.channel, "connect": n.connect, "send": n.send,
		"start": n.start, "end": n.end, "tell": n.tell,
		"readonly": readOnlyObject, "held": n.countHeld, "become": become,
	}
	maps.Copy(all, n.strange())
	maps.Copy(all, n.costs())
	return all
}

// name makes a name for something that a node keeps.
func (n *node) name() string {
	n.last++
	return "n" + strconv.Itoa(n.last)
}

// calls makes handles and deletes them for some time, and tells how long the
// slowest of both took together.
func calls(during time.Duration) (slowest time.Duration, err error) {
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	for began := time.Now(); time.Since(began) < during; {
		call := time.Now()
		h, err := qnxshm.CreateHandle(fd, os.Getppid(), qnxshm.ReadOnly, 0)
		if err == nil {
			err = qnxshm.DeleteHandle(h)
		}
		if err != nil {
			return 0, err
		}
		slowest = max(slowest, time.Since(call))
		time.Sleep(time.Millisecond / 4)
	}
	return slowest, nil
}

// object makes one of so many pages, "revocable" or not.
func object(pages int, how ...string) (fd int, err error) {
	fd, err = qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return -1, err
	}
	err = unix.Ftruncate(fd, int64(pages*os.Getpagesize()))
	if err == nil && len(how) > 0 {
		_, err = qnxshm.Control(fd, qnxshm.ControlRevocable, 0, 0)
	}
	return fd, err
}

// inode is by what the kernel knows an object.
func inode(fd int) (uint64, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return st.Ino, err
}

func handle(fd, pid int, access qnxshm.Access, options ...qnxshm.HandleOptions) (qnxshm.Handle, error) {
	return qnxshm.CreateHandle(fd, pid, access, append(options, 0)[0])
}

// part makes a handle of the first page.
func part(fd, pid int, access qnxshm.Access) (qnxshm.Handle, error) {
	return qnxshm.CreateSubrangeHandle(fd, pid, access, 0, int64(os.Getpagesize()), 0)
}

func readOnlyObject() (fd int, err error) { return qnxshm.OpenAnonymous(os.O_RDONLY, 0o600) }

func (n *node) keepMapping(m *qnxshm.Mapping, err error) (name string, _ error) {
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	name = n.name()
	n.mappings[name] = m
	return name, nil
}

func (n *node) mapping(name string) *qnxshm.Mapping {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mappings[name]
}

func (n *node) mapHandle(h qnxshm.Handle, access qnxshm.Access, pages int) (name string, err error) {
	return n.keepMapping(qnxshm.Map(h, access, int64(pages*os.Getpagesize())))
}

// mapDescriptor maps all of it.
func (n *node) mapDescriptor(fd int, access qnxshm.Access) (name string, err error) {
	return n.keepMapping(mapWhole(fd, access))
}

func mapWhole(fd int, access qnxshm.Access) (*qnxshm.Mapping, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	obj, err := qnxshm.NewObject(own)
	if err != nil {
		unix.Close(own)
		return nil, err
	}
	defer obj.Close()
	return obj.Map(access)
}

// touch fails when the memory is not there.
func (n *node) touch(mapping string) error {
	_, err := n.mapping(mapping).ReadAt(make([]byte, 1), 0)
	return err
}

// store writes a byte to every page.
func (n *node) store(mapping string) error {
	return n.mapping(mapping).View(func(b []byte) error {
		for i := 0; i < len(b); i += os.Getpagesize() {
			b[i] = 1
		}
		return nil
	})
}

// A footprint is size and memory of an object, in bytes.
type footprint struct{ Size, Memory int64 }

func control(fd int, flags qnxshm.ControlFlags, size uint64) (footprint, error) {
	if _, err := qnxshm.Control(fd, flags, 0, size); err != nil {
		return footprint{}, err
	}
	return status(fd)
}

func status(fd int) (footprint, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return footprint{st.Size, st.Blocks * 512}, err
}

func named(name string, flags int, perm fs.FileMode) (fd int, err error) {
	return qnxshm.OpenObject(name, flags, perm)
}

// channel serves a new channel: it returns what it gets, but holds what is "hold".
func (n *node) channel(name ...string) (chid int, err error) {
	ch, err := qnxmsg.NewChannel(0)
	if len(name) > 0 {
		ch, err = qnxmsg.AttachName(name[0])
	}
	if err != nil {
		return 0, err
	}
	for range 2 {
		go func() {
			buf := make([]byte, 64)
			for {
				m, err := ch.Receive(buf)
				if err != nil {
					return
				}
				if m.IsPulse() {
					continue
				}
				if string(m.Data) != "hold" {
					m.Reply(0, m.Data)
					continue
				}
				n.mu.Lock()
				n.held++
				n.mu.Unlock()
			}
		}()
	}
	return ch.ID(), nil
}

func (n *node) connect(pid, chid int) (name string, err error) {
	c, err := qnxmsg.Connect(pid, chid)
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	name = n.name()
	n.conns[name] = c
	return name, nil
}

func (n *node) send(connection, text string) (string, error) {
	n.mu.Lock()
	c := n.conns[connection]
	n.mu.Unlock()
	reply := make([]byte, len(text))
	_, err := c.SendTimeout([]byte(text), reply, testproc.Patience)
	return string(reply), err
}

// countHeld is the number of messages that wait for ever.
func (n *node) countHeld() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.held
}
