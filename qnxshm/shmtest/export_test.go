package shmtest

var (
	Check    = check
	Contract = contract
)

// Unasked are the reasons of rules that the probe does not ask about.
var Unasked = unasked

// LeaksOf runs a case by the name id, which leaves behind what leak does, and returns
// the report.
func LeaksOf(id string, leak func()) string {
	before := countResources()
	leak()
	lookAfter(id)
	return leakReport(before, countResources())
}
