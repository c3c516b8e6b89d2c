//go:build linux

package memory

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// An Origin says which process created an anonymous object, and proves that who
// shows it has, or had, the object. The zero Origin is that of an object with a
// name, which nobody knows.
type Origin struct {
	PID    int32
	Serial uint32
	// Secret is a MAC of Serial with a key of the creating process: nobody else
	// can guess it, and the creator needs to remember nothing.
	Secret uint64
}

var (
	ownPID  = sync.OnceValue(func() int32 { return int32(os.Getpid()) })
	ownKey  = sync.OnceValue(linux.Seed)
	serials atomic.Uint32
)

// newOrigin returns the origin of a new object of this process.
func newOrigin() Origin {
	serial := serials.Add(1)
	return Origin{ownPID(), serial, secretOf(serial)}
}

func secretOf(serial uint32) uint64 {
	key := ownKey()
	sum := sha256.Sum256(binary.NativeEndian.AppendUint32(key[:], serial))
	return binary.NativeEndian.Uint64(sum[:])
}

// Own reports whether this process created the object.
func (o Origin) Own() bool { return o.Known() && o.PID == ownPID() && o.Secret == secretOf(o.Serial) }

// Known reports whether there is a process that created the object.
func (o Origin) Known() bool { return o != Origin{} }

// name is that of the memfd. With it the origin travels with every descriptor:
// who holds one reads it from the link in /proc, other users cannot.
func (o Origin) name() string {
	return fmt.Sprintf("%s%d.%d:%016x", namePrefix, o.PID, o.Serial, o.Secret)
}

const namePrefix = "qnxshm:"

// originOfLink returns the origin that the link of a memfd tells.
func originOfLink(link string) (o Origin, ok bool) {
	name, memfd := strings.CutPrefix(link, "/memfd:")
	name, deleted := strings.CutSuffix(name, " (deleted)")
	process, secret, ok := strings.Cut(strings.TrimPrefix(name, namePrefix), ":")
	pid, serial, dotted := strings.Cut(process, ".")
	if !memfd || !deleted || !ok || !dotted {
		return Origin{}, false
	}
	p, _ := strconv.ParseUint(pid, 10, 31)
	n, _ := strconv.ParseUint(serial, 10, 32)
	s, _ := strconv.ParseUint(secret, 16, 64)
	o = Origin{int32(p), uint32(n), s}
	if p == 0 || p > linux.MaxPID || o.name() != name {
		return Origin{}, false
	}
	return o, true
}

// linkOf returns what /proc says that fd is. Nobody is asked for that, whatever
// fd may be.
func linkOf(fd int) string {
	var buf [len(objectDir) + unix.NAME_MAX + len(" (deleted)") + 1]byte
	n, err := unix.Readlink(linux.OwnProc+"fd/"+strconv.Itoa(fd), buf[:])
	if err != nil || n == len(buf) {
		return ""
	}
	return string(buf[:n])
}

// A Key identifies an object: the kernel numbers those in memory one after the
// other.
type Key struct{ Dev, Ino uint64 }

func keyOf(st *unix.Stat_t) Key { return Key{uint64(st.Dev), uint64(st.Ino)} }

// Named objects are files of this directory.
const objectDir = "/dev/shm/"

// isObjectLink reports whether what /proc says of a descriptor is that of a named
// object, which may have lost its name.
func isObjectLink(link string) bool {
	name, ok := strings.CutPrefix(link, objectDir)
	return ok && name != "" && !strings.Contains(name, "/")
}

// OriginOf returns the origin that the name of an anonymous object tells. fd need
// not be known; it is of memory.
func OriginOf(fd int) (Origin, bool) { return originOfLink(linkOf(fd)) }
