//go:build linux

package message

// What the tests, which are outside of the package, need of its inside.

const (
	MaxInline    = maxInline
	PayloadSeals = payloadSeals
)

var (
	CheckName    = checkName
	NameSocket   = nameSocket
	PayloadFile  = payloadFile
	ReadPayload  = readPayload
	UnpackPieces = unpackPieces
)

// PackPieces packs pieces of data for several offsets.
func PackPieces(offsets []int64, data [][]byte) []byte {
	var pieces []piece
	for i, offset := range offsets {
		pieces = append(pieces, piece{offset, data[i]})
	}
	return packPieces(pieces)
}

// Left is how many lanes, channels and connections there are.
func Left() (left struct{ Lanes, Channels, Connections int }) {
	lanes.mu.RLock()
	left.Lanes = len(lanes.byID)
	lanes.mu.RUnlock()
	left.Channels = len(channels.all())
	connections.mu.RLock()
	defer connections.mu.RUnlock()
	for _, c := range connections.open {
		if c != nil {
			left.Connections++
		}
	}
	return left
}
