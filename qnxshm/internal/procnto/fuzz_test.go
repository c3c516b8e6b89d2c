//go:build linux

package procnto_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// FuzzFrame decodes anything. A frame that is right means the same again after
// it was encoded.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, procnto.FrameSize))
	f.Add(aFrame(procnto.OpenRequest).Encode())
	f.Add(procnto.Frame{Kind: procnto.Message, A: math.MaxInt64, B: math.MinInt64, InFile: true}.Encode())
	f.Add(ofVersion(2, procnto.FrameSize))
	f.Add(ofVersion(0, procnto.FrameSize-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := procnto.DecodeFrame(b)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, len(b), procnto.FrameSize)
		require.NotZero(t, frame.Kind)
		require.LessOrEqual(t, frame.Kind, procnto.LastKind)
		require.GreaterOrEqual(t, frame.Errno, int32(0))
		again, err := procnto.DecodeFrame(frame.Encode())
		require.NoError(t, err)
		require.Equal(t, frame, again)
		const meaningful = 49
		require.Equal(t, b[:meaningful], frame.Encode()[:meaningful])
	})
}

// FuzzHandleTable does what the bytes say to a table and to a plain map.
func FuzzHandleTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 0, 2, 3})
	f.Add([]byte{0, 4, 0, 4, 0, 8, 3, 4, 0, 4, 2, 0})
	f.Add(bytes.Repeat([]byte{0, 9}, 40))
	f.Fuzz(func(t *testing.T, ops []byte) {
		const self = 4
		table := procnto.NewTable(self)
		model := make(map[uint64]int) // recipient by handle
		var made []uint64
		for i := 0; i+1 < len(ops); i += 2 {
			pid := int(ops[i+1])%8 + 1
			var some uint64
			if len(made) > 0 {
				some = made[int(ops[i+1])%len(made)]
			}
			switch ops[i] % 4 {
			case 0:
				// Bad luck: the same numbers again and again.
				draws := uint64(0)
				id := table.Add(pid, func() uint64 { draws++; return uint64(ops[i+1]%4) + draws/2 })
				require.NotContains(t, model, id)
				require.NotZero(t, id)
				require.NotEqual(t, uint64(math.MaxUint64), id)
				require.Equal(t, uint64(self), id>>42)
				model[id] = pid
				made = append(made, id)
			case 1:
				to, ok := model[some]
				require.Equal(t, ok && to == pid, table.Find(some, pid))
			case 2:
				table.Remove(some)
				delete(model, some)
			case 3:
				table.Exit(pid)
				for id, to := range model {
					if to == pid {
						delete(model, id)
					}
				}
			}
			foreign := 0
			byPID := make(map[int][]uint64)
			var all []uint64
			for id, to := range model {
				if to != self {
					foreign++
				}
				byPID[to] = append(byPID[to], id)
				all = append(all, id)
			}
			require.Equal(t, foreign, table.Foreign())
			slices.Sort(all)
			require.Equal(t, all, table.IDs())
			for pid := 1; pid <= 8; pid++ {
				ids, count := table.Of(pid)
				slices.Sort(byPID[pid])
				require.Equal(t, byPID[pid], ids)
				require.Len(t, ids, count)
			}
		}
	})
}

