// Package nullbench measures the binding alone: qnxshm's file for the target,
// shm_qnx.go, as it ships, on a null libc whose functions return at once. It has
// tests and a benchmark only. This prints the table:
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
