//go:build qnx && cgo

package qnxmsg

import "sync"

// placeholders are the connections that keep the id of one that was closed while others
// used it (qnxmsg_connect_replace). They lead nowhere, and of their death, which is no
// news, a pulse goes to each channel that wants those.
var placeholders = deaths{of: make(map[int]map[int]int)}

type deaths struct {
	mu sync.Mutex
	of map[int]map[int]int // by chid of the channels, then by coid, how many pulses come
}

// listen begins with a channel that wants such pulses, and forget ends with it.
func (d *deaths) listen(chid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of[chid] = make(map[int]int)
}

func (d *deaths) forget(chid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.of, chid)
}

// add changes how many pulses come of coid.
func (d *deaths) add(coid, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, pulses := range d.of {
		pulses[coid] = max(0, pulses[coid]+n)
	}
}

// take reports whether a pulse is one of those. Which of two with the same coid comes
// first does not matter: they say the same.
func (d *deaths) take(chid, coid int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	pulses := d.of[chid]
	if pulses[coid] == 0 {
		return false
	}
	pulses[coid]--
	return true
}
