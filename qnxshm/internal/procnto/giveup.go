//go:build linux

package procnto

import "github.com/go-qnx/shm/qnxshm/internal/memory"

// revokeHere gives up what this process has of an object, if pid is its own or -1,
// and destroys unused handles that it made of it for pid, or any. It reports whether
// nothing is left.
func revokeHere(key memory.Key, by memory.Origin, pid int) (all bool) {
	all = true
	if pid == -1 || pid == self().pid {
		all = memory.Revoke(key, by)
	}
	tables.lock()
	defer tables.unlock()
	o := handles.objects[key]
	if o == nil || o.origin != by {
		return all
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
	return all
}
