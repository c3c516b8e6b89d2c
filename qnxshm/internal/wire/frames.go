//go:build !qnx || linux

package wire

// The kinds of frames.
const (
	// First frames on a connection: what it is for.
	KindHelloHandles Kind = iota + 1
	KindHelloLink
	KindHelloAttach
	KindHelloName
	KindWelcome

	// Requests about handles, and their answers.
	KindOpen
	KindMap
	KindClaim
	KindDelete
	KindGranted
	KindAnswer

	// On links.
	KindRegister
	KindRevoke
	KindRevoked
	KindWithdraw

	// On connections to channels.
	KindBell
	KindSegment
	KindBuffer

	// From a server to its client's process.
	KindEvent

	LastKind = KindEvent
)

func newFrame(kind Kind) Frame {
	switch kind {
	case KindHelloHandles:
		return new(HelloHandles)
	case KindHelloLink:
		return new(HelloLink)
	case KindHelloAttach:
		return new(HelloAttach)
	case KindHelloName:
		return new(HelloName)
	case KindWelcome:
		return new(Welcome)
	case KindOpen:
		return new(Open)
	case KindMap:
		return new(Map)
	case KindClaim:
		return new(Claim)
	case KindDelete:
		return new(Delete)
	case KindRegister:
		return new(Register)
	case KindGranted:
		return new(Granted)
	case KindAnswer:
		return new(Answer)
	case KindRevoke:
		return new(Revoke)
	case KindRevoked:
		return new(Revoked)
	case KindWithdraw:
		return new(Withdraw)
	case KindBell:
		return new(Bell)
	case KindSegment:
		return new(Segment)
	case KindBuffer:
		return new(Buffer)
	case KindEvent:
		return new(Event)
	}
	return nil
}

// HelloHandles begins a connection for requests about handles, or an Event.
type HelloHandles struct{}

func (*HelloHandles) Kind() Kind    { return KindHelloHandles }
func (*HelloHandles) fields(*codec) {}

// HelloLink begins the connection on which who maps revocable objects tells their
// creator so, and that asks to give them up.
type HelloLink struct{}

// LinkAnswers is the flag of a link on which registrations have answers.
const LinkAnswers = 1

func (*HelloLink) Kind() Kind    { return KindHelloLink }
func (*HelloLink) fields(*codec) {}

// HelloAttach begins a connection to a channel (ConnectAttach).
type HelloAttach struct {
	ChannelID int32
}

func (*HelloAttach) Kind() Kind        { return KindHelloAttach }
func (f *HelloAttach) fields(c *codec) { c.i32(&f.ChannelID) }

// HelloName begins a connection to the channel whose name the listener stands for
// (name_open).
type HelloName struct{}

func (*HelloName) Kind() Kind    { return KindHelloName }
func (*HelloName) fields(*codec) {}

// Welcome answers a hello. With an errno the connection ends.
type Welcome struct {
	Errno     int32
	ChannelID int32
	SCOID     int32
	Flags     uint32 // of the channel; of a link
}

func (*Welcome) Kind() Kind { return KindWelcome }
func (f *Welcome) fields(c *codec) {
	c.errno(&f.Errno)
	c.i32(&f.ChannelID)
	c.i32(&f.SCOID)
	c.u32(&f.Flags)
}

// Open asks for a descriptor, Map for one that is used for a mapping and closed.
// The answer is a Granted or an Answer.
type Open struct {
	Handle uint64
	Access int32
}

func (*Open) Kind() Kind        { return KindOpen }
func (f *Open) fields(c *codec) { c.u64(&f.Handle); c.i32(&f.Access) }

// Map is an Open that is followed by a Claim.
type Map struct {
	Handle uint64
	Access int32
}

func (*Map) Kind() Kind        { return KindMap }
func (f *Map) fields(c *codec) { c.u64(&f.Handle); c.i32(&f.Access) }

// Granted goes with the descriptor. After an Open the handle is used up when the
// opener takes the packet from its queue: the kernel tells the maker. An opener
// that has no use for the descriptor closes the connection instead. After a Map
// the handle is used up by a Claim.
type Granted struct {
	Handle       uint64
	Offset, Size int64 // of the window
}

func (*Granted) Kind() Kind { return KindGranted }
func (f *Granted) fields(c *codec) {
	c.u64(&f.Handle)
	c.i64(&f.Offset)
	c.i64(&f.Size)
}

// Claim says that the mapping made with a Map's descriptor is registered: the
// handle can be used up, unless it was revoked meanwhile.
type Claim struct{ Handle uint64 }

func (*Claim) Kind() Kind        { return KindClaim }
func (f *Claim) fields(c *codec) { c.u64(&f.Handle) }

