package qnxshm

// ReportForgotten has f told of every Object and Mapping that was collected
// before it was closed or unmapped, until the function that it returns is
// called. Tests that use it must not run beside others.
func ReportForgotten(f func(what string, stack []byte)) (restore func()) {
	reportForgotten = f
	return func() { reportForgotten = nil }
}
