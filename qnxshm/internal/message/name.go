//go:build linux

package message

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// NameOpen is name_open, by a program in Go.
func NameOpen(name string) (coid int, err error) { return NameOpenFlags(name, OfGo) }

// NameOpenFlags is name_open, with the flags of the connection.
func NameOpenFlags(name string, flags uint32) (coid int, err error) {
	if err := checkName(name); err != nil {
		return 0, err
	}
	if err := linux.TimersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	out, w, err := procnto.DialName(nameSocket(name), new(wire.HelloName))
	if err == syscall.ESRCH {
		err = syscall.ENOENT
	}
	if err != nil {
		return 0, noDescriptors(err)
	}
	at, err := attachTo(out, w, false)
	if err != nil {
		return 0, noDescriptors(err)
	}
	return connections.add(at, flags), nil
}

// nameSocket is the name of the socket that stands for the name of a channel.
func nameSocket(name string) string {
	prefix := procnto.Space() + "name/"
	if len(prefix)+1+len(name) > wire.MaxName {
		sum := sha256.Sum256([]byte(name))
		return prefix + "#" + hex.EncodeToString(sum[:16])
	}
	return prefix + ":" + name
}

// checkName applies the rules for names of channels.
func checkName(name string) error {
	switch {
	case name == "", name[0] == '/', strings.IndexByte(name, 0) >= 0,
		slices.Contains(strings.Split(name, "/"), ".."):
		return syscall.EINVAL
	case len(name) > unix.NAME_MAX:
		return syscall.ENAMETOOLONG
	}
	return nil
}

// NameAttach publishes a channel of this process, as name_attach does.
func NameAttach(name string, chid int) (*Name, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	ch := channels.get(chid)
	if ch == nil {
		return nil, syscall.EINVAL
	}
	l, err := procnto.Listen(nameSocket(name), ch)
	if err == syscall.EADDRINUSE {
		return nil, syscall.EEXIST
	}
	if err != nil {
		return nil, noDescriptors(err)
	}
	n := &Name{l}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.gate.Closed() {
		n.Detach()
		return nil, syscall.EINVAL
	}
	ch.names = append(ch.names, n)
	return n, nil
}