// FuzzWindowWithin asks for parts of windows: they lie inside, or are refused.
func FuzzWindowWithin(f *testing.F) {
	f.Add(int64(0), int64(0), int64(0), int64(4096), int64(8192))
	f.Add(int64(4096), int64(8192), int64(4096), int64(4096), int64(0))
	f.Add(int64(4096), int64(8192), int64(math.MaxInt64), int64(4096), int64(0))
	f.Add(int64(0), int64(0), int64(1), int64(math.MaxInt64), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, windowOffset, windowSize, offset, size, whole int64) {
		// Such windows exist; others are refused where they come in.
		if windowOffset < 0 || windowSize < 0 || whole < 0 || windowOffset > math.MaxInt64-windowSize || windowSize == 0 && windowOffset != 0 {
			return
		}
		gotOffset, gotSize, err := procnto.Within(windowOffset, windowSize, offset, size, whole)
		limit := windowSize
		if limit == 0 {
			limit = whole
		}
		inside := offset >= 0 && size > 0 && offset <= limit && size <= limit-offset
		require.Equal(t, inside, err == nil)
		if !inside {
			return
		}
		require.Equal(t, size, gotSize)
		require.Equal(t, windowOffset+offset, gotOffset)
		require.GreaterOrEqual(t, gotOffset, windowOffset)
		require.LessOrEqual(t, gotOffset+gotSize, windowOffset+limit)
	})
}

// FuzzWindowTags reads what the kernel could say about a descriptor.
func FuzzWindowTags(f *testing.F) {
	lock := func(kind string, start, end any) []byte {
		return fmt.Appendf(nil, "pos:\t0\nflags:\t02100000\nlock:\t1: %s ADVISORY  READ -1 00:01:1027 %v %v\n", kind, start, end)
	}
	tag := uint64(procnto.FirstTag + 2)
	f.Add([]byte("pos:\t0\nflags:\t02\n"))
	f.Add(lock("OFDLCK", tag, tag))
	f.Add(lock("POSIX", tag, tag))
	f.Add(lock("OFDLCK", tag, "EOF"))
	f.Add(lock("OFDLCK", 0, 0))
	f.Add(append(lock("OFDLCK", tag, tag), lock("OFDLCK", tag+2, tag+2)...))
	f.Fuzz(func(t *testing.T, info []byte) {
		for tag := range procnto.WindowTags(info) {
			require.GreaterOrEqual(t, tag, uint64(procnto.FirstTag))
			require.Contains(t, string(info), fmt.Sprint(tag))
		}
	})
}

// TestWindowTags reads the lines that FuzzWindowTags can say little about.
func TestWindowTags(t *testing.T) {
	tag := uint64(procnto.FirstTag + 2)
	info := fmt.Sprintf("pos:\t0\n"+
		"lock:\t1: OFDLCK ADVISORY  READ -1 00:01:1027 %[1]d %[1]d\n"+
		"lock:\t2: POSIX  ADVISORY  WRITE 77 00:01:1027 %[2]d %[2]d\n"+
		"lock:\t3: OFDLCK ADVISORY  WRITE -1 00:01:1027 %[3]d %[3]d\n"+
		"lock:\t4: OFDLCK ADVISORY  READ -1 00:01:1027 0 EOF\n", tag, tag+2, tag+4)
	require.Equal(t, []uint64{tag, tag + 4}, slices.Collect(procnto.WindowTags([]byte(info))))
}

// FuzzNames makes paths and socket names of names that a program may pass.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"", "/", "a", "/a", "a/b", "..", "a/../b", "a\x00b", "/..", ".", strings.Repeat("x", 300), strings.Repeat("ä", 128)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if path, err := procnto.ObjectPath(name); err == nil {
			require.Equal(t, "/dev/shm", filepath.Dir(path))
			require.Equal(t, path, filepath.Clean(path))
			require.NotContains(t, path, "\x00")
		}
		if procnto.CheckName(name) != nil {
			return
		}
		require.NotEmpty(t, name)
		require.NotEqual(t, '/', rune(name[0]))
		require.LessOrEqual(t, len(name), 255)
		require.NotContains(t, strings.Split(name, "/"), "..")
		socket := procnto.NameSocket(name)
		require.LessOrEqual(t, len(socket), 106)
		require.NotContains(t, socket, "\x00")
		require.NotEqual(t, socket, procnto.NameSocket(name+"x"))
		own, err := procnto.ProcessSocket(os.Getpid())
		require.NoError(t, err)
		require.NotEqual(t, own, socket)
	})
}
