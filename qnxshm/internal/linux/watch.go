//go:build linux

package linux

import (
	"bytes"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// watchPause is how often watch looks, in milliseconds.
const watchPause = 20

// watch does what pidfd_open does, for systems that lack it: valgrind carries out
// system calls itself, and its version 3.19 does not know that one. The descriptor
// becomes readable when the process has ended. A goroutine looks for that, until the
// descriptor is closed.
func watch(pid int) (int, error) {
	since, ok := began(pid)
	if !ok {
		return NoFD, syscall.ESRCH
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return NoFD, err
	}
	end, err := MoveHigh(ends[1])
	if err != nil {
		unix.Close(ends[0])
		return NoFD, err
	}
	poll := []unix.PollFd{{Fd: int32(end)}}
	go func() {
		defer unix.Close(end)
		for {
			if _, err := unix.Poll(poll, watchPause); err == nil && poll[0].Revents != 0 {
				return // nobody reads any more
			}
			if now, ok := beganAt(pid); !ok || now != since {
				unix.Write(end, []byte{0})
				return
			}
		}
	}()
	return ends[0], nil
}

// began returns when the process pid began, and whether it is one that runs: no thread
// of another, and none that waits to be reaped.
func began(pid int) (string, bool) {
	status, err := ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil || !bytes.Contains(status, []byte("\nTgid:\t"+strconv.Itoa(pid)+"\n")) {
		return "", false
	}
	return beganAt(pid)
}

func beganAt(pid int) (string, bool) {
	stat, err := ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const state, threads, start = 0, 17, 19 // of proc(5), from its third on
	if len(fields) <= start {
		return "", false
	}
	// The first thread can have ended before others.
	gone := string(fields[state]) == "Z" && len(fields[threads]) == 1 && fields[threads][0] <= '1' || string(fields[state]) == "X"
	return string(fields[start]), !gone
}
