package procnto

import (
	"bytes"
	"io/fs"
	"iter"
	"maps"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	// x/sys has the Linux calls that package syscall lacks: memfd_create,
	// pidfd_open, and raw access to sendmsg and recvmsg.
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// An objectKey identifies an object: the kernel numbers those in memory one after
// the other.
type objectKey struct{ dev, ino uint64 }

// A descriptor is what the host knows about a file descriptor of the process.
type descriptor struct {
	key     objectKey
	mode    uint32 // of the file
	access  int
	size    int64
	window  window
	tag     uint64 // of the window's open file description
	object  bool   // a shared-memory object that this module made or received
	creator creator
}

// objects knows the objects whose descriptors this module made or received.
// What the process does with the descriptors, such as closing and duplicating
// them, is not seen, so objects are known by inode, and windows by a tag that
// the kernel keeps with the open file description.
var objects objectRegistry

type objectRegistry struct {
	mu      sync.Mutex
	known   map[objectKey]*objectRecord
	entries int // objects and windows in known
	sweepAt int
}

// An objectRecord is what the process knows of an object.
type objectRecord struct {
	creator creator
	whole   bool              // the process has, or had, descriptors of all of it
	windows map[uint64]window // by tag; nil if there are none, so that no descriptor need be looked at
}

// windowOf returns the tag and the window of fd, zero if fd is of the whole
// object. A window that has lost its tag is nothing this process may use.
func (r *objectRecord) windowOf(fd int) (tag uint64, w window, err error) {
	if len(r.windows) > 0 {
		tag, w, err = windowOf(fd, r.windows)
	}
	if err == nil && tag == 0 && !r.whole {
		err = syscall.EBADF
	}
	return tag, w, err
}

// keep copies what from knows of fd and returns the number of windows that r did
// not know.
func (r *objectRecord) keep(from *objectRecord, fd int) (added int) {
	tag, w, err := from.windowOf(fd)
	found := map[uint64]window{tag: w}
	switch {
	case err == syscall.EMFILE || err == syscall.ENFILE: // not known: keep them all
		r.whole = r.whole || from.whole
		found = from.windows
	case err != nil:
		return 0
	case tag == 0:
		r.whole = true
		return 0
	}
	if r.windows == nil {
		r.windows = make(map[uint64]window)
	}
	known := len(r.windows)
	maps.Copy(r.windows, found)
	return len(r.windows) - known
}

// A creator is the process that called shm_open for an object; the zero creator is
// that of an object with a name, which nobody knows.
type creator struct {
	pid   int
	start uint64
}

func thisProcess() creator { return creator{self().pid, self().start} }

// describe finds out about fd, any number a user may have passed; its access
// mode only withAccess does.
func describe(fd int) (descriptor, error) {
	if fd < 0 || fd > math.MaxInt32 {
		return descriptor{}, syscall.EBADF
	}
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err != nil {
		return descriptor{}, err
	}
	d := descriptor{key: keyOf(&st), mode: st.Mode, size: st.Size}
	objects.mu.Lock()
	defer objects.mu.Unlock()
	rec := objects.known[d.key]
	if rec == nil {
		return d, nil
	}
	d.object, d.creator = true, rec.creator
	if d.tag, d.window, err = rec.windowOf(fd); err != nil {
		return descriptor{}, err
	}
	return d, nil
}

// revocable reports whether mappings made now can be taken away.
func (d descriptor) revocable() bool { return d.object && d.mode&revocableBit != 0 }

// withAccess adds the access mode of the descriptor fd. One that was opened
// with O_PATH gives none, and counts as not open.
func (d descriptor) withAccess(fd int) (descriptor, error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_PATH != 0 {
		err = syscall.EBADF
	}
	d.access = flags & unix.O_ACCMODE
	return d, err
}

// isMemory reports whether fd is of a file in memory, which alone has seals. Any
// other file might block whoever asks more of it.
func isMemory(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	return err == nil
}

func keyOf(st *unix.Stat_t) objectKey { return objectKey{uint64(st.Dev), st.Ino} }

// register makes the object of fd, which this process has opened, known.
func (o *objectRegistry) register(fd int, by creator) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	return o.add(keyOf(&st), fd, window{}, by)
}

