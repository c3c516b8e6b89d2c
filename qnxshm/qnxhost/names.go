//go:build linux && cgo

package qnxhost

/*
#cgo CFLAGS: -I${SRCDIR}/include
#include <stdint.h>
#include <sys/neutrino.h>
*/
import "C"

import (
	"runtime/cgo"

	"github.com/go-qnx/shm/qnxshm/internal/message"
)

//export qnxhost_go_name_attach
func qnxhost_go_name_attach(name *C.char, chid C.int, attached *C.uintptr_t) C.int {
	n, err := message.NameAttach(C.GoString(name), int(chid))
	if err == nil {
		*attached = C.uintptr_t(cgo.NewHandle(n))
	}
	return errnoOf(err)
}

//export qnxhost_go_name_detach
func qnxhost_go_name_detach(attached C.uintptr_t) {
	h := cgo.Handle(attached)
	h.Value().(*message.Name).Detach()
	h.Delete()
}

//export qnxhost_go_name_open
func qnxhost_go_name_open(name *C.char, coid *C.int) C.int {
	n, err := message.NameOpenFlags(C.GoString(name), C._NTO_COF_CLOEXEC)
	*coid = C.int(n)
	if err == nil {
		message.ServeEvents() // as ConnectAttach
	}
	return errnoOf(err)
}
