//go:build linux

package bench

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkCFace sends 64 bytes between two programs in C, which use the library.
func BenchmarkCFace(b *testing.B) {
	program := buildCFace(b)
	contest{
		what: "MsgSend, MsgReceive, MsgReply of 64 bytes between C programs", n: 4000,
		kind: "message", args: []string{fmt.Sprint(messageSize)},
		ours: func(b *testing.B, set cpuSet) side {
			return func(n int) time.Duration {
				name := serverName()
				server := start(b, set, "cface-server", program, "server", name)
				defer server.stop(b)
				return warm(b, start(b, set, "cface-client", program, "client", name), n)
			}
		},
		one: "≤ 0.5", free: "≤ 0.3",
	}.run(b)
}

// buildCFace builds the library, and the program of the benchmark with it.
func buildCFace(b *testing.B) string {
	b.Helper()
	compiler(b)
	root, err := filepath.Abs("../../..")
	if err != nil {
		b.Fatal(err)
	}
	include := filepath.Join(root, "qnxshm/qnxhost/include")
	dir := b.TempDir()
	library, program := filepath.Join(dir, "libqnxhost.so"), filepath.Join(dir, "cface")
	cflags := os.Getenv("CGO_CFLAGS")
	if cflags == "" {
		cflags = "-g -O2" // as the go command's default
	}
	// The build cache does not watch the headers, because no package has them in its
	// own directory.
	cflags += " -DQNXHOST_HEADERS=0x" + hashOf(b, include)
	for _, args := range [][]string{
		{"go", "build", "-trimpath", "-buildmode=c-shared", "-o", library, "./qnxshm/qnxhost/lib"},
		{compiler(b), "-O2", "-Wall", "-I", include, "-o", program, "qnxshm/internal/bench/testdata/cface.c", library},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_CFLAGS="+cflags)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	return program
}

// hashOf is of all files in a directory.
func hashOf(b *testing.B, dir string) string {
	b.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		sum.Write(text)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}
