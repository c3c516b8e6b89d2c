//go:build linux

package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkIdleConnection tells what a connection takes that was used once and is idle
// now: memory that was touched, of what both share, and descriptors. To time there is
// nothing.
func BenchmarkIdleConnection(b *testing.B) {
	const clients = 16
	other, name := serverName(), serverName()
	startPeer(b, nil, "message-server", other)
	server := startPeer(b, nil, "message-server", name)
	connect := func() (p *peer, client holding) {
		p = startPeer(b, nil, "connector", other, name)
		before := held(b, p)
		p.run(b, 1)
		return p, held(b, p).minus(before)
	}
	connect() // what a first client costs once is there now
	before := held(b, server)
	var peers []*peer
	var ofClients holding
	for range clients {
		p, client := connect()
		peers = append(peers, p)
		ofClients = ofClients.plus(client)
	}
	ofServer := held(b, server).minus(before)
	// What a connection shares with no other client, each page counted once.
	var together int64
	for _, p := range peers {
		m := held(b, p)
		together += m.pss / 2 // of two connections, which are alike
	}
	together += ofServer.pss
	each := func(n int64) float64 { return float64(n) / clients }
	record(row{
		what: "memory touched for an idle connection",
		ours: fmt.Sprintf("%.0f KiB; mapped by the server %.0f, by the client %.0f", each(together)/1024, each(ofServer.rss)/1024, each(ofClients.rss)/1024),
		goal: "≤ 64 KiB",
	})
	record(row{
		what: "descriptors for an idle connection, server and client",
		ours: fmt.Sprintf("%.1f, %.1f", each(ofServer.descriptors), each(ofClients.descriptors)),
		goal: "1 each",
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(each(together), "B/connection")
	b.ReportMetric(each(ofServer.descriptors), "descriptors-server")
	b.ReportMetric(each(ofClients.descriptors), "descriptors-client")
}

// connector opens the first of its names, and each time that it runs the next one, and
// uses each connection once.
func connector(names []string) (*job, error) {
	next := func(int) error {
		if len(names) == 0 {
			return fmt.Errorf("no name is left")
		}
		j, err := messageClient(names[:1])
		if err != nil {
			return err
		}
		names = names[1:]
		_, err = j.do(1)
		return err
	}
	if err := next(1); err != nil {
		return nil, err
	}
	return obey(report{}, next)
}

// holding is what a process has for its connections. Of pages that several processes
// have mapped pss has a share only.
type holding struct{ size, rss, pss, descriptors int64 }

func (h holding) plus(o holding) holding {
	return holding{h.size + o.size, h.rss + o.rss, h.pss + o.pss, h.descriptors + o.descriptors}
}

func (h holding) minus(o holding) holding {
	return h.plus(holding{-o.size, -o.rss, -o.pss, -o.descriptors})
}

// held looks at a peer from outside.
func held(b *testing.B, p *peer) holding {
	b.Helper()
	h, err := messageMemory(p.PID())
	if err != nil {
		b.Fatal(err)
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		b.Fatal(err)
	}
	h.descriptors = int64(len(fds))
	return h
}

// messageMemory is the memory of a process that carries messages.
func messageMemory(pid int) (h holding, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return h, err
	}
	ours := false
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		var kilobytes int64
		if strings.Contains(key, "-") { // a range of addresses begins a mapping
			ours = strings.Contains(line, "memfd:qnxshm-message")
			continue
		}
		if _, err := fmt.Sscan(value, &kilobytes); err != nil || !ours {
			continue
		}
		switch key {
		case "Size":
			h.size += kilobytes << 10
		case "Rss":
			h.rss += kilobytes << 10
		case "Pss":
			h.pss += kilobytes << 10
		}
	}
	if h.size == 0 {
		return h, fmt.Errorf("process %d has no memory that carries messages", pid)
	}
	return h, nil
}
