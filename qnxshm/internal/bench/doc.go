// Package bench measures the host: what handles, hand-offs and messages cost
// between two processes, beside the same work written by hand in blocking C,
// in the same run. It has tests and benchmarks only. This prints the table:
//
//	go test ./qnxshm/internal/bench -run '^$' -bench . -benchtime 1x
//
// Every number is a median of at least eleven rounds, in which this module and
// the baseline take turns; only what is done 60,000 times in a row is told by the
// mean of that, and what is counted is counted once. Both run as two processes of
// their own, which have the same CPUs: two, or only one. With -short there is one
// round of little, to see that it runs. Nothing fails for being slow; counts of
// allocations, and leaks, are tests.
package bench
