//go:build linux

package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

const (
	idleAttachments = 400
	attachers       = 4
	busyClients     = 16
	busyProcesses   = 4
)

// BenchmarkCrowds sends 64 bytes where there are more receivers or clients than one,
// beside one of each.
func BenchmarkCrowds(b *testing.B) {
	for _, place := range []struct {
		cpus  int
		where string
	}{{2, "free on two CPUs"}, {1, "all on one CPU"}} {
		b.Run(fmt.Sprintf("cpus=%d", place.cpus), func(b *testing.B) { crowds(b, allowedCPUs(b, place.cpus), place.where) })
	}
}

func crowds(b *testing.B, set cpuSet, where string) {
	size := fmt.Sprint(messageSize)
	beside := besideIdle(b, set)
	took := alternate(b, 4000,
		goSide("message", size)(b, set),
		goSide("message", size, "2")(b, set),
		goSide("message", size, "4")(b, set),
		beside.side,
		manyClients(b, set))
	beside.check(b)
	for i, what := range []string{
		"2 receivers",
		"4 receivers",
		fmt.Sprintf("%d other clients that are idle", idleAttachments),
		fmt.Sprintf("%d clients that send, in %d processes", busyClients, busyProcesses),
	} {
		t := took[i+1]
		r := comparison(b, fmt.Sprintf("a message of 64 bytes, %s, %s", what, where), "plain", t, took[0], "≤ 1.5")
		r.ours += fmt.Sprintf(", %.0f/s", 1/t.median().Seconds())
		r.baseline += " with one each"
		record(r)
	}
}

// besideIdle is a server that lasts, with idle clients; each round has a new one that
// is not.
func besideIdle(b *testing.B, set cpuSet) (idle idleCrowd) {
	name := serverName()
	startPeer(b, set, "message-server", name)
	for range attachers {
		idle.attachers = append(idle.attachers, startPeer(b, nil, "attacher", name, fmt.Sprint(idleAttachments/attachers)))
	}
	idle.side = func(n int) time.Duration { return warm(b, startPeer(b, set, "message-client", name), n) }
	return idle
}

type idleCrowd struct {
	side      side
	attachers []*peer
}

// check finds out whether the idle ones are attached still.
func (c idleCrowd) check(b *testing.B) {
	for _, p := range c.attachers {
		p.run(b, 1)
	}
}

// manyClients is all clients at the same time, which send n messages together.
func manyClients(b *testing.B, set cpuSet) side {
	return func(n int) time.Duration {
		name := serverName()
		server := startPeer(b, set, "message-server", name)
		defer server.stop(b)
		clients := make([]*peer, busyProcesses)
		for i := range clients {
			clients[i] = startPeer(b, set, "message-client", name, fmt.Sprint(messageSize), fmt.Sprint(busyClients/busyProcesses))
			defer clients[i].stop(b)
		}
		runAll(b, clients, n*busyClients/2)
		return runAll(b, clients, n*busyClients) / busyClients
	}
}

// runAll lets peers do n together, and returns how long that takes.
func runAll(b *testing.B, peers []*peer, n int) time.Duration {
	b.Helper()
	began := time.Now()
	answered := make([]func() report, len(peers))
	for i, p := range peers {
		answered[i] = p.begin(b, "run", n/len(peers))
	}
	for _, answer := range answered {
		answer()
	}
	return time.Since(began)
}

// attacher attaches to the channel of a name again and again, as many processes would,
// and sends nothing. When it runs it finds out whether it is attached still.
func attacher(args []string) (*job, error) {
	n, err := number(args, 1, 1)
	if err != nil {
		return nil, err
	}
	coid, err := message.NameOpen(args[0]) // the first
	if err != nil {
		return nil, err
	}
	server, err := message.ConnectServerInfo(coid)
	if err != nil {
		return nil, err
	}
	memory, err := messageMemory(os.Getpid())
	if err != nil {
		return nil, err
	}
	attached := make([]*procnto.Outbound, n-1)
	for i := range attached {
		if attached[i], err = attachOnce(server, memory.size); err != nil {
			return nil, fmt.Errorf("attachment %d: %w", i+2, err)
		}
	}
	return obey(report{}, func(int) error {
		for _, out := range attached {
			if revents, err := linux.PollIn(out.Descriptor()); err != nil || revents != 0 {
				return errors.Join(err, errors.New("the server has let go of an idle client"))
			}
		}
		return nil
	})
}

// attachOnce attaches with memory of its own, that wants to be rung.
func attachOnce(server message.ServerInfo, size int64) (*procnto.Outbound, error) {
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	out, _, err := procnto.Dial(server.PID, &wire.HelloAttach{ChannelID: int32(server.ChannelID)})
	if err != nil {
		return nil, err
	}
	fd, err := linux.Memfd("bench-attachment")
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, size); err != nil {
		return nil, err
	}
	if _, err := unix.Pwrite(fd, binary.NativeEndian.AppendUint32(nil, 1), 0); err != nil {
		return nil, err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, err
	}
	f := wire.Segment{Part: wire.Part{Size: size, Length: size}}
	return out, out.Packet().Send(out.Descriptor(), &f, nil, fd)
}
