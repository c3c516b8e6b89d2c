package qnxshm

import "runtime/debug"

// reportForgotten, when set, is told of every Object and Mapping that the
// garbage collector found before it was closed or unmapped, with the stack that
// made it. Only tests set it: collecting a stack for each is dear.
var reportForgotten func(what string, stack []byte)

func creationStack() []byte {
	if reportForgotten == nil {
		return nil
	}
	return debug.Stack()
}

// forgotten is what is left of an Object or a Mapping that was collected.
type forgotten struct {
	fd    int
	data  *mappedBytes
	stack []byte
}

func (f forgotten) report(what string) {
	if reportForgotten != nil && f.stack != nil {
		reportForgotten(what, f.stack)
	}
}

func (f forgotten) closeObject() {
	closeDescriptor(f.fd)
	f.report("Object not closed")
}

// unmap gives the memory back, unless a slice of it was handed out: that slice
// may outlive the Mapping, and so the memory must.
func (f forgotten) unmap() {
	if f.data.lent.Load() {
		f.report("Mapping not unmapped, and its memory kept because Bytes was called")
		return
	}
	unmapMemory(f.data.bytes)
	f.report("Mapping not unmapped")
}
