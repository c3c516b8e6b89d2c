// Package mutate puts faults into the target files, those that end in _qnx.go, one at
// a time, and asks the conformance suite which case notices:
//
//	go -C qnxshm/internal/mutate run ./run
//
// tries all mutants on this machine. It fails when a mutant survives without a
// reason in reasons.go, or a reason is not needed. MUTANTS.md is its report, for
// people: counts, and the survivors by reason. results.txt is what it knows of every
// mutant, a line each, for itself. After a change of the target files or of
// reasons.go,
//
//	go -C qnxshm/internal/mutate run ./run -only '^$'
//
// tries what is new, and keeps what results.txt says of all others; that is what it
// said when it was tried last, so that a change of the suite wants a complete run. In
// place of ^$, which matches none, stands a regular expression for the mutants to try
// again. A run that is interrupted keeps what it has found.
//
// This is a module of its own, beside the one that it is about, so that users and
// tests of that one have nothing to do with it. Its own test,
//
//	go -C qnxshm/internal/mutate test -count=1 ./...
//
// holds both files against the target files, and tries a few mutants; -count=1
// because the cache of the go command does not look at files outside of a module.
//
// The mutants are made from the syntax of the files. An argument of a call is
// replaced by 0, by -1, by NULL, cut to 32 bits, or swapped with its neighbour; a
// call is left out; its result is replaced by 0, by -1, by another field; a constant
// by another of its kind and by the number that it has on Linux. Besides, statements
// are removed, and conditions turned.
//
// A mutant is tried in up to four programs, the suite and the tests of the binding alone
// (package nullbench), both in a build for 8.0 and in one for 7.1. Of the suite it is the
// cases about its calls. With all others
//
//	go -C qnxshm/internal/mutate run ./run -only . -survivors -complete
//
// tries those that have survived, one of each function in the same run, so that it takes
// minutes. Where one of the cases fails then, each is tried alone.
//
// All mutants are in one program, so that the expensive thing, compiling, happens
// once: it is built with an overlay in which each function is a switch between
// itself and its mutants, and the environment says which they are.
package mutate
