// Command gencontract writes the ledger of package shmtest as a document to the
// file it is given.
package main

import (
	"fmt"
	"os"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gencontract file")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], shmtest.Contract(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "gencontract:", err)
		os.Exit(1)
	}
}
