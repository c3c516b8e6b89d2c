//go:build linux

package procnto

import (
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

// What the tests, which are outside of the package, need of its inside.

// A Frame is a frame.
type Frame struct {
	Kind        uint16
	Errno       int32
	Number      int32
	COID, SCOID int32
	ID          uint64
	A, B        int64
	C           uint64
	InFile      bool
}

const (
	ProtocolVersion = protocolVersion
	FrameSize       = frameSize
	MaxInline       = maxInline
	PayloadSeals    = payloadSeals
	PeerTimeout     = peerTimeout
	FirstOwnFD      = firstOwnFD
	FirstTag        = firstTag
	CodeDisconnect  = codeDisconnect
	CodeUnblock     = codeUnblock
	FlagDisconnect  = flagDisconnect
	FlagUnblock     = flagUnblock

	HelloHandles    = uint16(helloHandles)
	HelloAttach     = uint16(helloAttach)
	HelloName       = uint16(helloName)
	HelloLane       = uint16(helloLane)
	HelloLink       = uint16(helloLink)
	Welcome         = uint16(welcome)
	OpenRequest     = uint16(openRequest)
	MapRequest      = uint16(mapRequest)
	DeleteRequest   = uint16(deleteRequest)
	Answer          = uint16(answer)
	ClaimRequest    = uint16(claimRequest)
	RegisterRequest = uint16(registerRequest)
	Withdrawal      = uint16(withdrawal)
	RevokeFrame     = uint16(revoke)
	RevokedFrame    = uint16(revoked)

	OptNoFD          = uint32(optNoFD)
	ControlAnon      = uint32(ctlAnon)
	ControlRevocable = uint32(ctlRevocable)
	ControlGetFlags  = uint32(ctlGetFlags)
	Message          = uint16(message)
	Pulse            = uint16(pulse)
	Reply            = uint16(reply)
	Cancel           = uint16(cancel)
	LastKind         = uint16(lastKind)
)

var (
	CheckName  = checkName
	ObjectPath = objectPath
	NameSocket = nameSocket
	WindowTags = windowTags
	StartTime  = startTime
)

// Encode returns the frame as this version of the protocol sends it.
func (f Frame) Encode() []byte {
	var b [frameSize]byte
	(&frame{
		kind: frameKind(f.Kind), errno: f.Errno, number: f.Number, coid: f.COID, scoid: f.SCOID,
		id: f.ID, a: f.A, b: f.B, c: f.C, inFile: f.InFile,
	}).encode(&b)
	return b[:]
}

// DecodeFrame is frame.decode.
func DecodeFrame(b []byte) (Frame, error) {
	var f frame
	err := f.decode(b)
	return Frame{
		Kind: uint16(f.kind), Errno: f.errno, Number: f.number, COID: f.coid, SCOID: f.scoid,
		ID: f.id, A: f.a, B: f.b, C: f.c, InFile: f.inFile,
	}, err
}

// ProcessSocket is the name of the socket that the process pid listens on.
func ProcessSocket(pid int) (string, error) {
	start, err := startTime(pid)
	return processSocket(pid, start), err
}

// Token is what this process attaches with.
func Token() uint64 { return self().token }

// RegistryEntries is how much the registry of objects remembers.
func RegistryEntries() int {
	objects.mu.Lock()
	defer objects.mu.Unlock()
	return objects.entries
}

// Registrations is how much this process remembers of who has its objects.
func Registrations() int {
	host.mu.Lock()
	defer host.mu.Unlock()
	n := len(host.granted)
	for _, c := range host.links {
		n += len(c.link)
	}
	return n
}

// LimitMemory makes the system have so much memory left, and less when some was
// given to fd. The function returned ends that.
func LimitMemory(fd int, bytes int64) (end func()) {
	memoryLeft = func() int64 {
		var st unix.Stat_t
		unix.Fstat(fd, &st)
		return bytes - st.Blocks*512
	}
	return func() { memoryLeft = availableMemory }
}

// UnusedHandles is the number of handles of this process.
func UnusedHandles() int {
	host.mu.Lock()
	defer host.mu.Unlock()
	return len(host.table.handles)
}

// Within is window.within.
func Within(windowOffset, windowSize, offset, size, whole int64) (gotOffset, gotSize int64, err error) {
	w, err := window{windowOffset, windowSize}.within(offset, size, whole)
	return w.offset, w.size, err
}

// A Table is a handleTable of the process pid.
type Table struct {
	t   handleTable
	pid int
}

func NewTable(pid int) *Table { return &Table{pid: pid} }

// Add makes a handle for recipient and returns its id.
func (t *Table) Add(recipientPID int, random func() uint64) uint64 {
	r := t.t.recipients[recipientPID]
	if r == nil {
		if t.t.recipients == nil {
			t.t.recipients = make(map[int]*recipient)
		}
		r = &recipient{pid: recipientPID, pidfd: -1}
		t.t.recipients[recipientPID] = r
	}
	h := &handle{recipient: r}
	t.t.add(h, t.pid, random)
	return h.id
}

func (t *Table) Find(id uint64, pid int) bool {
	_, err := t.t.find(id, pid)
	return err == nil
}

// Remove takes the handle id out, if it is there.
func (t *Table) Remove(id uint64) {
	if h := t.t.handles[id]; h != nil {
		t.t.remove(h, t.pid)
	}
}

// Exit removes the handles of a recipient as its exit does: one by one from the
// first.
func (t *Table) Exit(pid int) {
	r := t.t.recipients[pid]
	for r != nil && r.first != nil {
		t.t.remove(r.first, t.pid)
	}
	delete(t.t.recipients, pid)
}

// Of returns the handles in the list of a recipient, in order, and how many the
// table counts for it.
func (t *Table) Of(pid int) (ids []uint64, count int) {
	r := t.t.recipients[pid]
	if r == nil {
		return nil, 0
	}
	for h := r.first; h != nil; h = h.next {
		ids = append(ids, h.id)
	}
	slices.Sort(ids)
	return ids, r.count
}

func (t *Table) IDs() []uint64 { return slices.Sorted(maps.Keys(t.t.handles)) }
func (t *Table) Foreign() int  { return t.t.foreign }
