//go:build linux

package hostile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A node is a second process. It reads commands from its standard input until
// that ends.
type node struct {
	mu       sync.Mutex
	last     int
	mappings map[string]*qnxshm.Mapping
	conns    map[string]*qnxmsg.Connection
	results  map[string]chan string
	family   map[string]*relative
	kept     []*qnxshm.Mapping
	held     int // messages without a reply
	raw      []conn

	// Of a false maker.
	asked    atomic.Int32
	answers  chan struct{}
	answered chan error
}

func newNode() *node {
	return &node{
		mappings: make(map[string]*qnxshm.Mapping), conns: make(map[string]*qnxmsg.Connection),
		results: make(map[string]chan string), family: make(map[string]*relative),
		answers: make(chan struct{}), answered: make(chan error),
	}
}

func (n *node) run() {
	if limit := os.Getenv(holdEnv); limit != "" {
		time.Sleep(holdFor)
		return
	}
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		fmt.Println(n.obey(strings.Fields(in.Text())))
	}
}

// obey carries a command out and returns the line that answers it.
func (n *node) obey(words []string) string {
	command := commands[words[0]]
	if command == nil {
		return "ENOSYS no command " + words[0]
	}
	out, err := command(n, words[1:])
	if err != nil {
		name := "EIO"
		var errno syscall.Errno
		if errors.As(err, &errno) {
			name = qnxerr.Name(errno)
		}
		return name + " " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return strings.TrimSpace("ok " + fmt.Sprintln(out...))
}

type arguments []string

func (a arguments) int(i int) int {
	n, err := strconv.ParseInt(a[i], 10, 64)
	if err != nil {
		panic(err)
	}
	return int(n)
}

func (a arguments) uint(i int) uint64 {
	n, err := strconv.ParseUint(a[i], 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (a arguments) handle(i int) qnxshm.Handle { return qnxshm.Handle(a.uint(i)) }
func (a arguments) access(i int) qnxshm.Access { return qnxshm.Access(a.int(i)) }

// name makes a name for something that a node keeps.
func (n *node) name() string {
	n.last++
	return "n" + strconv.Itoa(n.last)
}

// commands are what a node can be told to do: calls of the public packages here,
// what strangers do in stranger_test.go.
var commands map[string]func(*node, arguments) ([]any, error)

func init() {
	commands = map[string]func(*node, arguments) ([]any, error){
		"later": (*node).later, "await": (*node).await,
		"calls": (*node).calls, "object": object, "handle": handle, "part": part, "open": open, "delete": deleteHandle,
		"map": (*node).mapHandle, "mapfd": (*node).mapDescriptor, "touch": (*node).touch, "store": (*node).store,
		"revoke": revoke, "control": control, "named": named, "truncate": truncate, "close": closeDescriptor, "status": status,
		"channel": (*node).channel, "connect": (*node).connect, "send": (*node).send,
		"start": (*node).start, "end": (*node).end, "tell": (*node).tell,
		"readonly": readOnlyObject, "held": (*node).countHeld,
	}
	for name, command := range strangerCommands {
		commands[name] = command
	}
	for name, command := range costCommands {
		commands[name] = command
	}
}

// later begins a command that await waits for.
func (n *node) later(a arguments) ([]any, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, result := n.name(), make(chan string, 1)
	n.results[name] = result
	go func() { result <- n.obey(a) }()
	return []any{name}, nil
}

func (n *node) await(a arguments) ([]any, error) {
	n.mu.Lock()
	result := n.results[a[0]]
	n.mu.Unlock()
	return resultOf(<-result)
}

// calls makes handles and deletes them for some time, and tells how long the
// slowest of both took together.
func (n *node) calls(a arguments) ([]any, error) { // ms
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var slowest time.Duration
	for began := time.Now(); time.Since(began) < time.Duration(a.int(0))*time.Millisecond; {
		call := time.Now()
		h, err := qnxshm.CreateHandle(fd, os.Getppid(), qnxshm.ReadOnly, 0)
		if err == nil {
			err = qnxshm.DeleteHandle(h)
		}
		if err != nil {
			return nil, err
		}
		slowest = max(slowest, time.Since(call))
		time.Sleep(time.Millisecond / 4)
	}
	return []any{slowest}, nil
}

// object makes one, and tells its descriptor and what the kernel calls it.
func object(_ *node, a arguments) ([]any, error) { // pages [revocable]
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Ftruncate(fd, int64(a.int(0)*os.Getpagesize()))
	if err == nil && len(a) > 1 {
		_, err = qnxshm.Control(fd, qnxshm.ControlRevocable, 0, 0)
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	return []any{fd, st.Dev, st.Ino}, err
}

func handle(_ *node, a arguments) ([]any, error) { // fd pid access [options]
	var options qnxshm.HandleOptions
	if len(a) > 3 {
		options = qnxshm.HandleOptions(a.int(3))
	}
	h, err := qnxshm.CreateHandle(a.int(0), a.int(1), a.access(2), options)
	return []any{uint64(h)}, err
}

// part makes a handle of the first page.
func part(_ *node, a arguments) ([]any, error) { // fd pid access
	h, err := qnxshm.CreateSubrangeHandle(a.int(0), a.int(1), a.access(2), 0, int64(os.Getpagesize()), 0)
	return []any{uint64(h)}, err
}

func open(_ *node, a arguments) ([]any, error) { // handle access
	fd, err := qnxshm.OpenHandle(a.handle(0), a.access(1))
	return []any{fd}, err
}

func deleteHandle(_ *node, a arguments) ([]any, error) { return nil, qnxshm.DeleteHandle(a.handle(0)) }

func readOnlyObject(*node, arguments) ([]any, error) {
	fd, err := qnxshm.OpenAnonymous(os.O_RDONLY, 0o600)
	return []any{fd}, err
}

func (n *node) keepMapping(m *qnxshm.Mapping, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	name := n.name()
	n.mappings[name] = m
	return []any{name}, nil
}

func (n *node) mapHandle(a arguments) ([]any, error) { // handle access pages
	return n.keepMapping(qnxshm.Map(a.handle(0), a.access(1), int64(a.int(2)*os.Getpagesize())))
}

// mapDescriptor maps all of it.
func (n *node) mapDescriptor(a arguments) ([]any, error) { // fd access
	return n.keepMapping(mapWhole(a.int(0), a.access(1)))
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
func (n *node) touch(a arguments) ([]any, error) {
	n.mu.Lock()
	m := n.mappings[a[0]]
	n.mu.Unlock()
	_, err := m.ReadAt(make([]byte, 1), 0)
	return nil, err
}

// store writes a byte to every page.
func (n *node) store(a arguments) ([]any, error) {
	n.mu.Lock()
	m := n.mappings[a[0]]
	n.mu.Unlock()
	return nil, m.View(func(b []byte) error {
		for i := 0; i < len(b); i += os.Getpagesize() {
			b[i] = 1
		}
		return nil
	})
}

func revoke(_ *node, a arguments) ([]any, error) { // fd pid
	return nil, qnxshm.Revoke(a.int(0), a.int(1))
}

// control also tells size and memory of the object.
func control(_ *node, a arguments) ([]any, error) { // fd flags size
	if _, err := qnxshm.Control(a.int(0), qnxshm.ControlFlags(a.int(1)), 0, a.uint(2)); err != nil {
		return nil, err
	}
	return status(nil, a)
}

// status is size and memory of an object, in bytes.
func status(_ *node, a arguments) ([]any, error) { // fd
	var st unix.Stat_t
	err := unix.Fstat(a.int(0), &st)
	return []any{st.Size, st.Blocks * 512}, err
}

func named(_ *node, a arguments) ([]any, error) { // name flags perm
	fd, err := qnxshm.OpenObject(a[0], a.int(1), fs.FileMode(a.int(2)))
	return []any{fd}, err
}

func truncate(_ *node, a arguments) ([]any, error) {
	return nil, unix.Ftruncate(a.int(0), int64(a.int(1)))
}

func closeDescriptor(_ *node, a arguments) ([]any, error) { return nil, unix.Close(a.int(0)) }

// channel serves a new channel: it returns what it gets, but holds what is "hold".
func (n *node) channel(a arguments) ([]any, error) { // [name]
	ch, err := qnxmsg.NewChannel(0)
	if len(a) > 0 {
		ch, err = qnxmsg.AttachName(a[0])
	}
	if err != nil {
		return nil, err
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
	return []any{ch.ID()}, nil
}

func (n *node) connect(a arguments) ([]any, error) { // pid chid
	c, err := qnxmsg.Connect(a.int(0), a.int(1))
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	name := n.name()
	n.conns[name] = c
	return []any{name}, nil
}

func (n *node) send(a arguments) ([]any, error) { // connection text
	n.mu.Lock()
	c := n.conns[a[0]]
	n.mu.Unlock()
	reply := make([]byte, len(a[1]))
	if _, err := c.SendTimeout([]byte(a[1]), reply, patience); err != nil {
		return nil, err
	}
	return []any{string(reply)}, nil
}

// countHeld is the number of messages that wait for ever.
func (n *node) countHeld(arguments) ([]any, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return []any{n.held}, nil
}
