//go:build nulllibc && linux && cgo

package nullbench

/*
#cgo CFLAGS: -I${SRCDIR}/../../qnxhost/include
#cgo LDFLAGS: -Wl,--unresolved-symbols=ignore-all
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/resource.h>
#include "libc.h"

static inline uint64_t nullbench_infinity(void) { return RLIM_INFINITY; }
static inline void nullbench_empty(void) {}
*/
import "C"

import (
	"runtime"
	"syscall"
	"unsafe"
)

const (
	// HandleBits is the width of the shm_handle_t that the null libc has.
	HandleBits = 8 * int(C.sizeof_shm_handle_t)

	// Release is that of QNX which the null libc is compiled as: 710 or 800.
	Release = C._NTO_VERSION
)

// Infinity is libc's RLIM_INFINITY.
func Infinity() uint64 { return uint64(C.nullbench_infinity()) }

// Empty is an empty cgo call.
func Empty() { C.nullbench_empty() }

// Blocked is the set of signals that do not reach the calling thread: a bit each.
func Blocked() uint64 { return uint64(C.nullbench_blocked()) }

// Block keeps a signal from the calling thread, or lets it come again.
func Block(signal syscall.Signal, block bool) {
	n := C.int(0)
	if block {
		n = 1
	}
	C.nullbench_block(C.int(signal), n)
}

// UseStack leaves something where the next C functions of the calling thread have their
// variables.
func UseStack() { C.nullbench_use_stack() }

// Libc is what the null libc answers.
type Libc struct {
	Answers    []Answer // what calls of each function return, one after the other; the others succeed
	Pulses     []Pulse  // what a MsgReceive_r that returns 0 gets
	Limit, Max uint64   // that getrlimit tells
	Time       uint64   // a timeout of a little less is noted as "the rest"
	Unblock    bool     // MsgInfo_r tells that the client does not want to wait
}

// An Answer is the result of one call; below 0 it is an errno.
type Answer struct {
	Function string
	Result   int64
}

// A Pulse as it is in memory, or what a message looks like one.
type Pulse struct {
	Code  int8
	Value int64 // all 64 bits of the field
	SCOID int32
}

// Calls runs do on this thread, and tells which functions of libc it called, with
// their arguments.
func (l Libc) Calls(do func()) (calls []string) {
	var g C.struct_nullbench_given
	if len(l.Answers) > C.NULLBENCH_ANSWERS || len(l.Pulses) > C.NULLBENCH_PULSES {
		panic("nullbench: more answers than there is room for")
	}
	for i, a := range l.Answers {
		for at, c := range []byte(a.Function) {
			g.answers[i].function[at] = C.char(c)
		}
		g.answers[i].result = C.int64_t(a.Result)
	}
	for i, p := range l.Pulses {
		g.pulses[i].code = C.int8_t(p.Code)
		*(*int64)(unsafe.Pointer(&g.pulses[i].value)) = p.Value
		g.pulses[i].scoid = C.int32_t(p.SCOID)
	}
	g.limit, g.max_limit, g.time = C.uint64_t(l.Limit), C.uint64_t(l.Max), C.uint64_t(l.Time)
	if l.Unblock {
		g.info_flags = C._NTO_MI_UNBLOCK_REQ
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.nullbench_begin(g)
	do()
	for i := range int(C.nullbench_end()) {
		calls = append(calls, C.GoString(C.nullbench_noted(C.int(i))))
	}
	return calls
}
