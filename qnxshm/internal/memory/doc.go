//go:build !qnx || linux

// Package memory has the host's shared-memory objects: their descriptors,
// windows, attributes, and this process's mappings of them. It knows no other
// process: who may have what is the process manager's to say (package procnto).
//
// An object is a file in memory: an anonymous one a memfd, whose name says who
// created it (origin.go); one with a name a file of /dev/shm (named.go). What a
// program does with descriptors, such as closing and duplicating them, is not
// seen, so an object is recognised by its inode or name (describe.go), and a
// window by a mark that the kernel keeps with the open file description (tag.go);
// what was found is remembered (registry.go).
// Mappings that can be taken away are in a table (mapped_unsafe.go).
//
// Files refer to those before them only: window, origin, tag, descriptor, registry,
// describe, object, named, available, allocate, control; protection, nothing,
// replace, ranges, mapped, map; present.
//
// A failure is a syscall.Errno, or a qnxerr.Cause where the errno's usual
// meaning would not tell enough.
//
// There are two locks, of the registry and of the table; nobody holds both, and
// none is held around a call that could wait for another process.
package memory
