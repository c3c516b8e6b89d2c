//go:build linux

package message_test

import (
	"math"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// FuzzNames makes socket names of names that a program may pass.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"", "/", "a", "/a", "a/b", "..", "a/../b", "a\x00b", "/..", ".", strings.Repeat("x", 300), strings.Repeat("ä", 128)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if message.CheckName(name) != nil {
			return
		}
		require.NotEmpty(t, name)
		require.NotEqual(t, '/', rune(name[0]))
		require.LessOrEqual(t, len(name), 255)
		require.NotContains(t, strings.Split(name, "/"), "..")
		socket := message.NameSocket(name)
		require.LessOrEqual(t, len(socket), 106)
		require.NotContains(t, socket, "\x00")
		require.NotEqual(t, socket, message.NameSocket(name+"x"))
		require.False(t, strings.HasPrefix(socket, processSocket(os.Getpid())))
	})
}

// FuzzPieces adds pieces to those that a reply has: they are what was added, in order,
// and do not touch.
func FuzzPieces(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 8})
	f.Add([]byte{4, 4, 0, 4})
	f.Add([]byte{4, 4, 0, 3, 20, 0, 9, 30, 9, 1})
	f.Fuzz(func(t *testing.T, list []byte) {
		var added [][2]int64
		want := make([]bool, 2*math.MaxUint8+1)
		for ; len(list) >= 2; list = list[2:] {
			offset, length := int64(list[0]), int64(list[1])
			added = append(added, [2]int64{offset, length})
			for i := range length {
				want[offset+i] = true
			}
		}
		pieces, err := message.Pieces(added)
		require.NoError(t, err)
		got := make([]bool, len(want))
		end := int64(-1)
		for _, p := range pieces {
			require.Greater(t, p[0], end, "pieces that touch, or are in no order: %v", pieces)
			end = p[0] + p[1]
			for i := p[0]; i < end; i++ {
				got[i] = true
			}
		}
		require.Equal(t, want, got)
	})
}

// TestTooManyPieces: there is room for so many.
func TestTooManyPieces(t *testing.T) {
	var added [][2]int64
	for i := range int64(message.MaxPieces) {
		added = append(added, [2]int64{2 * i, 1})
	}
	pieces, err := message.Pieces(added)
	require.NoError(t, err)
	require.Equal(t, added, pieces)
	pieces, err = message.Pieces(append(added, [2]int64{2 * message.MaxPieces, 1}))
	testproc.WantErrno(t, syscall.EAGAIN, err)
	require.Equal(t, added, pieces, "those before are still there")
	pieces, err = message.Pieces(append(added, [2]int64{0, 2 * message.MaxPieces}))
	require.NoError(t, err)
	require.Equal(t, [][2]int64{{0, 2 * message.MaxPieces}}, pieces)
}
