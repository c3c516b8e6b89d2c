//go:build linux

package wire

// LetRightsPass makes this process behave as where the kernel cannot refuse
// descriptors. The function returned ends that.
func LetRightsPass() (end func()) {
	before := rightsPass.Swap(true)
	return func() { rightsPass.Store(before) }
}

// Listed is listed.
var Listed = listed

// Diagnosed is diagnosed, nil where the kernel refuses it.
func Diagnosed(prefix string) []Listener {
	found, _ := diagnosed(prefix)
	return found
}
