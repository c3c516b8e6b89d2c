//go:build linux

package linux

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// OwnCredentials are the real, effective and saved ids of this process, and its
// supplementary groups.
func OwnCredentials() (uid, gid [3]int, groups []int) {
	uid[0], uid[1], uid[2] = unix.Getresuid()
	gid[0], gid[1], gid[2] = unix.Getresgid()
	groups, _ = unix.Getgroups()
	return uid, gid, groups
}

// CredentialsOf are those of the process pid, if the system tells them.
func CredentialsOf(pid int) (uid, gid [3]int, groups []int, err error) {
	status, err := ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return uid, gid, nil, err
	}
	return parseStatus(status)
}

func parseStatus(status []byte) (uid, gid [3]int, groups []int, err error) {
	found := 0
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		if name != "Uid" && name != "Gid" && name != "Groups" {
			continue
		}
		var ids []int
		for _, field := range strings.Fields(rest) {
			id, err := strconv.ParseUint(field, 10, 32)
			if err != nil {
				return uid, gid, nil, syscall.EIO
			}
			ids = append(ids, int(id))
		}
		switch {
		case name == "Groups":
			groups = ids
		case len(ids) < 3:
			return uid, gid, nil, syscall.EIO
		case name == "Uid":
			copy(uid[:], ids)
		default:
			copy(gid[:], ids)
		}
		found++
	}
	if found != 3 {
		return uid, gid, nil, syscall.EIO
	}
	return uid, gid, groups, nil
}
