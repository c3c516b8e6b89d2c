//go:build linux

package message

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapped is memory that is mapped, for which a user is to blame: a process can have
// some 65,000 mappings, and one user's processes must not take them all.
type mapped struct {
	mem   []byte
	uid   uint32
	parts int // that count
}

// maxOfUser is how many parts of memory other users' processes can make this one have,
// of each user.
const maxOfUser = 4096

// partsOfUsers counts them.
var partsOfUsers struct {
	mu sync.Mutex
	of map[uint32]int
}

// count counts one more part, if there may be one.
func (m *mapped) count() bool {
	if m.uid == 0 || m.uid == uint32(unix.Geteuid()) {
		return true
	}
	partsOfUsers.mu.Lock()
	defer partsOfUsers.mu.Unlock()
	if partsOfUsers.of[m.uid] >= maxOfUser {
		return false
	}
	if partsOfUsers.of == nil {
		partsOfUsers.of = make(map[uint32]int)
	}
	partsOfUsers.of[m.uid]++
	m.parts++
	return true
}

// release gives the memory back.
func (m *mapped) release() {
	unmap(m.mem)
	m.mem = nil
	if m.parts == 0 {
		return
	}
	partsOfUsers.mu.Lock()
	defer partsOfUsers.mu.Unlock()
	if partsOfUsers.of[m.uid] -= m.parts; partsOfUsers.of[m.uid] == 0 {
		delete(partsOfUsers.of, m.uid)
	}
	m.parts = 0
}

func unmap(mem []byte) {
	if len(mem) > 0 {
		unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem)))
	}
}
