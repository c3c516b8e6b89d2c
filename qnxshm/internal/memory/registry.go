//go:build linux

package memory

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// objects remembers objects and windows that this process has descriptors of.
// For whole objects it only saves time: they are recognised anew if need be. A
// window that it has forgotten is lost.
var objects registry

// firstSweep is how many entries are not worth a sweep.
const firstSweep = 1024

type registry struct {
	mu       sync.Mutex // held for bookkeeping only
	known    map[Key]*record
	entries  int // objects and windows in known
	sweepAt  int
	sweeping bool
	sweeps   uint32 // that have begun
}

// A record is what is known of an object.
type record struct {
	origin  Origin
	windows map[uint64]*knownWindow // by tag
	tagged  bool                    // there may be windows that only others know
	seen    uint32
}

// A knownWindow is a window that this process has, or had, a descriptor of.
type knownWindow struct {
	Window
	seen uint32 // the number of sweeps when somebody last saw it
}

// describe adds what is remembered of the object of d, and reports whether d is
// complete: else only the tags of its descriptor can tell.
func (o *registry) describe(d *Descriptor) (complete bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	rec := o.known[d.Key]
	if rec == nil {
		return false
	}
	rec.seen = o.sweeps
	d.Object, d.Origin = true, rec.origin
	return len(rec.windows) == 0 && !rec.tagged
}

// describeWindow makes d that one of the object's windows that has one of tags.
// If there is none, d's window is another process's.
func (o *registry) describeWindow(d *Descriptor, tags []uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	rec := o.known[d.Key]
	if rec == nil {
		return syscall.EBADF
	}
	for _, tag := range tags {
		if w := rec.windows[tag]; w != nil {
			w.seen = o.sweeps
			d.Tag, d.Window = tag, w.Window
			return nil
		}
	}
	return syscall.EBADF
}

// untagged is told that no description of an object has a tag: then nobody need
// look for one, until there is a window again.
func (o *registry) untagged(key Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if rec := o.known[key]; rec != nil && len(rec.windows) == 0 {
		rec.tagged = false
	}
}

// add makes an object known, and a window of it unless tag is 0. It reports whether
// a sweep is due, which the caller has to make then.
func (o *registry) add(key Key, by Origin, tagged bool, tag uint64, w Window) (sweep bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	rec := o.known[key]
	if rec == nil {
		rec = &record{origin: by, tagged: tagged}
		if o.known == nil {
			o.known = make(map[Key]*record)
		}
		o.known[key] = rec
		o.entries++
	}
	o.saw(rec, tag, w)
	sweep = !o.sweeping && o.entries >= max(o.sweepAt, firstSweep)
	if sweep {
		o.sweeping = true
		o.sweeps++
	}
	return sweep
}

// addKnown is add of an object that is known already, else false.
func (o *registry) addKnown(key Key, tag uint64, w Window) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	rec := o.known[key]
	if rec == nil || tag != 0 && o.entries >= max(o.sweepAt, firstSweep) {
		return false // or a sweep is due
	}
	o.saw(rec, tag, w)
	return true
}

// saw adds a window to an object, unless tag is 0. The lock is held.
func (o *registry) saw(rec *record, tag uint64, w Window) {
	rec.seen = o.sweeps
	if tag != 0 {
		if rec.windows == nil {
			rec.windows = make(map[uint64]*knownWindow)
		}
		rec.windows[tag] = &knownWindow{w, o.sweeps}
		o.entries++
	}
}

// sweep forgets what the process has no descriptor of any more. It runs when
// the registry has doubled, so its cost per registration is constant.
//
// Others go on meanwhile. Who duplicates a descriptor, and closes the first one,
// may have it pass by the search; so what was not seen is forgotten by the next
// sweep only, unless somebody sees it before.
func (o *registry) sweep(see func(fd int) error) {
	fds, err := linux.OpenFDs()
	for i := 0; i < len(fds) && err == nil; i++ {
		if linux.IsMemory(fds[i]) {
			err = see(fds[i])
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sweeping = false
	if err != nil {
		o.sweepAt = 2 * o.entries // no descriptor left to look with: next time
		return
	}
	seen := o.forget()
	o.sweepAt = o.entries + max(seen, firstSweep)
}

// forget drops what the last two sweeps have not seen, and returns how much the
// last one has.
func (o *registry) forget() (seen int) {
	last := o.sweeps
	for key, rec := range o.known {
		for tag, w := range rec.windows {
			if w.seen == last {
				seen++
				rec.seen = last
			} else if w.seen != last-1 {
				delete(rec.windows, tag)
				o.entries--
			}
		}
		if rec.seen == last {
			seen++
		} else if rec.seen != last-1 && len(rec.windows) == 0 {
			delete(o.known, key)
			o.entries--
		}
	}
	return seen
}

// recognise finds out whether fd is of an object that this process does not
// remember: one that it has inherited, or was sent.
func recognise(fd int, st *unix.Stat_t) (Origin, bool) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG || !linux.IsMemory(fd) {
		return Origin{}, false
	}
	link := linkOf(fd)
	if o, ok := originOfLink(link); ok {
		return o, true
	}
	var dir unix.Stat_t
	return Origin{}, isObjectLink(link) && unix.Stat(objectDir, &dir) == nil && dir.Dev == st.Dev
}
