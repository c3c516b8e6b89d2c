// Command probe reads the report of the program probe.c, which asks a QNX system
// about the rules of the ledger, and tells which rules the report confirms,
// refutes or leaves. With -w it writes that into the ledger.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

const usage = `usage: go run ./qnxshm/shmtest/probe [-w] REPORT

Reads what probe.c wrote on a target (docs/target.md), "-" for standard input.
`

func main() {
	write := flag.Bool("w", false, "write what the report shows into the ledger, as observed on that release")
	flag.Usage = func() {
		fmt.Fprint(os.Stderr, usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(os.Stdout, flag.Arg(0), *write); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, name string, write bool) error {
	file := os.Stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil {
			return err
		}
		defer file.Close()
	}
	r, err := parse(file)
	if err != nil {
		return err
	}
	verdicts := judge(r, shmtest.Ledger())
	describe(w, r, verdicts)
	if !write {
		return nil
	}
	if r.host() {
		return errors.New("this report is not from QNX: nothing is written")
	}
	dir, err := ledgerDir()
	if err != nil {
		return err
	}
	changed, err := rewrite(dir, r, verdicts)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d rows of the ledger changed. Now: go generate ./qnxshm/shmtest && go test ./qnxshm ./qnxshm/shmtest\n", changed)
	return nil
}

// ledgerDir is the directory of package shmtest, in the module that the working
// directory is in.
func ledgerDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		candidate := filepath.Join(dir, "qnxshm", "shmtest")
		if _, err := os.Stat(filepath.Join(candidate, "ledger.go")); err == nil {
			return candidate, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no ledger here: run this within the repository")
		}
		dir = parent
	}
}
