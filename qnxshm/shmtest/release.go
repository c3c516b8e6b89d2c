package shmtest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
)

// releaseEnv names the release of QNX that the suite has to find, "7.1" or "8.0".
const releaseEnv = "SHMTEST_RELEASE"

// before80 tells that the calls which only 8.0 has are not there: this is 7.1, or was
// compiled with the headers of that.
var before80 bool

// findRelease finds out whether this is before 8.0: the host never is, unless the
// environment says that this is meant. Other failures are left to the cases, which tell
// more of them.
func findRelease() error {
	found := "8.0"
	if before80 = errors.Is(makeSubrange(), syscall.ENOSYS); before80 {
		found = "7.1"
	}
	wanted := os.Getenv(releaseEnv)
	if wanted == "" && !target {
		wanted = "8.0"
	}
	if wanted != "" && wanted != found {
		return fmt.Errorf("shmtest: this answers as %s, want %s (%s)", found, wanted, releaseEnv)
	}
	return nil
}

// makeSubrange makes a handle of a subrange, and deletes it.
func makeSubrange() error {
	size := os.Getpagesize()
	obj, err := qnxshm.Create(int64(size))
	if err != nil {
		return err
	}
	defer obj.Close()
	h, err := qnxshm.CreateSubrangeHandle(int(obj.Fd()), os.Getpid(), qnxshm.ReadOnly, 0, int64(size), 0)
	if err != nil {
		return err
	}
	return qnxshm.DeleteHandle(h)
}

// absent ends a case about a call of 8.0 that an older release lacks: it has answered
// as such a call has to.
func (c *trial) absent(err error) {
	if name := nameOf(err); before80 && c.rule.Since != "" && slices.Contains([]string{"ENOSYS", "EINVAL"}, name) {
		c.mu.Lock()
		c.lacks = name
		c.mu.Unlock()
		runtime.Goexit()
	}
}

// lacking checks that a case about 8.0 has found nothing in an older release.
func (c *trial) lacking() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before80 && c.rule.Since != "" && c.lacks == "" && !c.skipped && !c.failed {
		c.failed = true
		c.log = append(c.log, fmt.Sprintf("since %s, and this release has it", c.rule.Since))
	}
}
