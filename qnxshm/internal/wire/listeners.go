//go:build linux

package wire

import (
	"bytes"
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// A Listener is a socket that listens under an abstract name.
type Listener struct {
	Name string
	UID  uint32 // of who made it
	// KnowsUID is false where the kernel tells names only.
	KnowsUID bool
}

// Listeners returns the sockets that listen under abstract names that begin with
// prefix. (The kernel has those that were accepted, or wait to be, under the name of
// their listener, too.)
func Listeners(prefix string) []Listener {
	if found, err := diagnosed(prefix); err == nil {
		return found
	}
	return listed(prefix)
}

// listed is Listeners by /proc, which does not tell whose they are.
func listed(prefix string) (found []Listener) {
	list, err := linux.ReadFile("/proc/net/unix")
	if err != nil {
		return nil
	}
	// Num RefCount Protocol Flags Type St Inode Path
	listens, start := []byte(" 00010000 "), []byte(" @"+prefix)
	for line := range bytes.Lines(list) {
		if i := bytes.Index(line, start); i >= 0 && bytes.Contains(line[:i], listens) {
			found = append(found, Listener{Name: string(bytes.TrimSuffix(line[i+2:], []byte("\n")))})
		}
	}
	return found
}

// What <linux/sock_diag.h> and <linux/unix_diag.h> say.
const (
	sockDiagByFamily = 20
	stateListen      = 10
	showName         = 0x1
	showUID          = 0x40 // since Linux 5.3
	attributeName    = 0
	attributeUID     = 7
	diagMessageSize  = 16
)

// diagnosed is Listeners by netlink.
func diagnosed(prefix string) ([]Listener, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	e := binary.NativeEndian
	request := make([]byte, unix.SizeofNlMsghdr+24)
	e.PutUint32(request[0:], uint32(len(request)))
	e.PutUint16(request[4:], sockDiagByFamily)
	e.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request[unix.SizeofNlMsghdr] = unix.AF_UNIX
	e.PutUint32(request[unix.SizeofNlMsghdr+4:], 1<<stateListen)
	e.PutUint32(request[unix.SizeofNlMsghdr+12:], showName|showUID)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	var found []Listener
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		for b := buf[:n]; len(b) >= unix.SizeofNlMsghdr; {
			size := int(e.Uint32(b))
			if size < unix.SizeofNlMsghdr || size > len(b) {
				return nil, ErrMalformed
			}
			switch e.Uint16(b[4:]) {
			case unix.NLMSG_DONE:
				return found, nil
			case unix.NLMSG_ERROR:
				return nil, unix.ENOTSUP
			}
			if l := listenerOf(b[unix.SizeofNlMsghdr:size]); strings.HasPrefix(l.Name, prefix) {
				found = append(found, l)
			}
			b = b[min(align4(size), len(b)):]
		}
	}
}

// listenerOf reads what the kernel tells of one socket.
func listenerOf(message []byte) (l Listener) {
	e := binary.NativeEndian
	for b := message[min(diagMessageSize, len(message)):]; len(b) >= 4; {
		size := int(e.Uint16(b))
		if size < 4 || size > len(b) {
			break
		}
		switch data := b[4:size]; e.Uint16(b[2:]) {
		case attributeName:
			if len(data) > 0 && data[0] == 0 { // else it is a path
				l.Name = string(data[1:])
			}
		case attributeUID:
			if len(data) == 4 {
				l.UID, l.KnowsUID = e.Uint32(data), true
			}
		}
		b = b[min(align4(size), len(b)):]
	}
	return l
}

func align4(n int) int { return (n + 3) &^ 3 }
