package procnto

import (
	"crypto/rand"
	"encoding/binary"
)

// randomUint64 is for handles and tokens, which should not be guessed.
func randomUint64() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.NativeEndian.Uint64(b[:])
}
