//go:build linux

package message

import "github.com/go-qnx/shm/qnxshm/internal/linux"

// use lets a thread use memory and socket until leave, and reports whether the client is
// there. The channel's lock is held.
func (cl *client) use() bool {
	if cl.ended {
		return false
	}
	cl.users++
	return true
}

// leave ends a use. The last one, when the client has ended, gives all back.
func (cl *client) leave() {
	ch := cl.channel
	ch.mu.Lock()
	cl.users--
	last := cl.ended && cl.users == 0 && !cl.released
	cl.released = cl.released || last
	ch.mu.Unlock()
	if last {
		cl.release()
	}
}

// release is the end of a client that nobody uses any more. Closing the socket may
// last: that is left to others.
func (cl *client) release() {
	rcvids.remove(cl.slots)
	for _, sv := range cl.slots {
		if sv != nil {
			sv.coming.drop()
			sv.buffer.drop()
		}
	}
	if cl.local != nil {
		cl.releasedLocal()
		return
	}
	cl.coming.memory.release()
	for k := range cl.segments {
		cl.segments[k].release()
	}
	linux.Dispose(cl.packet.Blame, cl.fd)
	cl.conn.Leave()
}

func (cl *client) releasedLocal() {
	ch := cl.channel
	ch.mu.Lock()
	cl.unused = true
	left := cl.left
	ch.mu.Unlock()
	if left {
		cl.local.unmap()
	}
}
