//go:build linux && cgo

// Command lib is the main package of the host's C library:
//
//	go build -buildmode=c-shared -o libqnxhost.so ./qnxshm/qnxhost/lib
package main

// #cgo LDFLAGS: -ldl
import "C"

import _ "github.com/go-qnx/shm/qnxshm/qnxhost"

func main() {}
