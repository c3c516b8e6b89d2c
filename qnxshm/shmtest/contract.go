package shmtest

import (
	"bytes"
	"fmt"
	"strings"
)

//go:generate go run ./internal/gencontract CONTRACT.md

const contractHeader = `# Contract

What a program may rely on, call by call, and why it is believed. This file is made
from the ledger in ledger.go by ` + "`go generate ./qnxshm/shmtest`" + `; each row has one test case of
the same id: ` + "`go test ./qnxshm -run 'TestConformance/<id>$'`" + `.

The host must answer exactly as the result says. "Also" lists what a target may answer
besides. Evidence is *documented* (a published QNX manual says so), *observed* (code or
tests that run on QNX show it) or *assumed* (nobody says; the most careful reading, which
a target may contradict).

`

// Contract returns the ledger as a Markdown document.
func Contract() []byte {
	var b bytes.Buffer
	b.WriteString(contractHeader)
	count := make(map[Evidence]int)
	for _, r := range ledger {
		count[r.Evidence]++
	}
	fmt.Fprintf(&b, "%d rules: %d documented, %d observed, %d assumed.\n", len(ledger), count[Documented], count[Observed], count[Assumed])
	var calls []string
	byCall := make(map[string][]Rule)
	for _, r := range ledger {
		if byCall[r.Call] == nil {
			calls = append(calls, r.Call)
		}
		byCall[r.Call] = append(byCall[r.Call], r)
	}
	for _, call := range calls {
		fmt.Fprintf(&b, "\n## %s\n\n", call)
		b.WriteString("| id | condition | result | evidence | releases | host differs |\n|---|---|---|---|---|---|\n")
		for _, r := range byCall[call] {
			effect := r.Effect
			if len(r.AlsoAccept) > 0 {
				effect += "; also " + strings.Join(r.AlsoAccept, ", ")
			}
			releases := "7.1, 8.0"
			if r.Since != "" {
				releases = r.Since
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s: %s | %s | %s |\n", r.ID, cell(r.Condition), cell(effect), r.Evidence, cell(r.Source), releases, cell(r.HostDiffers))
		}
	}
	return b.Bytes()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
