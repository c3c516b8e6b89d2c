// Package nullbench looks at the binding alone: the target's files of qnxshm and qnxmsg,
// as they ship, on a null libc whose functions do nothing, and return at once what a test
// wants them to. It has tests and a benchmark only.
//
// The tests ask what no working libc can show: that each argument comes to libc as it was
// given, in all its bits; that each failure comes back, also of calls that never fail on
// the host; that nothing else is called, and what is undone when a call of several fails.
// They run compiled for 8.0 and for 7.1, with handles of 64 and of 32 bits.
//
// This prints the table:
//
//	go test ./qnxshm/internal/nullbench -run '^$' -bench . -benchtime 1x
//
// What is measured is CreateHandle, OpenHandle and DeleteHandle of package
// qnxshm, as a program calls them: checking and converting arguments, cgo, the C
// helper, and making an error of its result, of which there is none. Not the
// binding are the Objects that Open and NewObject make, which cost the same on
// every face. The baseline is a cgo call without arguments and result of a C
// function that does nothing, in the same run, by turns.
//
// Nothing fails for being slow; that nothing is allocated is a test.
package nullbench
