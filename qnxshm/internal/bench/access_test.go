//go:build linux

package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
)

// mapped returns a mapping of size bytes, present in memory.
func mapped(b *testing.B, size int) *qnxshm.Mapping {
	b.Helper()
	obj, err := qnxshm.Create(int64(size))
	require.NoError(b, err)
	defer obj.Close()
	mem, err := obj.Map(qnxshm.ReadWrite)
	require.NoError(b, err)
	b.Cleanup(func() { mem.Unmap() })
	clear(mem.Bytes())
	return mem
}

// timing makes a side of what is done n times.
func timing(do func()) side {
	return func(n int) time.Duration {
		start := time.Now()
		for range n {
			do()
		}
		return time.Since(start)
	}
}

// BenchmarkView copies 8 bytes out of a mapping, in View and without any guard.
func BenchmarkView(b *testing.B) {
	mem := mapped(b, pageSize)
	memory, to := mem.Bytes(), make([]byte, 8)
	bare := timing(func() { copy(to, memory[64:72]) })
	guarded := timing(func() {
		err := mem.View(func(memory []byte) error {
			copy(to, memory[64:72])
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	const n = 100_000
	took := alternate(b, n, inHundreds(guarded), inHundreds(bare))
	cost := took[0].median() - took[1].median()
	b.ReportMetric(float64(cost.Nanoseconds())/100, "ns/guard")
	record(row{
		what:     "copy 8 bytes in View",
		ours:     nanos(took[0]),
		baseline: nanos(took[1]) + " without",
		ratio:    fmt.Sprintf("+%.1f ns", float64(cost.Nanoseconds())/100),
		goal:     "≤ +25 ns",
	})
}

// inHundreds makes an operation of a hundred, because times are whole
// nanoseconds.
func inHundreds(s side) side {
	return func(n int) time.Duration { return s(n) * 100 }
}

func nanos(t times) string { return fmt.Sprintf("%.1f ns", float64(t.median().Nanoseconds())/100) }

// BenchmarkReadAt copies 1 MiB out of a mapping, with ReadAt and with copy.
func BenchmarkReadAt(b *testing.B) {
	const size = 1 << 20
	mem := mapped(b, size)
	memory, to := mem.Bytes(), make([]byte, size)
	bare := timing(func() { copy(to, memory) })
	guarded := timing(func() {
		if _, err := mem.ReadAt(to, 0); err != nil {
			b.Fatal(err)
		}
	})
	took := alternate(b, 200, guarded, bare)
	speed := took[1].median().Seconds() / took[0].median().Seconds()
	b.ReportMetric(speed, "x-of-copy")
	record(row{
		what:     "copy 1 MiB by ReadAt",
		ours:     took[0].String(),
		baseline: took[1].String() + " without",
		ratio:    fmt.Sprintf("%.0f %% of the speed", 100*speed),
		goal:     "≥ 95 %",
	})
}
