//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRevokeOfStopped: a process that is stopped delays whoever takes memory
// back from it once, however many buffers it has.
func TestRevokeOfStopped(t *testing.T) {
	creator, mapper := startChild(t), startChild(t)
	const buffers = 4
	var fds []int
	var maps []testproc.Value
	for range buffers {
		fd := creator.Do("object", 1, "revocable").Int()
		h := creator.Do("handle", fd, mapper.PID(), os.O_RDONLY, int(qnxshm.HandleNoFD))
		fds, maps = append(fds, fd), append(maps, mapper.Do("map", h, os.O_RDONLY, 1))
	}
	mapper.Stop()
	began := time.Now()
	for _, fd := range fds {
		testproc.WantErrno(t, syscall.EAGAIN, creator.Err("revoke", fd, -1))
	}
	took := time.Since(began)
	mapper.Continue()
	for _, m := range maps { // as soon as it runs again
		testproc.Eventually(t, testproc.Patience, func() bool { return mapper.Err("touch", m) != nil }, "still mapped")
	}
	require.Less(t, took, (buffers-1)*time.Second, "for %d buffers", buffers)
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
	fd := mapper.Do("open", creator.Do("handle", creator.Do("object", 1, "revocable"), mapper.PID(), os.O_RDONLY), os.O_RDONLY).Int()
	const mappings, atATime = 30_000, 100
	plain, revoke := mapper.Do("plainmap").Int(), mapper.Do("revokeoften").Int()
	var took trend
	mapper.Do("mapmany", fd, mappings, atATime, enough).Into(&took)
	first, last, made := int(took.First), int(took.Last), took.Times*atATime
	assertFlat(t, first/atATime, last/atATime, "to make a mapping, of %d", made)
	assertFlat(t, plain, mapper.Do("plainmap").Int(), "to map and unmap another object, with %d mappings", made)
	assertFlat(t, revoke, mapper.Do("revokeoften").Int(), "to revoke another object, with %d mappings", made)
}

func toInt(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// TestManyHandles: of other objects than the one that is revoked.
func TestManyHandles(t *testing.T) {
	testproc.TakesLong(t, "hundreds of thousands of handles")
	creator := startChild(t)
	fd := creator.Do("object", 1).Int()
	const handles, atATime = 300_000, 30_000 // the machine may be slow
	before := creator.Do("revokeoften").Int()
	for range handles / atATime {
		creator.Do("manyhandles", fd, atATime)
	}
	assertFlat(t, before, creator.Do("revokeoften").Int(), "to revoke an object, with %d unused handles of another one", handles)
}
