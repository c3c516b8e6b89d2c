//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkSystemCalls counts the system calls for a message of 64 bytes, and how often
// a thread is put to sleep for one.
//
// The calls are counted by strace, which makes each of them slow. It does not look at
// sched_yield: a process whose yields are slow tries no more, and sleeps each time, so
// that others would be counted than are made.
func BenchmarkSystemCalls(b *testing.B) {
	for _, place := range []struct {
		cpus  int
		where string
	}{{2, "free on two CPUs"}, {1, "both on one CPU"}} {
		b.Run(fmt.Sprintf("cpus=%d", place.cpus), func(b *testing.B) {
			set := allowedCPUs(b, place.cpus)
			countSleeps(b, set, place.where)
			countCalls(b, set, place.where)
		})
	}
}

func countSleeps(b *testing.B, set cpuSet, where string) {
	name := serverName()
	server := startPeer(b, set, "message-server", name)
	client := startPeer(b, set, "message-client", name)
	counted := many(10_000)
	client.run(b, counted/10)
	of := func(p *peer) float64 { return float64(p.sleeps(b)) / float64(counted) }
	ofServer, ofClient := -of(server), -of(client)
	client.run(b, counted)
	ofServer, ofClient = ofServer+of(server), ofClient+of(client)
	record(row{
		what: "sleeps of threads for a message of 64 bytes, server and client, " + where,
		ours: fmt.Sprintf("%.3f, %.3f", ofServer, ofClient),
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ofServer, "sleeps-server")
	b.ReportMetric(ofClient, "sleeps-client")
	client.stop(b)
	server.stop(b)
}

// sleeps is how often threads of the peer have waited in the kernel, seen from outside.
func (p *peer) sleeps(b *testing.B) (sum int) {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID()))
	if err != nil || len(threads) == 0 {
		b.Fatal("no threads: ", err)
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		_, after, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
		n, err := strconv.Atoi(strings.TrimSpace(firstLine(after)))
		if err != nil {
			b.Fatalf("%s: %v", thread, err)
		}
		sum += n
	}
	return sum
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func countCalls(b *testing.B, set cpuSet, where string) {
	baseline := buildBaseline(b)
	what := "system calls but sched_yield for a message of 64 bytes, server and client, " + where
	probe := traceArgs(os.DevNull, "true")
	if err := exec.Command(probe[0], probe[1:]...).Run(); err != nil {
		why := fmt.Sprint("skipped: strace: ", err)
		record(row{what: what, ours: why})
		b.Skip(why)
	}
	// What a process calls besides, once in its life, is in both numbers.
	counted := many(20_000)
	few := counted / 10
	server, client := ofOurs(b, set, few+counted)
	lessServer, lessClient := ofOurs(b, set, few)
	ofServer, ofClient := server.since(lessServer, counted), client.since(lessClient, counted)
	theirs := ofBaseline(b, set, baseline, few+counted).since(ofBaseline(b, set, baseline, few), counted)
	record(row{
		what:     what,
		ours:     fmt.Sprintf("%v, %v", ofServer, ofClient),
		baseline: fmt.Sprintf("%v both", theirs),
		ratio:    fmt.Sprintf("%.2f", (ofServer.sum()+ofClient.sum())/theirs.sum()),
	})
	b.ReportMetric(ofServer.sum(), "calls-server")
	b.ReportMetric(ofClient.sum(), "calls-client")
	b.ReportMetric(theirs.sum(), "C-calls")
}

// ofOurs is what server and client call in their lives, in which n messages are sent.
func ofOurs(b *testing.B, set cpuSet, n int) (server, client callCounts) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	name := serverName()
	s, serverCalls := traced(b, set, "message-server", self)
	s.ask(b, "begin", []string{name})
	c, clientCalls := traced(b, set, "message-client", self)
	c.ask(b, "begin", []string{name})
	c.run(b, n)
	c.stop(b)
	s.stop(b)
	return serverCalls(), clientCalls()
}

func ofBaseline(b *testing.B, set cpuSet, baseline string, n int) callCounts {
	b.Helper()
	p, calls := traced(b, set, "baseline", baseline, "message", fmt.Sprint(messageSize))
	p.run(b, n)
	p.stop(b)
	return calls()
}

// traceArgs are the command that counts the system calls of a program. Those that it
// does not look at run as without it.
func traceArgs(output string, program ...string) []string {
	return append([]string{"strace", "-f", "--seccomp-bpf", "-c", "-o", output, "-e", "trace=!sched_yield"}, program...)
}

// traced starts a peer whose system calls can be told when it has ended.
func traced(b *testing.B, set cpuSet, role string, program ...string) (*peer, func() callCounts) {
	b.Helper()
	output := filepath.Join(b.TempDir(), "calls")
	p := start(b, set, role, traceArgs(output, program...)...)
	return p, func() callCounts {
		text, err := os.ReadFile(output)
		if err != nil {
			b.Fatal(err)
		}
		calls, err := parseCalls(string(text))
		if err != nil {
			b.Fatal(err)
		}
		return calls
	}
}

// callCounts are numbers of system calls by name.
type callCounts map[string]int

// parseCalls reads what strace has counted: lines that begin with share, seconds,
// microseconds for each and number, and end with the name.
func parseCalls(text string) (callCounts, error) {
	calls := make(callCounts)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 || f[0] == "%" || strings.HasPrefix(f[0], "-") || f[len(f)-1] == "total" {
			continue
		}
		n, err := strconv.Atoi(f[3])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		calls[f[len(f)-1]] += n
	}
	if len(calls) == 0 {
		return nil, errors.New("strace has counted nothing")
	}
	return calls, nil
}

// since is how many more there are than in less, for each of n messages. Of what a
// process calls now and then there may be fewer.
func (c callCounts) since(less callCounts, n int) callRates {
	rates := make(callRates)
	for name, calls := range c {
		rates[name] = max(0, float64(calls-less[name])/float64(n))
	}
	return rates
}

// callRates are numbers of system calls for a message, by name.
type callRates map[string]float64

func (c callRates) sum() (sum float64) {
	for _, rate := range c {
		sum += rate
	}
	return sum
}

// String gives the sum, and in parentheses the names that are worth it.
func (c callRates) String() string {
	var names []string
	for name, rate := range c {
		if rate >= 0.01 {
			names = append(names, fmt.Sprintf("%s %.2f", name, rate))
		}
	}
	slices.Sort(names)
	return strings.TrimSuffix(fmt.Sprintf("%.2f (%s)", c.sum(), strings.Join(names, ", ")), " ()")
}
