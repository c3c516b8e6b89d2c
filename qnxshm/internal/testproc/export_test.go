//go:build linux

package testproc

import "time"

// SetLeakLimit is for tests of what is left behind for good. The function returned
// ends it.
func SetLeakLimit(d time.Duration) (end func()) {
	leakLimit = d
	return func() { leakLimit = LeakLimit }
}
