//go:build linux

package message

import (
	"slices"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A piece of a reply is what a server has written to it in one place.
type piece struct{ offset, length int64 }

func (s *slot) pieceList() []piece {
	list := make([]piece, 0, min(s.pieces.Load(), maxPieces)+1)
	for i := range list[:cap(list)-1] {
		p := &s.piece[i]
		list = append(list, piece{int64(p.offset.Load()), int64(p.length.Load())})
	}
	return list
}

// addPiece enters what was written, and joins it with what it touches. The server has
// the slot in the state writing.
func (s *slot) addPiece(offset, length int64) error {
	if length == 0 {
		return nil
	}
	list := append(s.pieceList(), piece{offset, length})
	slices.SortFunc(list, func(a, b piece) int {
		switch {
		case a.offset < b.offset:
			return -1
		case a.offset > b.offset:
			return 1
		}
		return 0
	})
	joined := list[:1]
	for _, p := range list[1:] {
		if last := &joined[len(joined)-1]; p.offset <= last.offset+last.length {
			last.length = max(last.length, p.offset+p.length-last.offset)
		} else {
			joined = append(joined, p)
		}
	}
	if len(joined) > maxPieces {
		return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the host keeps no more separate pieces of a reply"}
	}
	for i, p := range joined {
		s.piece[i].offset.Store(uint64(p.offset))
		s.piece[i].length.Store(uint64(p.length))
	}
	s.pieces.Store(uint32(len(joined)))
	return nil
}
