//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

// TestRevokeOfStopped: a process that is stopped delays whoever takes memory
// back from it once, however many buffers it has.
func TestRevokeOfStopped(t *testing.T) {
	creator, mapper := startChild(t), startChild(t)
	const buffers = 4
	var fds []int
	var maps []string
	for range buffers {
		fd := creator.number("object", 1, "revocable")
		h := creator.do("handle", fd, mapper.pid, os.O_RDONLY, nto.HandleNoFD)[0]
		fds, maps = append(fds, fd), append(maps, mapper.do("map", h, os.O_RDONLY, 1)[0])
	}
	mapper.stop()
	began := time.Now()
	for _, fd := range fds {
		r := creator.try("revoke", fd, -1)
		require.Equal(t, syscall.EAGAIN, r.errno, "%s", r)
	}
	took := time.Since(began)
	mapper.resume()
	for _, m := range maps { // as soon as it runs again
		eventually(t, patience, func() bool { return mapper.try("touch", m).errno != 0 }, "still mapped")
	}
	require.Less(t, took, 2*time.Second, "for %d buffers", buffers)
}

// flat is how many times longer something may take when there is much of what it
// is not about: room for caches and noise.
const flat = 5

func assertFlat(t *testing.T, before, after int, text string, args ...any) {
	t.Helper()
	const noise = 5 * time.Microsecond
	before = max(before, int(noise))
	assert.LessOrEqual(t, float64(after)/float64(before), float64(flat), "%v before, %v after: %s",
		time.Duration(before), time.Duration(after), fmt.Sprintf(text, args...))
}

// enough is how long a test goes on when what it does takes too long.
const enough = 8 * time.Second

// TestManyMappings: of one object, in the process that has them.
func TestManyMappings(t *testing.T) {
	creator, mapper := startChild(t), startChild(t)
	fd := mapper.number("open", creator.do("handle", creator.number("object", 1, "revocable"), mapper.pid, os.O_RDONLY)[0], os.O_RDONLY)
	const mappings, atATime = 30_000, 100
	plain, revoke := mapper.number("plainmap"), mapper.number("revokeoften")
	took := mapper.do("mapmany", fd, mappings, atATime, enough.Milliseconds())
	first, last := toInt(t, took[0]), toInt(t, took[1])
	made := toInt(t, took[2]) * atATime
	assertFlat(t, first/atATime, last/atATime, "to make a mapping, of %d", made)
	assertFlat(t, plain, mapper.number("plainmap"), "to map and unmap another object, with %d mappings", made)
	assertFlat(t, revoke, mapper.number("revokeoften"), "to revoke another object, with %d mappings", made)
}

func toInt(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// TestManyHandles: of other objects than the one that is revoked.
func TestManyHandles(t *testing.T) {
	creator := startChild(t)
	fd := creator.number("object", 1)
	const handles, atATime = 300_000, 30_000 // the machine may be slow
	before := creator.number("revokeoften")
	for range handles / atATime {
		creator.do("manyhandles", fd, atATime)
	}
	assertFlat(t, before, creator.number("revokeoften"), "to revoke an object, with %d unused handles of another one", handles)
}
