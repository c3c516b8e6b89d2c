package testproc

import "testing"

// TakesLong skips a test with -short, and says why it takes long.
func TakesLong(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip(why + ": not with -short")
	}
}