// created reports whether this process is the creator of an object that it knows.
func (o *objectRegistry) created(key objectKey) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	rec := o.known[key]
	return rec != nil && rec.creator == thisProcess()
}

// add makes an object known, and fd a window of it if w is one.
func (o *objectRegistry) add(key objectKey, fd int, w window, by creator) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.entries >= o.sweepAt {
		o.sweep()
	}
	rec := o.known[key]
	if rec == nil {
		rec = &objectRecord{creator: by}
		if o.known == nil {
			o.known = make(map[objectKey]*objectRecord)
		}
		o.known[key] = rec
		o.entries++
	}
	if w.size == 0 {
		rec.whole = true
		return nil
	}
	tag, err := setWindowTag(fd)
	if err != nil {
		return err
	}
	if rec.windows == nil {
		rec.windows = make(map[uint64]window)
	}
	rec.windows[tag] = w
	o.entries++
	return nil
}

// sweep forgets what the process has no descriptor of any more. It runs when
// the registry has doubled, so its cost per registration is constant.
func (o *objectRegistry) sweep() {
	names, err := openFDs()
	if err != nil {
		o.sweepAt *= 2 // no descriptor left to look with: next time
		return
	}
	live := make(map[objectKey]*objectRecord)
	entries := 0
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		var st unix.Stat_t
		if err != nil || !isMemory(fd) || unix.Fstat(fd, &st) != nil {
			continue
		}
		key := keyOf(&st)
		rec := o.known[key]
		if rec == nil {
			continue
		}
		kept := live[key]
		if kept == nil {
			kept = &objectRecord{creator: rec.creator}
			live[key] = kept
			entries++
		}
		entries += kept.keep(rec, fd)
	}
	o.known, o.entries = live, entries
	o.sweepAt = max(1024, 2*entries)
}

// A window must stay one through dup, so it belongs to the open file
// description, which Linux lets nobody name. But a description can hold a lock
// on a byte range of its own (OFD lock), which goes with the last duplicate and
// can be read back: a lock on one byte far beyond any object is the tag.
const firstTag = 1 << 62

func setWindowTag(fd int) (tag uint64, err error) {
	const attempts = 16
	for range attempts {
		tag = firstTag | randomUint64()&(firstTag-1)>>1<<1 // even: locks never touch and merge
		lock := unix.Flock_t{Type: unix.F_RDLCK, Whence: unix.SEEK_SET, Start: int64(tag), Len: 1}
		err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
		if err == syscall.EBADF { // open for writing only
			lock.Type = unix.F_WRLCK
			err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
		}
		if err != syscall.EAGAIN { // somebody drew the same number
			return tag, err
		}
	}
	return 0, qnxerr.Cause{Errno: err.(syscall.Errno), Text: "the whole object is locked (fcntl), where the host marks the part"}
}

// windowOf returns the tag and the window of fd, zero if its open file
// description has no tag. A description can have several: when its object
// belongs to another user, it is passed on as it is, and tagged anew by each
// recipient. One that only others have tagged is nothing this process may use.
func windowOf(fd int, windows map[uint64]window) (tag uint64, w window, err error) {
	info, err := readFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, w, err
	}
	for tag := range windowTags(info) {
		if w, ok := windows[tag]; ok {
			return tag, w, nil
		}
		err = syscall.EBADF
	}
	return 0, w, err
}

// windowTags finds the tags in the content of a file of /proc/self/fdinfo:
//
//	lock:	1: OFDLCK ADVISORY  READ -1 00:01:1027 4611686018427387906 4611686018427387906
func windowTags(info []byte) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for line := range bytes.Lines(info) {
			fields := bytes.Fields(line)
			if len(fields) < 9 || string(fields[0]) != "lock:" || string(fields[2]) != "OFDLCK" || !bytes.Equal(fields[7], fields[8]) {
				continue
			}
			tag, err := strconv.ParseUint(string(fields[7]), 10, 64)
			if err == nil && tag >= firstTag && !yield(tag) {
				return
			}
		}
	}
}

