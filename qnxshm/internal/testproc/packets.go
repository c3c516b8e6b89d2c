//go:build linux

package testproc

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// Encode is a frame as it travels.
func Encode(f wire.Frame) []byte {
	var b [wire.FrameSize]byte
	wire.Encode(f, &b)
	return b[:]
}

// OfVersion is a packet of n bytes that begins as one of another version.
func OfVersion(version uint16, n int) []byte {
	b := append(Encode(new(wire.HelloHandles)), make([]byte, max(0, n-wire.FrameSize))...)[:n]
	binary.NativeEndian.PutUint16(b[4:], version)
	return b
}

// OfKind is a frame of any kind, or of none, whose fields begin with first.
func OfKind(kind wire.Kind, first uint64) []byte {
	b := Encode(new(wire.HelloHandles))
	binary.NativeEndian.PutUint16(b[6:], uint16(kind))
	binary.NativeEndian.PutUint64(b[8:], first)
	return b
}

// Garbage gives packets of n bytes that mean nothing, one of which may begin well.
func Garbage(n int) map[string][]byte {
	random := make([]byte, n)
	source := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range random {
		random[i] = byte(source.Uint32())
	}
	ones := make([]byte, n)
	for i := range ones {
		ones[i] = 0xff
	}
	packets := map[string][]byte{"zeros": make([]byte, n), "ones": ones, "random": random}
	if n != wire.FrameSize {
		b := Encode(new(wire.HelloHandles))
		packets["frame and "+fmt.Sprint(n-len(b))] = append(b, make([]byte, max(0, n-len(b)))...)[:n]
	}
	return packets
}
