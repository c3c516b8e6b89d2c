//go:build linux && race

package memory_test

const raceEnabled = true