// objectMode is the mode of anonymous objects: who may open which access is
// said by handles, and another user must not upgrade a read-only descriptor
// through /proc.
const objectMode = 0o644

const permittedOpenFlags = os.O_CREATE | os.O_EXCL | os.O_TRUNC | syscall.O_CLOEXEC

func openMode(flags int) (int, error) {
	mode := flags &^ permittedOpenFlags
	if mode != os.O_RDONLY && mode != os.O_RDWR {
		return 0, syscall.EINVAL
	}
	return mode, nil
}

// OpenAnonymous is shm_open with SHM_ANON.
func OpenAnonymous(flags int, _ fs.FileMode) (int, error) {
	mode, err := openMode(flags)
	if err != nil {
		return -1, err
	}
	fd, err := memfd("qnxshm")
	if err != nil {
		return -1, err
	}
	if err := unix.Fchmod(fd, objectMode); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if mode == os.O_RDONLY {
		readOnly, err := reopen(-1, fd, os.O_RDONLY)
		if err == nil {
			// The number must be the lowest free one, which memfd has.
			err = unix.Dup3(readOnly, fd, unix.O_CLOEXEC)
			unix.Close(readOnly)
		}
		if err != nil {
			unix.Close(fd)
			return -1, err
		}
	}
	if err := objects.register(fd, thisProcess()); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func memfd(name string) (fd int, err error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	err = ignoringEINTR(func() error {
		fd, err = unix.MemfdCreate(name, flags|unix.MFD_NOEXEC_SEAL)
		if err == syscall.EINVAL { // before Linux 6.3
			fd, err = unix.MemfdCreate(name, flags)
		}
		return err
	})
	return fd, err
}

// reopen makes a new open file description of fd's file. dir is of openFDDir, or
// -1.
func reopen(dir, fd, access int) (newFD int, err error) {
	path := strconv.Itoa(fd)
	if dir < 0 {
		path = "/proc/self/fd/" + path
	}
	err = ignoringEINTR(func() error {
		newFD, err = unix.Openat(dir, path, access|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return -1, err
	}
	return newFD, nil
}

func openFDDir() (int, error) {
	fd, err := unix.Open("/proc/self/fd", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == syscall.ENOENT {
		return -1, qnxerr.Cause{Errno: syscall.ENOSYS, Text: "the host needs /proc, which is not mounted"}
	}
	if err != nil {
		return -1, err
	}
	return moveHigh(fd)
}

// Named objects are files of this directory.
const objectDir = "/dev/shm/"

func objectPath(name string) (string, error) {
	name = strings.TrimPrefix(name, "/")
	switch {
	case name == "":
		return "", syscall.ENOENT
	case strings.IndexByte(name, 0) >= 0:
		return "", syscall.EINVAL
	case len(name) > unix.NAME_MAX:
		return "", syscall.ENAMETOOLONG
	case name == "." || name == ".." || strings.Contains(name, "/"):
		return "", syscall.ENOENT
	}
	return objectDir + name, nil
}

// OpenObject is shm_open with a name.
func OpenObject(name string, flags int, perm fs.FileMode) (int, error) {
	mode, err := openMode(flags)
	if err != nil {
		return -1, err
	}
	if mode == os.O_RDONLY {
		flags &^= os.O_TRUNC // has a meaning for writers only
	}
	path, err := objectPath(name)
	if err != nil {
		return -1, err
	}
	var fd int
	err = ignoringEINTR(func() error {
		// Not blocking: somebody may have put a FIFO there.
		fd, err = unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, uint32(perm.Perm()))
		return err
	})
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		return -1, syscall.EINVAL
	}
	if err := objects.register(fd, creator{}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// UnlinkObject is shm_unlink.
func UnlinkObject(name string) error {
	path, err := objectPath(name)
	if err != nil {
		return err
	}
	return unix.Unlink(path)
}
