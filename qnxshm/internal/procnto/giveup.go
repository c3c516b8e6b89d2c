//go:build linux

package procnto

import "github.com/go-qnx/shm/qnxshm/internal/memory"

// revokeHere destroys unused handles that this process made of an object for pid,
// or with -1 any, and gives up what it has of the object itself, if pid is its own
// or -1. It reports whether nothing is left.
//
// Handles go first: whoever has used one up by then has a mapping.
func revokeHere(key memory.Key, by memory.Origin, pid int) (all bool) {
	revokeHandles(key, by, pid)
	if pid == -1 || pid == self().pid {
		return memory.Revoke(key, by)
	}
	return true
}

func revokeHandles(key memory.Key, by memory.Origin, pid int) {
	tables.lock()
	defer tables.unlock()
	o := handles.objects[key]
	if o == nil || o.origin != by {
		return
	}
	for a := o.first; a != nil; {
		a.refs++ // while its list is walked
		for h := a.first; h != nil; {
			next := h.ofAnchor.next
			switch {
			case pid != -1 && h.recipient.pid != pid:
			case h.transit != nil || h.doomed: // or being used by its maker
				h.revoked, h.doomed = true, true
			default:
				destroy(h)
			}
			h = next
		}
		done := a
		a = a.next
		releaseAnchor(done)
	}
}
