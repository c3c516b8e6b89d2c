//go:build linux && cgo

package qnxhost

/*
#include <stdint.h>

// A struct sigevent, without the addresses.
struct qnxhost_event {
	int notify;
	int which; // coid, number of a signal, handle, or of a thread_event
	long value;
	int code, priority;
};

int qnxhost_raise(int kind, int which, int code, long value, int thread);
void qnxhost_forget_thread_event(int number);
*/
import "C"

import (
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

func init() { message.RaiseWith(message.Raiser{Raise: raise, Forget: forget}) }

// raise makes a signal, or a thread.
func raise(e message.Event, tid int, check bool) error {
	if check {
		return nil
	}
	if errno := C.qnxhost_raise(C.int(e.Notify&nto.EventKind), C.int(e.Which), C.int(e.Code), C.long(e.Value), C.int(tid)); errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

func forget(e message.Event) {
	if e.Notify&nto.EventKind == nto.EventThread {
		C.qnxhost_forget_thread_event(C.int(e.Which))
	}
}

func eventOf(e *C.struct_qnxhost_event) message.Event {
	return message.Event{Notify: int(e.notify), Which: int(e.which), Value: int64(e.value), Code: int(e.code), Priority: int(e.priority)}
}

//export qnxhost_go_register_event
func qnxhost_go_register_event(e *C.struct_qnxhost_event, coid C.int) C.int {
	event := eventOf(e)
	err := message.MsgRegisterEvent(&event, int(coid))
	e.notify, e.which = C.int(event.Notify), C.int(event.Which)
	return errnoOf(err)
}

//export qnxhost_go_unregister_event
func qnxhost_go_unregister_event(e *C.struct_qnxhost_event) C.int {
	return errnoOf(message.MsgUnregisterEvent(eventOf(e)))
}

//export qnxhost_go_deliver_event
func qnxhost_go_deliver_event(rcvid C.int64_t, e *C.struct_qnxhost_event, check C.int) C.int {
	if check != 0 {
		return errnoOf(message.MsgVerifyEvent(int64(rcvid), eventOf(e)))
	}
	return errnoOf(message.MsgDeliverEvent(int64(rcvid), eventOf(e)))
}
