//go:build linux

package memory_test

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// A model is what a Table has to know, page by page.
type model map[uintptr]modelPage

type modelPage struct {
	object  uint64
	revoked bool
}

func newTable(t testing.TB, pages int) *memory.Table {
	t.Helper()
	table, end, err := memory.NewTable(pages)
	require.NoError(t, err)
	t.Cleanup(end)
	return table
}

// pagesOf are the pages that a table knows.
func pagesOf(t *testing.T, ranges []memory.Range) model {
	t.Helper()
	m := make(model)
	var end uintptr
	for _, r := range ranges {
		require.Less(t, r.Start, r.End)
		require.GreaterOrEqual(t, r.Start, end, "not in order")
		end = r.End
		for p := r.Start; p < r.End; p += uintptr(page) {
			m[p] = modelPage{r.Object, r.Revoked}
		}
	}
	return m
}

// FuzzMappings does what the bytes say to a table and to a model of it.
func FuzzMappings(f *testing.F) {
	f.Add([]byte{0, 0, 4, 1, 1, 1, 2, 0, 0})
	f.Add([]byte{0, 0, 8, 0, 2, 2, 2, 2, 0, 1, 3, 1, 0, 0, 8})
	f.Add(slices.Repeat([]byte{0, 9, 3, 16, 11, 1, 0, 200, 2, 1, 4, 250}, 12))
	f.Fuzz(func(t *testing.T, ops []byte) {
		table := newTable(t, 256+16)
		base := table.Base()
		m := make(model)
		for ; len(ops) >= 3; ops = ops[3:] {
			object := uint64(ops[0]/4%4) + 1
			start, n := base+uintptr(ops[1])*uintptr(page), uintptr(ops[2]%16+1)
			// Lengths need not be of whole pages.
			length := uint64(n)*uint64(page) - uint64(ops[2]/16)
			switch ops[0] % 4 {
			case 0:
				table.Add(object, start, length)
				for i := range n {
					m[start+i*uintptr(page)] = modelPage{object: object}
				}
			case 1:
				table.Forget(start, length)
				for i := range n {
					delete(m, start+i*uintptr(page))
				}
			case 2:
				table.Revoke(object)
				for p, is := range m {
					if is.object == object {
						m[p] = modelPage{revoked: true}
					}
				}
			case 3:
				known, revoked := false, false
				for i := range n {
					is, ok := m[start+i*uintptr(page)]
					known, revoked = known || ok, revoked || is.revoked
				}
				require.Equal(t, known, table.Known(start, start+uintptr(length)))
				require.Equal(t, revoked, table.HasRevoked(start, start+uintptr(length)))
			}
			all := table.Ranges()
			require.Equal(t, m, pagesOf(t, all))
			// What an object lists is what of it can be taken away.
			alive := slices.DeleteFunc(all, func(r memory.Range) bool { return r.Revoked })
			listed := table.Listed()
			slices.SortFunc(listed, func(a, b memory.Range) int { return cmp.Compare(a.Start, b.Start) })
			require.Equal(t, len(alive), len(listed))
			for i := range alive {
				require.Equal(t, alive[i], listed[i])
			}
		}
	})
}

// TestTableIsFlat: in whatever order mappings come, the way to one is short.
func TestTableIsFlat(t *testing.T) {
	const n = 60_000
	for _, c := range []struct {
		order string
		at    func(i int) int
	}{
		{"upwards", func(i int) int { return i }},
		{"downwards", func(i int) int { return n - i }},
		{"across", func(i int) int { return i * 7919 % n }},
	} {
		table := newTable(t, n+1)
		for i := range n {
			table.Add(uint64(i%100), table.Base()+uintptr(c.at(i))*uintptr(page), uint64(page))
		}
		require.Less(t, table.Depth(), 80, c.order) // a perfect tree has 16
	}
}

