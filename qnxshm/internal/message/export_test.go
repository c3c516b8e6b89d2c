//go:build linux

package message

// What the tests, which are outside of the package, need of its inside.

// What a slot has room for, and how many there are.
const (
	MaxRequest   = maxRequest
	MaxReply     = maxReply
	MaxPieces    = maxPieces
	MaxParts     = maxParts
	MaxSlots     = maxSlots
	Segments     = segments
	FirstSegment = firstSegment
	RingEntries  = ringEntries
	SharedSeals  = sharedSeals
)

var (
	CheckName  = checkName
	NameSocket = nameSocket
)

// Left is what there is of this process's.
func Left() (left struct{ Channels, Clients, Rcvids, Attachments, Connections int }) {
	all := channels.all()
	left.Channels = len(all)
	for _, ch := range all {
		ch.mu.Lock()
		left.Clients += len(ch.clients)
		ch.mu.Unlock()
	}
	rcvids.mu.RLock()
	left.Rcvids = len(rcvids.byID)
	rcvids.mu.RUnlock()
	attachments.mu.Lock()
	left.Attachments = len(attachments.byAddress)
	attachments.mu.Unlock()
	connections.mu.RLock()
	defer connections.mu.RUnlock()
	for _, c := range connections.open {
		if c != nil {
			left.Connections++
		}
	}
	return left
}

// Pieces are those that a slot says its reply has, after some were added, which lie in
// pairs of offset and length.
func Pieces(added [][2]int64) (pieces [][2]int64, err error) {
	s := new(slot)
	for _, p := range added {
		if err = s.addPiece(p[0], p[1]); err != nil {
			break
		}
	}
	for _, p := range s.pieceList() {
		pieces = append(pieces, [2]int64{p.offset, p.length})
	}
	return pieces, err
}

// Waiting counts the threads whose messages the channel has received, and not answered.
func Waiting(chid int) (n int) {
	ch := channels.get(chid)
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, cl := range ch.clients {
		for _, sv := range cl.slots {
			if sv != nil && sv.slotWaits() {
				n++
			}
		}
	}
	return n
}

// Asleep counts the receivers that sleep in the kernel.
func Asleep(chid int) int {
	ch := channels.get(chid)
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.messages.count
}
