// Package shmtest is the conformance suite of qnxshm and qnxmsg: a ledger of
// rules, each with the evidence it rests on, and for every rule exactly one
// case that checks it. It runs on the host, and compiled for a target it runs
// there; so "the same errno on both" is a list that can be read and checked.
// CONTRACT.md is the ledger as a table.
//
// A test package runs the suite with
//
//	func TestMain(m *testing.M)          { shmtest.Main(m) }
//	func TestConformance(t *testing.T)   { shmtest.Run(t) }
//
// and one rule of it with
//
//	go test -v -run 'TestConformance/open/used$'
//
// whose id is in CONTRACT.md (a mistyped one runs nothing: "no tests to run").
//
// It tests this module on a system, such as a new port of Go, and takes about a minute.
// How to test a program of your own is in docs/own-tests.md.
//
// Rules about calls that only QNX OS 8.0 has are tried in 7.1, too, where the calls
// have to answer ENOSYS or EINVAL. Which release it is, the suite finds out; where that
// must be a certain one, SHMTEST_RELEASE is 7.1 or 8.0. On the host it must be 8.0
// otherwise.
//
// Many rules are about two or more processes. The suite starts the test binary
// again for them, and [Main] turns such a process into a worker that makes calls
// of the public API as it is told and reports what they answered.
package shmtest
