// Package mutate puts faults into the target files, shm_qnx.go and msg_qnx.go,
// one at a time, and asks the conformance suite which case notices:
//
//	go run ./qnxshm/internal/mutate/run
//
// tries all mutants on this machine and writes MUTANTS.md. It fails when a mutant
// survives without a reason in reasons.go, or a reason is not needed. After a
// change of the target files,
//
//	go run ./qnxshm/internal/mutate/run -only '^$'
//
// tries what is new, and keeps what the table says of all others; that is what it
// said when it was tried last, so that a change of the suite wants a complete run,
// of about ten minutes.
//
// The mutants are made from the syntax of the files. An argument of a call is
// replaced by 0, by -1, by NULL, cut to 32 bits, or swapped with its neighbour; a
// call is left out; its result is replaced by 0, by -1, by another field; a constant
// by another of its kind and by the number that it has on Linux. Besides, statements
// are removed, and conditions turned.
//
// All mutants are in one program, so that the expensive thing, compiling, happens
// once: it is built with an overlay in which each function is a switch between
// itself and its mutants, and the environment says which it is.
package mutate
