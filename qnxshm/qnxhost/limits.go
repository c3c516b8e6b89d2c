//go:build linux && cgo

package qnxhost

/*
#include <stdint.h>
*/
import "C"

import "github.com/go-qnx/shm/qnxshm/internal/procnto"

//export qnxhost_go_handle_limit
func qnxhost_go_handle_limit(cur, max *C.uint64_t) C.int {
	c, m, err := procnto.HandleLimit()
	*cur, *max = C.uint64_t(c), C.uint64_t(m)
	return errnoOf(err)
}

//export qnxhost_go_set_handle_limit
func qnxhost_go_set_handle_limit(cur, max C.uint64_t) C.int {
	return errnoOf(procnto.SetHandleLimit(uint64(cur), uint64(max)))
}
