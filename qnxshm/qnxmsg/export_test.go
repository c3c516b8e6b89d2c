package qnxmsg

// SetID gives a message the id of another, as it is on a target for the next
// message of the same thread.
func (m *Message) SetID(id int64) { m.rcvid = id }