// TestManyMappings: mappings and revocations of one object do not see those of
// others.
func TestManyMappings(t *testing.T) {
	const n = 2000
	before := memory.MappedRanges()
	var objects []memory.Descriptor
	for range 2 {
		fd := newRevocable(t, 1)
		defer unix.Close(fd)
		objects = append(objects, describe(t, fd))
	}
	addresses := make([]unsafe.Pointer, n)
	for i := range addresses {
		p, err := objects[i%2].Map(nil, uint64(page), nto.ProtRead, nto.MapShared, 0)
		require.NoError(t, err)
		addresses[i] = p
	}
	require.Equal(t, before+n, memory.MappedRanges())
	require.True(t, memory.Revoke(objects[0].Key, objects[0].Origin))
	require.False(t, memory.Mapped(objects[0].Key, objects[0].Origin))
	require.True(t, memory.Mapped(objects[1].Key, objects[1].Origin))
	for i, p := range addresses {
		require.Equal(t, i%2 == 0, memory.Revoked(p))
		require.NoError(t, memory.Munmap(p, uint64(page)))
	}
	require.False(t, memory.Mapped(objects[1].Key, objects[1].Origin))
	require.Equal(t, before, memory.MappedRanges())
}

// BenchmarkMappings is what a mapping and its end cost with so many others around:
// the bookkeeping of a revocable one alone, and all of a plain one.
func BenchmarkMappings(b *testing.B) {
	for _, c := range []struct {
		name string
		n    int
	}{{"0", 0}, {"60000", 60_000}} {
		b.Run("table/"+c.name, func(b *testing.B) {
			table := newTable(b, c.n+1000)
			for i := range c.n {
				table.Add(uint64(i), table.Base()+uintptr(i)*uintptr(page), uint64(page))
			}
			i := 0
			for b.Loop() {
				i++
				start := table.Base() + uintptr(c.n+i%1000)*uintptr(page)
				table.Add(uint64(i%1000), start, uint64(page))
				table.Forget(start, uint64(page))
			}
		})
		b.Run("plain/"+c.name, func(b *testing.B) {
			// The kernel joins mappings that are neighbours, so every second page.
			fd := newRevocable(b, 2*c.n+2)
			defer unix.Close(fd)
			d := describe(b, fd)
			all, err := d.Map(nil, uint64(2*c.n+2)*uint64(page), nto.ProtRead, nto.MapShared, 0)
			require.NoError(b, err)
			for i := range c.n {
				require.NoError(b, memory.Munmap(unsafe.Add(all, int64(2*i)*page), uint64(page)))
			}
			defer memory.Munmap(all, uint64(2*c.n+2)*uint64(page))
			plain := describe(b, newObject(b, 1, ""))
			defer unix.Close(plain.FD)
			for b.Loop() {
				p, err := plain.Map(nil, uint64(page), nto.ProtRead, nto.MapShared, 0)
				if err == nil {
					err = memory.Munmap(p, uint64(page))
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// touch reads from memory. It returns EFAULT where there is none.
func touch(p unsafe.Pointer) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = syscall.EFAULT
		}
	}()
	sink.Store(uint32(*(*byte)(p)))
	return nil
}

var sink atomic.Uint32

// TestRevokeOfParts: the kernel unmaps whole pages, whatever the length says.
func TestRevokeOfParts(t *testing.T) {
	fd := newRevocable(t, 4)
	defer unix.Close(fd)
	p, d, err := memory.Mmap(nil, uint64(4*page-5), nto.ProtRead, nto.MapShared, fd, 0)
	require.NoError(t, err)
	at := func(i int64) unsafe.Pointer { return unsafe.Add(p, i*page) }
	require.NoError(t, memory.Munmap(p, 1))
	require.NoError(t, memory.Munmap(at(2), uint64(page-1)))
	// What comes there is nobody's to take away.
	own, _, err := memory.Mmap(p, uint64(page), nto.ProtRead|nto.ProtWrite, nto.MapPrivate|nto.MapAnon|nto.MapFixed, nto.NoFD, 0)
	require.NoError(t, err)
	require.Equal(t, p, own)
	require.True(t, memory.Revoke(d.Key, d.Origin))
	*(*byte)(p) = 1
	for i, revoked := range []bool{false, true, false, true} {
		require.Equal(t, revoked, memory.Revoked(at(int64(i))), i)
	}
	testproc.WantErrno(t, syscall.EACCES, memory.Mprotect(p, uint64(4*page), nto.ProtRead))
	require.NoError(t, memory.Mprotect(p, uint64(page), nto.ProtRead))
	require.NoError(t, memory.Munmap(p, uint64(4*page)))
	require.False(t, memory.Revoked(at(1)))
}

// TestMapFixed: what is mapped over a mapping takes its place in the table, too.
func TestMapFixed(t *testing.T) {
	one, two := newRevocable(t, 3), newRevocable(t, 3)
	defer unix.Close(one)
	defer unix.Close(two)
	p, a, err := memory.Mmap(nil, uint64(3*page), nto.ProtRead, nto.MapShared, one, 0)
	require.NoError(t, err)
	middle := unsafe.Add(p, page)
	_, b, err := memory.Mmap(middle, uint64(page), nto.ProtRead, nto.MapShared|nto.MapFixed, two, 0)
	require.NoError(t, err)
	require.True(t, memory.Revoke(a.Key, a.Origin))
	require.ErrorIs(t, touch(p), syscall.EFAULT)
	require.NoError(t, touch(middle))
	require.ErrorIs(t, touch(unsafe.Add(p, 2*page)), syscall.EFAULT)
	require.True(t, memory.Revoke(b.Key, b.Origin))
	require.ErrorIs(t, touch(middle), syscall.EFAULT)
	require.NoError(t, memory.Munmap(p, uint64(3*page)))
	require.False(t, memory.Revoked(middle))
}

// TestProtectWhileRevoked: whoever has checked that memory is there must not make
// it accessible after it was taken away.
func TestProtectWhileRevoked(t *testing.T) {
	fd := newRevocable(t, 1)
	defer unix.Close(fd)
	d := describe(t, fd)
	for range 1000 {
		p, err := d.Map(nil, uint64(page), nto.ProtRead, nto.MapShared, 0)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 2 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 1_000_000 {
					if memory.Mprotect(p, uint64(page), nto.ProtRead) != nil {
						return
					}
					runtime.Gosched()
				}
				t.Error("it is never refused")
			}()
		}
		require.True(t, memory.Revoke(d.Key, d.Origin))
		err = touch(p)
		wg.Wait()
		require.ErrorIs(t, err, syscall.EFAULT)
		require.ErrorIs(t, touch(p), syscall.EFAULT)
		require.NoError(t, memory.Munmap(p, uint64(page)))
	}
}

// TestUnmapWhileRevoked: a revocation replaces only what is still the object's.
// In the place of what is unmapped meanwhile there may be something else.
func TestUnmapWhileRevoked(t *testing.T) {
	fd := newRevocable(t, 1)
	defer unix.Close(fd)
	d := describe(t, fd)
	plain := describe(t, newObject(t, 1, "A"))
	defer unix.Close(plain.FD)
	before := memory.MappedRanges()
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case <-done:
				return
			default:
				memory.Revoke(d.Key, d.Origin)
			}
		}
	}()
	var mappers sync.WaitGroup
	for range 3 {
		mappers.Add(1)
		go func() {
			defer mappers.Done()
			for range 500 {
				p, err := d.Map(nil, uint64(page), nto.ProtRead, nto.MapShared, 0)
				if err == nil {
					err = memory.Munmap(p, uint64(page))
				}
				if err != nil {
					t.Error(err)
				}
				p, err = plain.Map(nil, uint64(page), nto.ProtRead, nto.MapShared, 0)
				if err == nil {
					if err = touch(p); err == nil {
						err = memory.Munmap(p, uint64(page))
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	mappers.Wait()
	close(done)
	wg.Wait()
	require.Equal(t, before, memory.MappedRanges())
}

// TestStaleMappings: memory that was unmapped past this module is forgotten when
// something else of this module's is there.
func TestStaleMappings(t *testing.T) {
	one, two := newRevocable(t, 1), newRevocable(t, 1)
	defer unix.Close(one)
	defer unix.Close(two)
	p, a, err := memory.Mmap(nil, uint64(page), nto.ProtRead, nto.MapShared, one, 0)
	require.NoError(t, err)
	// Other threads must not take the place: it stays mapped.
	_, err = unix.MmapPtr(-1, 0, p, uintptr(page), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED)
	require.NoError(t, err)
	q, b, err := memory.Mmap(p, uint64(page), nto.ProtRead, nto.MapShared|nto.MapFixed, two, 0)
	require.NoError(t, err)
	require.Equal(t, p, q)
	require.True(t, memory.Revoke(a.Key, a.Origin))
	require.NoError(t, touch(q))
	require.True(t, memory.Revoke(b.Key, b.Origin))
	require.NoError(t, memory.Munmap(q, uint64(page)))
}

// TestMapArguments: each is refused with its errno.
func TestMapArguments(t *testing.T) {
	fd := newObject(t, 1, "")
	defer unix.Close(fd)
	length := uint64(page)
	for _, c := range []struct {
		want        syscall.Errno
		length      uint64
		prot, flags uint32
		fd          int
		offset      int64
	}{
		{syscall.EINVAL, 0, nto.ProtRead, nto.MapShared, fd, 0},
		{syscall.EINVAL, length, 1, nto.MapShared, fd, 0},
		{syscall.EINVAL, length, nto.ProtRead, 0, fd, 0},
		{syscall.EINVAL, length, nto.ProtRead, nto.MapType, fd, 0},
		{syscall.EINVAL, length, nto.ProtRead, nto.MapShared | nto.MapHandle, fd, 0},
		{syscall.EINVAL, length, nto.ProtRead, nto.MapShared, fd, 1},
		{syscall.EINVAL, length, nto.ProtRead, nto.MapShared, fd, -page},
		{syscall.EINVAL, length, nto.ProtRead, nto.MapShared | nto.MapAnon, fd, 0},
		{syscall.ENOSYS, length, nto.ProtRead, nto.MapShared | nto.MapPhys, fd, 0},
		{syscall.ENOMEM, 1 << 63, nto.ProtRead, nto.MapShared, fd, 0},
		{syscall.EBADF, length, nto.ProtRead, nto.MapShared, nto.NoFD, 0},
	} {
		_, _, err := memory.Mmap(nil, c.length, c.prot, c.flags, c.fd, c.offset)
		testproc.WantErrno(t, c.want, err, c)
	}
	testproc.WantErrno(t, syscall.EINVAL, memory.Munmap(nil, 0))
	testproc.WantErrno(t, syscall.EINVAL, memory.Munmap(nil, 1<<63))
	testproc.WantErrno(t, syscall.EINVAL, memory.Mprotect(nil, length, 1))
	testproc.WantErrno(t, syscall.ENOMEM, memory.Mprotect(nil, 1<<63, nto.ProtRead))
	for _, c := range []struct {
		access int
		length int64
		want   syscall.Errno
	}{{os.O_RDONLY, 0, syscall.EINVAL}, {os.O_WRONLY, 1, syscall.EINVAL}, {os.O_RDWR, -1, syscall.EINVAL}, {os.O_RDWR, 1, 0}} {
		_, err := memory.ProtOf(c.access, c.length)
		testproc.WantErrno(t, c.want, err, c)
	}
}

// TestNotForked: like a target, the host does not let a forked child have what
// can be taken away.
func TestNotForked(t *testing.T) {
	fd := newRevocable(t, 1)
	defer unix.Close(fd)
	d := describe(t, fd)
	p, err := memory.MapReceived(nil, uint64(page), nto.ProtRead, nto.MapShared, fd, 0, d.Key, memory.Window{}, d.Origin, true)
	require.NoError(t, err)
	b := unsafe.Slice((*byte)(p), page)
	require.True(t, doNotFork(t, p))
	require.True(t, memory.Mapped(d.Key, d.Origin))
	require.NoError(t, memory.Unmap(b))
	require.False(t, memory.Mapped(d.Key, d.Origin))
}

// doNotFork reports whether a forked child would not have the memory at p.
func doNotFork(t *testing.T, p unsafe.Pointer) bool {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	inside := false
	for line := range strings.Lines(string(smaps)) {
		var start, end uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &start, &end); n == 2 {
			inside = start <= uintptr(p) && uintptr(p) < end
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && inside {
			return slices.Contains(strings.Fields(flags), "dc")
		}
	}
	return false
}
