//go:build !qnx || linux

package wire

// The kinds of frames.
const (
	// First frames on a connection: what it is for.
	KindHelloHandles Kind = iota + 1
	KindHelloLink
	KindHelloAttach
	KindHelloName
	KindHelloLane
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

	// Messages.
	KindMessage
	KindPulse
	KindReply
	KindCancel
	KindVerdict

	LastKind = KindVerdict
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
	case KindHelloLane:
		return new(HelloLane)
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
	case KindMessage:
		return new(Message)
	case KindPulse:
		return new(Pulse)
	case KindReply:
		return new(Reply)
	case KindCancel:
		return new(Cancel)
	case KindVerdict:
		return new(Verdict)
	}
	return nil
}

// HelloHandles begins a connection for requests about handles.
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
	Token     uint64 // of the client process
	ChannelID int32
}

func (*HelloAttach) Kind() Kind        { return KindHelloAttach }
func (f *HelloAttach) fields(c *codec) { c.u64(&f.Token); c.i32(&f.ChannelID) }

// HelloName begins a connection to the channel whose name the listener stands for
// (name_open).
type HelloName struct {
	Token uint64 // of the client process
}

func (*HelloName) Kind() Kind        { return KindHelloName }
func (f *HelloName) fields(c *codec) { c.u64(&f.Token) }

// HelloLane begins a lane, for messages and pulses of an attached client.
type HelloLane struct {
	Token     uint64 // of the client process
	Lane      uint64 // the client's name for it, in a Cancel
	ChannelID int32
	SCOID     int32
	COID      int32
}

func (*HelloLane) Kind() Kind { return KindHelloLane }
func (f *HelloLane) fields(c *codec) {
	c.u64(&f.Token)
	c.u64(&f.Lane)
	c.i32(&f.ChannelID)
	c.i32(&f.SCOID)
	c.i32(&f.COID)
}

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

// Message is a message; the payload follows, or is in the file that goes with it.
type Message struct {
	Seq    uint64 // of the lane
	Len    int64  // bytes sent
	Room   int64  // bytes of the reply buffer
	InFile bool
}

func (*Message) Kind() Kind { return KindMessage }
func (f *Message) fields(c *codec) {
	c.u64(&f.Seq)
	c.i64(&f.Len)
	c.i64(&f.Room)
	c.flag(&f.InFile)
}

// Pulse is a pulse.
type Pulse struct {
	Value int64
	Code  int32
}

func (*Pulse) Kind() Kind        { return KindPulse }
func (f *Pulse) fields(c *codec) { c.i64(&f.Value); c.i32(&f.Code) }

// Reply answers a Message; its payload is as a Message's.
type Reply struct {
	Seq    uint64
	Status int64
	Len    int64 // bytes of the payload
	Errno  int32
	InFile bool
	Pieces bool // the payload is pieces for several offsets
}

func (*Reply) Kind() Kind { return KindReply }
func (f *Reply) fields(c *codec) {
	c.u64(&f.Seq)
	c.i64(&f.Status)
	c.i64(&f.Len)
	c.errno(&f.Errno)
	c.flag(&f.InFile)
	c.flag(&f.Pieces)
}

// Cancel comes on the connection of an attached client: its thread does not want
// to wait any more for the message Seq on a lane. The answer is a Verdict.
type Cancel struct {
	ID   uint64
	Lane uint64
	Seq  uint64
}

func (*Cancel) Kind() Kind        { return KindCancel }
func (f *Cancel) fields(c *codec) { c.u64(&f.ID); c.u64(&f.Lane); c.u64(&f.Seq) }

// Verdict answers a Cancel.
type Verdict struct {
	ID   uint64
	Stay bool // the server was told, and will reply, or has
}

func (*Verdict) Kind() Kind        { return KindVerdict }
func (f *Verdict) fields(c *codec) { c.u64(&f.ID); c.flag(&f.Stay) }

// Replaces reports whether a Revoke makes another one needless.
func (f *Revoke) Replaces(g *Revoke) bool {
	same := *g
	same.ID = f.ID
	return same == *f
}
