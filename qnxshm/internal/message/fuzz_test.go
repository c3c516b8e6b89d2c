//go:build linux

package message_test

import (
	"encoding/binary"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/message"
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

// FuzzPieces unpacks anything: what comes out is inside of the reply buffer, or
// nothing does.
func FuzzPieces(f *testing.F) {
	numbers := func(n ...int64) (b []byte) {
		for _, v := range n {
			b = binary.NativeEndian.AppendUint64(b, uint64(v))
		}
		return b
	}
	f.Add([]byte{}, 8)
	f.Add(numbers(0), 8)
	f.Add(numbers(0, 8, 1), 8)
	f.Add(numbers(8, 8, 1), 8)
	f.Add(numbers(-1, 8, 1), 8)
	f.Add(numbers(0, -8, 1), 8)
	f.Add(numbers(math.MaxInt64, 8, 1), 8)
	f.Add(numbers(0, math.MaxInt64, 1), 8)
	f.Add(message.PackPieces([]int64{4, 0}, [][]byte{[]byte("more"), []byte("some")}), 8)
	f.Fuzz(func(t *testing.T, packed []byte, room int) {
		const most = 1 << 12
		if room < 0 || room > most {
			return
		}
		fd, err := message.PayloadFile(packed)
		require.NoError(t, err)
		defer unix.Close(fd)
		buf := slices.Repeat([]byte{0xee}, room+16)
		err = message.UnpackPieces(fd, buf[:room:room], int64(len(packed)))
		require.Equal(t, slices.Repeat([]byte{0xee}, 16), buf[room:], "written behind the buffer")
		want := slices.Repeat([]byte{0xee}, room)
		ok := true
		for b := packed; ok && len(b) > 0; {
			if ok = len(b) > 16; !ok {
				break
			}
			offset, length := int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))
			b = b[16:]
			if ok = offset >= 0 && length > 0 && length <= int64(len(b)) && offset <= int64(room) && length <= int64(room)-offset; ok {
				copy(want[offset:], b[:length])
				b = b[length:]
			}
		}
		require.Equal(t, ok, err == nil, "%v", err)
		if ok {
			require.Equal(t, want, buf[:room])
		}
		require.Error(t, message.UnpackPieces(fd, buf[:room], int64(len(packed))+1), "another size than the file has")
		require.Error(t, message.UnpackPieces(linux.NoFD, buf[:room], 0))
	})
}

// TestPieces packs pieces and unpacks them again; the later one counts.
func TestPieces(t *testing.T) {
	packed := message.PackPieces([]int64{4, 0, 6, 2}, [][]byte{[]byte("abcd"), []byte("xy"), nil, []byte("zzz")})
	fd, err := message.PayloadFile(packed)
	require.NoError(t, err)
	defer unix.Close(fd)
	buf := []byte("--------.")
	require.NoError(t, message.UnpackPieces(fd, buf[:8], int64(len(packed))))
	require.Equal(t, "xyzzzbcd.", string(buf))
	n, err := message.ReadPayload(fd, make([]byte, 10), int64(len(packed)))
	require.NoError(t, err)
	require.Equal(t, 10, n)
}
