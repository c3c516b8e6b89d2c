//go:build qnx && cgo

package qnxmsg

/*
#include <errno.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/siginfo.h>

#if !defined _NTO_VERSION && (!defined __QNX__ || __QNX__ < 800)
#error "cannot tell the release of QNX: <sys/neutrino.h> defines no _NTO_VERSION; give it, such as CGO_CFLAGS=-D_NTO_VERSION=710"
#elif !defined _NTO_VERSION
#define _NTO_VERSION 800
#endif

struct qnxmsg_event {
	int error;
	struct sigevent event;
};

static inline struct qnxmsg_event qnxmsg_register_pulse(int self, int coid, int updateable, int priority, int code, int64_t value) {
	struct qnxmsg_event e;
	int result;
	memset(&e, 0, sizeof e);
#if _NTO_VERSION < 800
	if (value != (int32_t)value) {
		e.error = EINVAL;
		return e;
	}
	SIGEV_PULSE_INT_INIT(&e.event, self, priority, code, value);
#else
	SIGEV_PULSE_INIT(&e.event, self, priority, code, value);
#endif
	if (updateable)
		SIGEV_MAKE_UPDATEABLE(&e.event);
	result = MsgRegisterEvent_r(&e.event, coid);
	e.error = result < 0 ? -result : 0;
	return e;
}

static inline int qnxmsg_unregister_event(struct sigevent event) {
	return -MsgUnregisterEvent_r(&event);
}

static inline int qnxmsg_deliver_event(int64_t rcvid, struct sigevent event) {
	return -MsgDeliverEvent_r(rcvid, &event);
}

static inline int qnxmsg_verify_event(int64_t rcvid, struct sigevent event) {
	return -MsgVerifyEvent_r(rcvid, &event);
}
*/
import "C"

import (
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

// An Event is a struct sigevent: any other size does not compile.
var _ = [1]struct{}{}[EventSize-C.sizeof_struct_sigevent]

// The fields of one are where the portable files look for them.
var _ = [1]struct{}{}[(unsafe.Offsetof(C.struct_sigevent{}.sigev_notify)^notifyAt)|
	(unsafe.Offsetof(C.struct_sigevent{}.sigev_value)^valueAt)]
var _ = [1]struct{}{}[nto.EventUpdateable^C.SIGEV_FLAG_UPDATEABLE]

// bytesOf is the memory of a struct sigevent.
func bytesOf(event *C.struct_sigevent) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(event)), EventSize)
}

func (e Event) c() (event C.struct_sigevent) {
	copy(bytesOf(&event), e.sigevent[:])
	return event
}

func registerPulse(self, coid int, flags EventFlags, priority, code int, value int64) (e Event, err error) {
	updateable := C.int(0)
	if flags&EventUpdateable != 0 {
		updateable = 1
	}
	r := C.qnxmsg_register_pulse(cInt(self), cInt(coid), updateable, cInt(priority), cInt(code), C.int64_t(value))
	if r.error != 0 {
		return Event{}, errorOf(r.error)
	}
	copy(e.sigevent[:], bytesOf(&r.event))
	return e, nil
}

func unregisterEvent(e Event) error { return errorOf(C.qnxmsg_unregister_event(e.c())) }

func deliverEvent(rcvid int64, e Event) error {
	return errorOf(C.qnxmsg_deliver_event(C.int64_t(rcvid), e.c()))
}

func verifyEvent(rcvid int64, e Event) error {
	return errorOf(C.qnxmsg_verify_event(C.int64_t(rcvid), e.c()))
}
