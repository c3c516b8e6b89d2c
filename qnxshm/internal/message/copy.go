//go:build linux

package message

import "github.com/go-qnx/shm/qnxshm/internal/linux"

func lengthOf(parts [][]byte) (n int64) {
	for _, p := range parts {
		n += int64(len(p))
	}
	return n
}

// gather copies parts of a program's memory, as far as there is room: EFAULT if they
// cannot be read.
func gather(to []byte, parts [][]byte) (n int, err error) {
	for _, p := range parts {
		k, err := linux.Copy(to[n:], p)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

// Scatter copies to parts of a program's memory, as far as they have room: EFAULT if
// they cannot be written to.
func Scatter(parts [][]byte, from []byte) (n int, err error) {
	for _, p := range parts {
		k, err := linux.Copy(p, from[n:])
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

// scatterAt is Scatter to an offset of all the parts together.
func scatterAt(parts [][]byte, offset int64, from []byte) error {
	for _, p := range parts {
		if offset >= int64(len(p)) {
			offset -= int64(len(p))
			continue
		}
		k, err := linux.Copy(p[offset:], from)
		if err != nil {
			return err
		}
		if from, offset = from[k:], 0; len(from) == 0 {
			return nil
		}
	}
	return nil
}
