//go:build linux && !qnx && race

package mutate_test

const raceEnabled = true
