//go:build !qnx || linux

package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Every packet begins with a frame of FrameSize bytes: magic, version, kind, the
// fields of the kind one after the other, zeroes. Version changes whenever a
// frame does; both sides must have the same.
const (
	Version   = 6
	FrameSize = 64

	magic    = 0x51534d48
	headSize = 8
)

// A Kind tells which of the frames follows.
type Kind uint16

// A Frame is one of the structs of this package.
type Frame interface {
	// Kind tells which.
	Kind() Kind
	// fields shows the codec each field, in order.
	fields(*codec)
}

// ErrMalformed is a packet that is no frame of this version.
var ErrMalformed = errors.New("malformed frame")

// A VersionError is a peer that speaks another version of the protocol.
type VersionError struct{ Theirs uint16 }

// Error names both versions.
func (e VersionError) Error() string {
	return fmt.Sprintf("the other process speaks version %d of the host protocol, this one version %d: build both with the same version of the module", e.Theirs, Version)
}

// A codec writes the fields of a frame, or reads them: the layout stands once.
type codec struct {
	b       []byte
	reading bool
	bad     bool // a field that was read has a value it cannot have
}

func (c *codec) next(n int) []byte {
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *codec) u32(v *uint32) {
	if b := c.next(4); c.reading {
		*v = binary.NativeEndian.Uint32(b)
	} else {
		binary.NativeEndian.PutUint32(b, *v)
	}
}

func (c *codec) u64(v *uint64) {
	if b := c.next(8); c.reading {
		*v = binary.NativeEndian.Uint64(b)
	} else {
		binary.NativeEndian.PutUint64(b, *v)
	}
}

func (c *codec) i32(v *int32) {
	u := uint32(*v)
	c.u32(&u)
	*v = int32(u)
}

func (c *codec) i64(v *int64) {
	u := uint64(*v)
	c.u64(&u)
	*v = int64(u)
}

// errno is an i32 that is not negative.
func (c *codec) errno(v *int32) {
	c.i32(v)
	c.bad = c.bad || *v < 0
}

func (c *codec) flag(v *bool) {
	var u uint32
	if *v {
		u = 1
	}
	c.u32(&u)
	*v = u == 1
	c.bad = c.bad || u > 1
}
