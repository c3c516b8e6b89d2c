//go:build linux && race

package procnto_test

const raceEnabled = true
