//go:build linux

package linux

import (
	"math/rand/v2"
	"sync"

	"golang.org/x/sys/unix"
)

// random is for handles and secrets, which nobody should guess: ChaCha8 with a
// seed of the kernel's. crypto/rand would start a timer, and a system call for
// each number costs more than all else about a handle.
var random struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

// RandomUint64 returns a number that nobody can guess.
func RandomUint64() uint64 {
	random.mu.Lock()
	defer random.mu.Unlock()
	if random.source == nil {
		random.source = rand.NewChaCha8(Seed())
	}
	return random.source.Uint64()
}

// Seed returns random bytes of the kernel's.
func Seed() (seed [32]byte) {
	for {
		if n, err := unix.Getrandom(seed[:], 0); n == len(seed) && err == nil {
			return seed
		}
	}
}
