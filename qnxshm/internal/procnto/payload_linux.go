package procnto

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// maxInline is the longest payload that travels behind its frame. Longer ones
// travel in a sealed memfd: a packet cannot be much longer than this.
const maxInline = 64 << 10

const payloadSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// sendPayload is send for a payload of any length. A qnxerr.Cause tells that it
// could not be made ready; then nothing was sent.
func (p *packet) sendPayload(fd int, f *frame, payload []byte) error {
	if len(payload) <= maxInline {
		return p.send(fd, f, payload, noFD)
	}
	file, err := payloadFile(payload)
	if err != nil {
		return noDescriptors(err)
	}
	defer unix.Close(file)
	f.inFile = true
	return p.send(fd, f, nil, file)
}

func payloadFile(payload []byte) (fd int, err error) {
	fd, err = memfd("qnxshm-message")
	if err != nil {
		return -1, err
	}
	if fd, err = moveHigh(fd); err != nil {
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
// that a peer has sent. Only a memfd has seals: reading another file might
// block.
func readPayload(fd int, buf []byte, size int64) (int, error) {
	if fd == noFD {
		return 0, errMalformed
	}
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&payloadSeals != payloadSeals {
		return 0, errMalformed
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Size != size {
		return 0, errMalformed
	}
	if int64(len(buf)) > size {
		buf = buf[:size]
	}
	for n := 0; n < len(buf); {
		got, err := unix.Pread(fd, buf[n:], int64(n))
		if err == syscall.EINTR {
			continue
		}
		if err != nil || got == 0 {
			return 0, errMalformed
		}
		n += got
	}
	return len(buf), nil
}
