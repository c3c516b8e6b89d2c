//go:build !qnx || linux

package wire

import "encoding/binary"

// Encode writes a frame to the start of a packet.
func Encode(f Frame, b *[FrameSize]byte) { new(coder).encode(f, b) }

// Decode reads the frame at the start of a packet from a peer, who may have sent
// anything.
func Decode(b []byte) (Frame, error) { return new(coder).decode(b) }

// A coder does what Encode and Decode do without allocating for the frames that
// come most often: one of those that was decoded is good until the next is.
type coder struct {
	codec   codec
	bell    Bell
	open    Open
	mapping Map
	claim   Claim
	granted Granted
	answer  Answer
}

func (c *coder) frame(kind Kind) Frame {
	switch kind {
	case KindBell:
		return &c.bell
	case KindOpen:
		return &c.open
	case KindMap:
		return &c.mapping
	case KindClaim:
		return &c.claim
	case KindGranted:
		return &c.granted
	case KindAnswer:
		return &c.answer
	}
	return newFrame(kind)
}

func (c *coder) encode(f Frame, b *[FrameSize]byte) {
	e := binary.NativeEndian
	e.PutUint32(b[0:], magic)
	e.PutUint16(b[4:], Version)
	e.PutUint16(b[6:], uint16(f.Kind()))
	c.codec = codec{b: b[headSize:]}
	f.fields(&c.codec)
	clear(c.codec.b)
	c.codec.b = nil
}

func (c *coder) decode(b []byte) (Frame, error) {
	e := binary.NativeEndian
	// These bytes are the same in all versions, whatever their frames' length.
	if len(b) < 6 || e.Uint32(b) != magic {
		return nil, ErrMalformed
	}
	if v := e.Uint16(b[4:]); v != Version {
		return nil, VersionError{v}
	}
	if len(b) < FrameSize {
		return nil, ErrMalformed
	}
	f := c.frame(Kind(e.Uint16(b[6:])))
	if f == nil {
		return nil, ErrMalformed
	}
	c.codec = codec{b: b[headSize:FrameSize], reading: true}
	f.fields(&c.codec)
	for _, rest := range c.codec.b {
		c.codec.bad = c.codec.bad || rest != 0
	}
	c.codec.b = nil
	if c.codec.bad {
		return nil, ErrMalformed
	}
	return f, nil
}
