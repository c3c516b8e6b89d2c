//go:build linux && cgo

// Command lib is the main package of the host's C library:
//
//	go build -buildmode=c-shared -o libqnxhost.so ./qnxshm/qnxhost/lib
package main

// #cgo LDFLAGS: -ldl
// #include "runtime.h"
import "C"

import (
	"github.com/go-qnx/shm/qnxshm/internal/linux"
	_ "github.com/go-qnx/shm/qnxshm/qnxhost"
)

func init() {
	// Now, when its descriptors do not take those of the program. Each call that needs
	// timers asks again.
	_ = linux.TimersWork()
	C.qnxhost_runtime_began()
}

func main() {}
