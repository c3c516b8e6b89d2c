//go:build linux

package memory

import (
	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// Present returns the origins of the anonymous objects of which this process has a
// descriptor, nil if there is none left to look with.
func Present() map[Origin]bool {
	fds, err := linux.OpenFDs()
	if err != nil {
		return nil
	}
	present := make(map[Origin]bool)
	for _, fd := range fds {
		if !linux.IsMemory(fd) {
			continue
		}
		if o, ok := OriginOf(fd); ok {
			present[o] = true
		}
	}
	return present
}
