//go:build linux

package message

import (
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A reply is what a server does for a message that it has received last of a thread.
type answering struct {
	*served
	generation uint32
	message    message
	info       Received
	buffer     *buffer
}

// promptly is how soon a reply comes before which the client's process could not have
// been seen to end.
const promptly = 50 * time.Microsecond

// answeringOf returns what rcvid means, in use until end; ESRCH if nobody waits for it.
func answeringOf(rcvid int64) (answering, error) {
	sv := rcvids.get(rcvid)
	if sv == nil {
		return answering{}, syscall.ESRCH
	}
	cl := sv.client
	ch := cl.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !sv.slotWaits() || cl.conn != nil && time.Since(sv.received) > promptly && cl.conn.PeerExited() {
		return answering{}, syscall.ESRCH
	}
	cl.users++
	sv.buffer.use()
	a := answering{served: sv, generation: sv.generation, info: sv.info, buffer: sv.buffer}
	a.message = message{length: sv.info.SrcMsgLen, room: sv.info.DstMsgLen, slot: sv.slot}
	if sv.buffer != nil {
		a.message.mem = sv.buffer.mem
	}
	return a, nil
}

func (a *answering) end() {
	a.buffer.drop()
	a.client.leave()
}

// MsgInfo is MsgInfo, with the chid.
func MsgInfo(rcvid int64) (info Received, chid int, err error) {
	a, err := answeringOf(rcvid)
	if err != nil {
		return Received{}, 0, err
	}
	defer a.end()
	return a.info, a.client.channel.chid, nil
}

// MsgRead is MsgRead: it copies from offset of the client's message.
func MsgRead(rcvid int64, parts [][]byte, offset int64) (n int, err error) {
	a, err := answeringOf(rcvid)
	if err != nil {
		return 0, err
	}
	defer a.end()
	if offset < 0 || offset >= a.message.length {
		return 0, nil
	}
	if n, err = Scatter(parts, a.message.request()[offset:]); err != nil {
		return 0, qnxerr.ESRVRFAULT
	}
	if !a.slot.waits(a.generation) { // what was read may be of another message
		return 0, syscall.ESRCH
	}
	return n, nil
}

// MsgWrite is MsgWrite: it copies to offset of the client's reply buffer, where
// the client finds it when it is replied to.
func MsgWrite(rcvid int64, parts [][]byte, offset int64) (n int, err error) {
	a, err := answeringOf(rcvid)
	if err != nil {
		return 0, err
	}
	defer a.end()
	if offset < 0 || offset >= a.message.room {
		return 0, nil
	}
	a.writers.Lock()
	defer a.writers.Unlock()
	if !a.slot.beginWriting(a.generation) {
		return 0, syscall.ESRCH
	}
	n, err = gather(a.message.reply()[offset:], parts)
	if err == nil {
		err = a.slot.addPiece(offset, int64(n))
	}
	if !a.endPiece() {
		return 0, syscall.ESRCH
	}
	if err == syscall.EFAULT {
		err = qnxerr.ESRVRFAULT
	}
	return n, err
}

// endPiece ends a write. When the client was cut off meanwhile, its thread still waits
// for an answer.
func (a *answering) endPiece() bool {
	if !a.slot.endWriting(a.generation, received) {
		return false
	}
	ch := a.client.channel
	ch.mu.Lock()
	ended := a.client.ended
	ch.mu.Unlock()
	if ended {
		a.answer(a.generation, syscall.ESRCH)
	}
	return !ended
}

// MsgReply is MsgReply.
func MsgReply(rcvid int64, status int, parts ...[]byte) error {
	a, err := answeringOf(rcvid)
	if err != nil {
		return err
	}
	defer a.end()
	a.writers.Lock()
	defer a.writers.Unlock()
	s := a.slot
	if !s.beginWriting(a.generation) {
		return syscall.ESRCH
	}
	n, err := gather(a.message.reply(), parts)
	if err != nil { // the client still waits
		if a.endPiece() {
			return qnxerr.ESRVRFAULT
		}
		return syscall.ESRCH
	}
	s.errno.Store(0)
	s.status.Store(uint64(int64(status)))
	s.replied.Store(uint64(n))
	if !s.endWriting(a.generation, replied) {
		return syscall.ESRCH
	}
	a.wake()
	return nil
}

// MsgError is MsgError.
func MsgError(rcvid int64, errno syscall.Errno) error {
	if errno > 1<<31-1 && errno != LetGo {
		return syscall.EINVAL
	}
	a, err := answeringOf(rcvid)
	if err != nil {
		return err
	}
	defer a.end()
	a.writers.Lock()
	defer a.writers.Unlock()
	if errno == LetGo && a.slot.unblock.Load() != a.generation {
		return syscall.EINVAL // what it would get on a target is not known
	}
	if !a.answer(a.generation, errno) {
		return syscall.ESRCH
	}
	return nil
}