// Delete asks to delete a handle.
type Delete struct{ Handle uint64 }

func (*Delete) Kind() Kind        { return KindDelete }
func (f *Delete) fields(c *codec) { c.u64(&f.Handle) }

// Register tells the creator of an object that the process with the link maps it,
// or makes handles of it. The secret says which object, and shows that the process
// has it. There is an answer only where the welcome says so: else the creator reads
// it before it revokes.
type Register struct {
	Secret uint64 // of the object's origin, as is the next
	Serial uint32
	Makes  bool   // handles, besides mappings
	Number uint64 // counts the registrations of the link
}

func (*Register) Kind() Kind { return KindRegister }
func (f *Register) fields(c *codec) {
	c.u64(&f.Secret)
	c.u32(&f.Serial)
	c.flag(&f.Makes)
	c.u64(&f.Number)
}

// Answer is the errno of a request. ID is the request's handle, or number.
type Answer struct {
	ID    uint64
	Errno int32
}

func (*Answer) Kind() Kind        { return KindAnswer }
func (f *Answer) fields(c *codec) { c.u64(&f.ID); c.errno(&f.Errno) }

// Revoke tells a process with a link that the process PID, or with -1 every one,
// loses its mappings of the object and the unused handles made for it.
type Revoke struct {
	ID       uint64
	Dev, Ino uint64 // the object
	Secret   uint64 // of its origin, as is the next
	Serial   uint32
	PID      int32
}

func (*Revoke) Kind() Kind { return KindRevoke }
func (f *Revoke) fields(c *codec) {
	c.u64(&f.ID)
	c.u64(&f.Dev)
	c.u64(&f.Ino)
	c.u64(&f.Secret)
	c.u32(&f.Serial)
	c.i32(&f.PID)
}

// Revoked says that a Revoke is done.
type Revoked struct{ ID uint64 }

func (*Revoked) Kind() Kind        { return KindRevoked }
func (f *Revoked) fields(c *codec) { c.u64(&f.ID) }

// Withdraw says that the registration of that number is not needed any more.
type Withdraw struct {
	Secret uint64 // of the object's origin, as is the next
	Serial uint32
	Number uint64
}

func (*Withdraw) Kind() Kind { return KindWithdraw }
func (f *Withdraw) fields(c *codec) {
	c.u64(&f.Secret)
	c.u32(&f.Serial)
	c.u64(&f.Number)
}

// Bell tells a server that there is something in the memory that it shares with the
// client, and a client that there may be.
type Bell struct{}

func (*Bell) Kind() Kind    { return KindBell }
func (*Bell) fields(*codec) {}

// A Part goes with the descriptor of a file in memory, which has a part of something.
// The parts come one after the other.
type Part struct {
	Size   int64 // of the whole
	Offset int64
	Length int64
}

func (f *Part) fields(c *codec) {
	c.i64(&f.Size)
	c.i64(&f.Offset)
	c.i64(&f.Length)
}

// Segment goes with memory for the messages of a client: the first one begins its
// use of the channel.
type Segment struct {
	Number uint32
	Part
}

func (*Segment) Kind() Kind        { return KindSegment }
func (f *Segment) fields(c *codec) { c.u32(&f.Number); f.Part.fields(c) }

// Buffer goes with memory for large messages of one slot.
type Buffer struct {
	Slot   uint32
	Number uint32 // counts the slot's buffers
	Part
}

func (*Buffer) Kind() Kind { return KindBuffer }
func (f *Buffer) fields(c *codec) {
	c.u32(&f.Slot)
	c.u32(&f.Number)
	f.Part.fields(c)
}

// Event asks a client to deliver an event to itself (MsgDeliverEvent), or only to check
// it. The answer is an Answer.
type Event struct {
	ID       uint64
	SCOID    int32 // what the server calls the client
	TID      int32 // the client's thread
	Notify   int32 // the fields of a struct sigevent
	Which    int32
	Value    int64
	Code     int32
	Priority int32
	Check    bool
}

func (*Event) Kind() Kind { return KindEvent }
func (f *Event) fields(c *codec) {
	c.u64(&f.ID)
	c.i32(&f.SCOID)
	c.i32(&f.TID)
	c.i32(&f.Notify)
	c.i32(&f.Which)
	c.i64(&f.Value)
	c.i32(&f.Code)
	c.i32(&f.Priority)
	c.flag(&f.Check)
}

// Replaces reports whether a Revoke makes another one needless.
func (f *Revoke) Replaces(g *Revoke) bool {
	same := *g
	same.ID = f.ID
	return same == *f
}
