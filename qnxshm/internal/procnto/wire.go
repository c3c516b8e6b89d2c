//go:build !qnx || linux

package procnto

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Processes talk in packets that begin with a frame. protocolVersion changes
// whenever frames do; both sides must have the same.
const (
	protocolVersion = 1
	frameSize       = 64
	frameMagic      = 0x51534d48
)

type frameKind uint16

const (
	// First frames on a connection: what it is for.
	helloHandles frameKind = iota + 1 // requests about handles
	helloAttach                       // ConnectAttach to the channel number
	helloName                         // name_open: the listener's channel
	helloLane                         // messages and pulses of an attached client
	helloLink                         // a process that has mapped revocable objects of this one
	welcome                           // the answer to the hellos

	// Requests about handles.
	openRequest
	mapRequest // the descriptor is for one mapping only
	deleteRequest
	// The answer to a request. When it grants an open, the descriptor goes with
	// it, and the handle is used up when the opener takes the packet from its
	// queue: the kernel tells the maker. An opener that has no use for the
	// descriptor closes the connection instead.
	answer
	// A mapping made with a mapRequest is registered: the handle can be used
	// up, unless it was revoked meanwhile.
	claimRequest
	// The process with the link id uses the object a, b, or with number 1 makes
	// handles of it: tell it of revocations. c numbers the registrations.
	registerRequest

	// On links: the process number, or with -1 every one, loses its mappings of
	// the object a, b and the unused handles made for it.
	revoke
	revoked // done with the revoke id
	// The other way: the registration c of the object a, b is not needed any more.
	withdrawal

	// Messages.
	message
	pulse
	reply
	// On the connection of an attached client: its thread does not want to wait
	// any more for the message b on the lane a. The answer is a cancelVerdict.
	cancel

	lastKind = cancel
)

// A frame is the head of every packet. What a field is used for depends on the
// kind; unused fields are 0.
type frame struct {
	kind  frameKind
	errno int32
	// access of an open; chid of a hello and its welcome; code of a pulse;
	// 1 for a reply whose payload is pieces (see packPieces)
	number int32
	// coid of a lane's hello; scoid of a welcome and of a lane's hello
	coid, scoid int32
	// handle of requests; process token of attaching hellos; seq of messages,
	// their replies and cancels
	id uint64
	// window of an answer; start time and channel flags of a welcome; number
	// of a lane in its hello and in cancels; lengths of messages (bytes sent,
	// room for the reply); status of a reply and bytes of its payload; value
	// of a pulse
	a, b int64
	// start time of the creator, in an answer; coid is its pid; number of a
	// registration
	c uint64
	// the payload is not behind the frame but in a memfd that goes with it
	inFile bool
}

// A cancelVerdict is the errno field of the answer to a cancel.
const (
	cancelGone    = iota // the message was not received, or nobody waits for its reply now
	cancelStay           // the server was told, and will reply
	cancelReplied        // the reply is on its way
)

var errMalformed = errors.New("malformed frame")

// A versionError is a peer that speaks another version of the protocol.
type versionError struct{ theirs uint16 }

func (e versionError) Error() string {
	return fmt.Sprintf("the other process speaks version %d of the host protocol, this one version %d: build both with the same version of the module", e.theirs, protocolVersion)
}

func (f *frame) encode(b *[frameSize]byte) {
	e := binary.NativeEndian
	e.PutUint32(b[0:], frameMagic)
	e.PutUint16(b[4:], protocolVersion)
	e.PutUint16(b[6:], uint16(f.kind))
	e.PutUint32(b[8:], uint32(f.errno))
	e.PutUint32(b[12:], uint32(f.number))
	e.PutUint32(b[16:], uint32(f.coid))
	e.PutUint32(b[20:], uint32(f.scoid))
	e.PutUint64(b[24:], f.id)
	e.PutUint64(b[32:], uint64(f.a))
	e.PutUint64(b[40:], uint64(f.b))
	b[48] = 0
	if f.inFile {
		b[48] = 1
	}
	clear(b[49:56])
	e.PutUint64(b[56:], f.c)
}

// decode reads the frame at the start of a packet from a peer, who may have
// sent anything.
func (f *frame) decode(b []byte) error {
	e := binary.NativeEndian
	// These bytes are the same in all versions, whatever their frames' length.
	if len(b) < 6 || e.Uint32(b) != frameMagic {
		return errMalformed
	}
	if v := e.Uint16(b[4:]); v != protocolVersion {
		return versionError{v}
	}
	if len(b) < frameSize {
		return errMalformed
	}
	*f = frame{
		kind:   frameKind(e.Uint16(b[6:])),
		errno:  int32(e.Uint32(b[8:])),
		number: int32(e.Uint32(b[12:])),
		coid:   int32(e.Uint32(b[16:])),
		scoid:  int32(e.Uint32(b[20:])),
		id:     e.Uint64(b[24:]),
		a:      int64(e.Uint64(b[32:])),
		b:      int64(e.Uint64(b[40:])),
		c:      e.Uint64(b[56:]),
		inFile: b[48] == 1,
	}
	if f.kind == 0 || f.kind > lastKind || f.errno < 0 || b[48] > 1 {
		return errMalformed
	}
	return nil
}
