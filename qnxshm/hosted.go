//go:build qnx && linux && cgo

package qnxshm

// With -tags qnx on Linux the target's file calls the host's C symbols.
import _ "github.com/go-qnx/shm/qnxshm/qnxhost"
