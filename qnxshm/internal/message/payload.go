//go:build linux

package message

import (
	"encoding/binary"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// maxInline is the longest payload that travels behind its frame. Longer ones
// travel in a sealed memfd: a packet cannot be much longer than this.
const maxInline = 64 << 10

const payloadSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// sendPayload sends a frame with a payload of any length: behind it, or in a file.
// A qnxerr.Cause tells that it could not be made ready; then nothing was sent.
func sendPayload(p *wire.Packet, fd int, f wire.Frame, inFile bool, payload []byte) error {
	if !inFile {
		return p.Send(fd, f, payload, linux.NoFD)
	}
	file, err := payloadFile(payload)
	if err != nil {
		return noDescriptors(err)
	}
	defer unix.Close(file)
	return p.Send(fd, f, nil, file)
}

func payloadFile(payload []byte) (fd int, err error) {
	fd, err = linux.Memfd("qnxshm-message")
	if err != nil {
		return -1, err
	}
	if fd, err = linux.MoveHigh(fd); err != nil {
		return -1, err
	}
	for off := 0; off < len(payload) && err == nil; {
		var n int
		n, err = unix.Pwrite(fd, payload[off:], int64(off))
		off += max(n, 0)
		if err == syscall.EINTR {
			err = nil
		}
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, payloadSeals)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// readPayload copies what fits of a payload of size bytes from a descriptor
// that a peer has sent. Only a file in memory has seals: reading another one
// might block.
func readPayload(fd int, buf []byte, size int64) (int, error) {
	if fd == linux.NoFD {
		return 0, wire.ErrMalformed
	}
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&payloadSeals != payloadSeals {
		return 0, wire.ErrMalformed
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Size != size {
		return 0, wire.ErrMalformed
	}
	if int64(len(buf)) > size {
		buf = buf[:size]
	}
	return len(buf), readAt(fd, buf, 0)
}

// readAt fills buf from a payload file. EFAULT is a bad buffer, wire.ErrMalformed any
// other failure.
func readAt(fd int, buf []byte, offset int64) error {
	for n := 0; n < len(buf); {
		got, err := unix.Pread(fd, buf[n:], offset+int64(n))
		if err == syscall.EINTR {
			continue
		}
		if err == syscall.EFAULT {
			return err // the buffer's fault
		}
		if err != nil || got == 0 {
			return wire.ErrMalformed
		}
		n += got
	}
	return nil
}

// A piece is what a server has written to an offset of the client's reply
// buffer.
type piece struct {
	offset int64
	data   []byte
}

// packPieces makes a payload of pieces: of each the offset, the length and the
// bytes.
func packPieces(pieces []piece) []byte {
	var b []byte
	for _, p := range pieces {
		if len(p.data) == 0 {
			continue
		}
		b = binary.NativeEndian.AppendUint64(b, uint64(p.offset))
		b = binary.NativeEndian.AppendUint64(b, uint64(len(p.data)))
		b = append(b, p.data...)
	}
	return b
}

// unpackPieces writes the pieces of a payload of size bytes to a reply buffer.
func unpackPieces(fd int, buf []byte, size int64) error {
	var head [16]byte
	if n, err := readPayload(fd, head[:], size); err != nil || n < len(head) && size > 0 {
		return wire.ErrMalformed
	}
	for at := int64(0); at < size; {
		if size-at < int64(len(head)) || readAt(fd, head[:], at) != nil {
			return wire.ErrMalformed
		}
		at += int64(len(head))
		offset := int64(binary.NativeEndian.Uint64(head[0:]))
		length := int64(binary.NativeEndian.Uint64(head[8:]))
		if offset < 0 || length <= 0 || length > size-at || offset > int64(len(buf)) || length > int64(len(buf))-offset {
			return wire.ErrMalformed
		}
		if err := readAt(fd, buf[offset:offset+length], at); err != nil {
			return err
		}
		at += length
	}
	return nil
}
