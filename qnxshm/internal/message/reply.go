//go:build linux

package message

import (
	"bytes"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// waiting returns the lane on which rcvid waits for its reply, locked.
func waiting(rcvid int64) (*lane, error) {
	l := lanes.get(uint32(rcvid >> 32))
	if l == nil || rcvid < 0 {
		return nil, syscall.ESRCH
	}
	l.mu.Lock()
	if l.fd < 0 || l.seq == 0 || l.seq != uint32(rcvid) {
		l.mu.Unlock()
		return nil, syscall.ESRCH
	}
	return l, nil
}

// MsgInfo is MsgInfo, with the chid.
func MsgInfo(rcvid int64) (info Received, chid int, err error) {
	l, err := waiting(rcvid)
	if err != nil {
		return Received{}, 0, err
	}
	defer l.mu.Unlock()
	return l.info, l.client.channel.chid, nil
}

// MsgRead is MsgRead: it copies from offset of the client's message.
func MsgRead(rcvid int64, buf []byte, offset int64) (n int, err error) {
	l, err := waiting(rcvid)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	size := l.info.SrcMsgLen
	if offset < 0 || offset >= size {
		return 0, nil
	}
	buf = buf[:min(int64(len(buf)), size-offset)]
	if l.file == linux.NoFD {
		return copy(buf, l.kept[offset:]), nil
	}
	if err := readAt(l.file, buf, offset); err != nil {
		return 0, qnxerr.ESRVRFAULT
	}
	return len(buf), nil
}

// MsgWrite is MsgWrite: it copies to offset of the client's reply buffer, where
// the client finds it when it is replied to.
func MsgWrite(rcvid int64, data []byte, offset int64) (n int, err error) {
	l, err := waiting(rcvid)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	room := l.info.DstMsgLen
	if offset < 0 || offset >= room {
		return 0, nil
	}
	data = data[:min(int64(len(data)), room-offset)]
	l.pieces = append(l.pieces, piece{offset, bytes.Clone(data)})
	return len(data), nil
}

// MsgReply is MsgReply.
func MsgReply(rcvid int64, status int, data []byte) error {
	return answerMessage(rcvid, status, 0, data)
}

// MsgError is MsgError.
func MsgError(rcvid int64, errno syscall.Errno) error {
	if errno > 1<<31-1 {
		return syscall.EINVAL
	}
	return answerMessage(rcvid, 0, errno, nil)
}

func answerMessage(rcvid int64, status int, errno syscall.Errno, data []byte) error {
	l, err := waiting(rcvid)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	f := &l.reply
	*f = wire.Reply{Seq: uint64(l.seq), Status: int64(status), Errno: int32(errno)}
	data = data[:min(int64(len(data)), l.info.DstMsgLen)]
	if len(l.pieces) > 0 && f.Errno == 0 {
		data = packPieces(append(l.pieces, piece{0, data}))
		f.Pieces = true
	}
	f.Len, f.InFile = int64(len(data)), f.Pieces || len(data) > maxInline
	if err := sendPayload(&l.packet, l.fd, f, f.InFile, data); err != nil {
		switch {
		case err == syscall.EFAULT:
			return qnxerr.ESRVRFAULT
		case !procnto.Ended(err) && err != syscall.EAGAIN:
			return err // the client still waits
		}
		// The client is gone, or does not read: it is no client any more.
		l.forget()
		unix.Shutdown(l.fd, unix.SHUT_RDWR)
		return syscall.ESRCH
	}
	l.forget()
	return nil
}
