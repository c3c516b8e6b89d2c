//go:build linux

package procnto

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A process listens on the abstract name that its number makes, from the first
// time on that others may want something of it until it ends: nobody else can have
// the name then. Where somebody else has it already, be it a stranger or a child
// that still holds a dead process's socket, it listens on the same with random
// digits behind it, which the kernel lists to whoever looks (dial.go).

// serving is set once this process listens.
var serving atomic.Pointer[Service]

var startingToServe sync.Mutex

// Serve lets others reach this process.
func Serve() (*Service, error) {
	if s := serving.Load(); s != nil {
		return s, nil
	}
	startingToServe.Lock()
	defer startingToServe.Unlock()
	if s := serving.Load(); s != nil {
		return s, nil
	}
	s, err := startService()
	if err != nil {
		return nil, err
	}
	name, err := s.listenAsProcess()
	if err != nil {
		return nil, err
	}
	p, err := processOf(self().pid)
	if err != nil {
		return nil, err
	}
	p.reached(name)
	serving.Store(s)
	return s, nil
}

func (s *Service) listenAsProcess() (name string, err error) {
	name = processSocket(self().pid)
	_, err = s.listen(name, nil, roleOf)
	for range 3 {
		if err != syscall.EADDRINUSE {
			break
		}
		name = processSocket(self().pid) + nameSuffix()
		_, err = s.listen(name, nil, roleOf)
	}
	if err == syscall.EADDRINUSE {
		err = qnxerr.Cause{Errno: syscall.EAGAIN, Text: "other processes have taken the socket names of this one"}
	}
	return name, err
}

// Listen takes connections under another name than the process's. EADDRINUSE:
// somebody has the name.
func Listen(name string, standsFor any) (*Listener, error) {
	s, err := Serve()
	if err != nil {
		return nil, err
	}
	return s.listen(name, standsFor, roleOf)
}

// otherRoles gives roles to connections that are not about handles. Package message
// hands it down.
var otherRoles atomic.Pointer[Roles]

// GiveRoles lets f give roles to connections whose hello this package does not
// know.
func GiveRoles(f Roles) { otherRoles.Store(&f) }

// roleOf gives a connection its role.
func roleOf(c *Conn, hello wire.Frame) (Role, *wire.Welcome) {
	switch hello.(type) {
	case *wire.HelloHandles:
		return newRequests(c), new(wire.Welcome)
	case *wire.HelloLink:
		return newLink(c)
	}
	if f := otherRoles.Load(); f != nil {
		return (*f)(c, hello)
	}
	return nil, &wire.Welcome{Errno: int32(syscall.ESRCH)}
}
