//go:build linux

package message_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// mapMuch has a server map buffers of many parts, for each slot of many, on client after
// client, and tells how many parts it has sent.
func mapMuch(socket string, chid, clients, segments int) (parts int, err error) {
	const page = 4096
	fd := memoryFile(page, message.SharedSeals)
	defer unix.Close(fd)
	for range clients {
		c, err := join(socket, chid)
		if err != nil {
			return parts, err
		}
		for k := 1; k < segments; k++ {
			if err := c.share(k); err != nil {
				return parts, err
			}
		}
		slots := message.FirstSegment<<segments - message.FirstSegment
		for slot := range uint32(slots) {
			for i := range int64(message.MaxParts) {
				err := c.Say(&wire.Buffer{Slot: slot, Number: 1, Part: wire.Part{Size: message.MaxParts * page, Offset: i * page, Length: page}}, fd)
				if err == syscall.EPIPE || err == syscall.ECONNRESET { // it is enough
					return parts, nil
				}
				if err != nil {
					return parts, err
				}
				parts++
			}
		}
	}
	return parts, nil
}

// TestManyMappings: what one client has a server map leaves room for others.
func TestManyMappings(t *testing.T) {
	testproc.TakesLong(t, "tens of thousands of mappings")
	server, good, hostile := testproc.Start(t, "node"), testproc.Start(t, "node"), startStranger(t)
	chid := server.Do("serveall", nameOf(server)).Int()
	good.Do("measuresend", nameOf(server), 100<<10, 20*time.Millisecond)
	before := mappings(t, server.PID(), "")
	v, err := hostile.Begin("mapmuch", processSocket(server.PID()), chid, 1, 1).Within(3 * testproc.Patience)
	require.NoError(t, err)
	t.Logf("parts: %v, mappings: %d", v, mappings(t, server.PID(), ""))
	require.Less(t, mappings(t, server.PID(), ""), 32<<10)
	after := good.Begin("measuresend", nameOf(server), 100<<10, 100*time.Millisecond)
	requirePrompt(t, time.Second, []measured{{"large messages", after}})
	hostile.Kill()
	testproc.Eventually(t, testproc.LeakLimit, func() bool { return mappings(t, server.PID(), "") <= before+40 }, "they stay")
}

// bury sends a channel buffer after buffer of much memory, of which the channel is the
// last one to have it.
func bury(socket string, chid int, size int64, d time.Duration) (n int, err error) {
	c, err := join(socket, chid)
	if err != nil {
		return 0, err
	}
	defer c.close()
	for until := time.Now().Add(d); time.Now().Before(until) && err == nil; n++ {
		fd := memoryFile(size, message.SharedSeals)
		if err = unix.Fallocate(fd, 0, 0, size); err == nil {
			err = c.Say(&wire.Buffer{Slot: 1, Number: uint32(n) + 1, Part: whole(size)}, fd)
		}
		unix.Close(fd)
	}
	return n, err
}

// TestMuchMemory: giving back what somebody has shared may take long. Nobody else waits
// for that.
func TestMuchMemory(t *testing.T) {
	server, good, hostile := testproc.Start(t, "node"), testproc.Start(t, "node"), startStranger(t)
	chid := server.Do("serveall", nameOf(server)).Int()
	d := lasting(time.Second)
	call := hostile.Begin("bury", processSocket(server.PID()), chid, 1<<30, d)
	requirePrompt(t, d, []measured{
		{"the same channel", good.Begin("measuresend", nameOf(server), 100, d)},
		{"CreateHandle", server.Begin("measurehandles", good.PID(), d)},
	})
	v, err := call.Wait()
	require.NoError(t, err)
	require.NotZero(t, v.Int())
}
