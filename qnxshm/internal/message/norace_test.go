//go:build linux && !race

package message_test

const raceEnabled = false
