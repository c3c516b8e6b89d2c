package shmtest

// LeaksOf runs a case by the name id, which leaves behind what leak does, and returns
// the report.
func LeaksOf(id string, leak func()) string {
	before := countResources()
	leak()
	lookAfter(id)
	return leakReport(before, countResources())
}
