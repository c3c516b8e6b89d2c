//go:build !qnx || linux

package wire_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// frames are one of each kind, all of whose fields have values of their own.
var frames = []wire.Frame{
	&wire.HelloHandles{},
	&wire.HelloLink{},
	&wire.HelloAttach{ChannelID: 2},
	&wire.HelloName{},
	&wire.Welcome{Errno: 1, ChannelID: 2, SCOID: 3, Flags: 4},
	&wire.Open{Handle: 1, Access: 2},
	&wire.Map{Handle: 1, Access: 2},
	&wire.Claim{Handle: 1},
	&wire.Delete{Handle: 1},
	&wire.Granted{Handle: 1, Offset: 2, Size: 3},
	&wire.Answer{ID: 1, Errno: 2},
	&wire.Register{Secret: 1, Serial: 2, Makes: true, Number: 3},
	&wire.Revoke{ID: 1, Dev: 2, Ino: 3, Secret: 4, Serial: 5, PID: -1},
	&wire.Revoked{ID: 1},
	&wire.Withdraw{Secret: 1, Serial: 2, Number: 3},
	&wire.Bell{},
	&wire.Segment{Number: 1, Part: wire.Part{Size: 2, Offset: 3, Length: 4}},
	&wire.Buffer{Slot: 1, Number: 2, Part: wire.Part{Size: 3, Offset: 4, Length: 5}},
	&wire.Event{ID: 1, SCOID: 2, TID: 3, Notify: 4, Which: 5, Value: -6, Code: -7, Priority: 8, Check: true},
}

func encode(f wire.Frame) []byte {
	var b [wire.FrameSize]byte
	for i := range b {
		b[i] = 0xee // of the packet before
	}
	wire.Encode(f, &b)
	return b[:]
}

// TestFrames encodes and decodes each kind.
func TestFrames(t *testing.T) {
	require.Len(t, frames, int(wire.LastKind))
	for i, f := range frames {
		require.Equal(t, wire.Kind(i+1), f.Kind(), "%T", f)
		v := reflect.ValueOf(f).Elem()
		for j := range v.NumField() {
			require.False(t, v.Field(j).IsZero(), "%T.%s: the test does not show that it travels", f, v.Type().Field(j).Name)
		}
		got, err := wire.Decode(encode(f))
		require.NoError(t, err, "%T", f)
		require.Equal(t, f, got)
		got, err = wire.Decode(append(encode(f), "payload"...))
		require.NoError(t, err, "%T", f)
		require.Equal(t, f, got)
		for n := range wire.FrameSize {
			_, err := wire.Decode(encode(f)[:n])
			require.ErrorIs(t, err, wire.ErrMalformed, "%T, %d bytes", f, n)
		}
	}
}

// set returns a frame's bytes with a 16-bit word changed.
func set(f wire.Frame, at int, to uint16) []byte {
	b := encode(f)
	binary.NativeEndian.PutUint16(b[at:], to)
	return b
}

// TestDecodeRefuses what is no frame.
func TestDecodeRefuses(t *testing.T) {
	const version, kind, fields = 4, 6, 8 // where they are
	little := encode(&wire.Answer{Errno: 1})[fields+8] == 1
	negative := set(&wire.Answer{}, fields+8+2, 0x8000)
	if !little {
		negative = set(&wire.Answer{}, fields+8, 0x8000)
	}
	for name, b := range map[string][]byte{
		"nothing":          nil,
		"zeros":            make([]byte, wire.FrameSize),
		"magic":            set(new(wire.HelloHandles), 0, 1),
		"kind 0":           set(new(wire.HelloHandles), kind, 0),
		"kind beyond":      set(new(wire.HelloHandles), kind, uint16(wire.LastKind)+1),
		"most of all":      set(new(wire.HelloHandles), kind, math.MaxUint16),
		"negative errno":   negative,
		"no flag":          set(&wire.Register{}, fields+12, 0x0202),
		"after the fields": set(new(wire.HelloHandles), fields, 1),
		"at the very end":  set(&wire.Register{}, wire.FrameSize-2, 1),
	} {
		_, err := wire.Decode(b)
		require.ErrorIs(t, err, wire.ErrMalformed, name)
	}
	for _, v := range []uint16{0, wire.Version - 1, wire.Version + 1, math.MaxUint16} {
		b := set(new(wire.HelloHandles), version, v)
		for _, n := range []int{6, wire.FrameSize, len(b)} { // of any length
			_, err := wire.Decode(b[:n])
			require.Equal(t, wire.VersionError{Theirs: v}, err)
		}
	}
	err := wire.VersionError{Theirs: 7}
	require.ErrorContains(t, err, "version 7 ")
	require.ErrorContains(t, err, fmt.Sprint("version ", wire.Version))
}

// FuzzDecode decodes anything. A frame that is right is the same bytes again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, wire.FrameSize))
	for _, frame := range frames {
		f.Add(encode(frame))
	}
	f.Add(set(new(wire.HelloHandles), 4, wire.Version+1))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := wire.Decode(b)
		if err != nil {
			require.Nil(t, frame)
			return
		}
		require.Equal(t, b[:wire.FrameSize], encode(frame))
	})
}

// TestReplaces: of two revocations that a process has not been sent yet, which one
// is needless.
func TestReplaces(t *testing.T) {
	f := wire.Revoke{ID: 2, Dev: 1, Ino: 2, Secret: 3, Serial: 4, PID: 5}
	for name, tt := range map[string]struct {
		change func(*wire.Revoke)
		want   bool
	}{
		"the same":       {func(*wire.Revoke) {}, true},
		"an earlier one": {func(g *wire.Revoke) { g.ID = 1 }, true},
		"another device": {func(g *wire.Revoke) { g.Dev++ }, false},
		"another object": {func(g *wire.Revoke) { g.Ino++ }, false},
		"another secret": {func(g *wire.Revoke) { g.Secret++ }, false},
		"another serial": {func(g *wire.Revoke) { g.Serial++ }, false},
		"for another":    {func(g *wire.Revoke) { g.PID = -1 }, false},
	} {
		g := f
		tt.change(&g)
		require.Equal(t, tt.want, f.Replaces(&g), name)
	}
}
