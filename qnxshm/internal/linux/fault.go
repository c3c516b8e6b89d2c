//go:build linux

package linux

import (
	"runtime"
	"runtime/debug"
	"syscall"
)

// atOnce is how much is copied without a pause: the garbage collector has to wait for
// a copy to end.
const atOnce = 1 << 20

// Copy copies like copy, from or to memory that somebody else has named, which may
// not be there, or not be writable: EFAULT.
func Copy(dst, src []byte) (n int, err error) {
	defer LeaveFault(debug.SetPanicOnFault(true), &err)
	total := min(len(dst), len(src))
	for n < total {
		n += copy(dst[n:min(n+atOnce, total)], src[n:])
	}
	return n, nil
}

// LeaveFault is deferred around code that touches memory which somebody else has
// named, with what SetPanicOnFault(true) returned: a fault sets err to EFAULT.
func LeaveFault(before bool, err *error) {
	debug.SetPanicOnFault(before)
	if r := recover(); r != nil {
		// A fault in the first page looks like the use of a nil pointer.
		if _, ok := r.(runtime.Error); !ok {
			panic(r)
		}
		*err = syscall.EFAULT
	}
}
