package shmtest

import (
	"bytes"
	"fmt"
	"strings"
)

//go:generate go test -count=1 -run ^TestContractIsUpToDate$ . -update

const contractHeader = `# Contract

What a program may rely on, call by call, and why it is believed. This file is made
from the ledger in ledger.go by ` + "`go generate ./qnxshm/shmtest`" + `; each row has one test case of
the same id: ` + "`go test ./qnxshm -run 'TestConformance/<id>$'`" + `. What only programs in C can meet
begins with "In C:", and its case is ` + "`go test ./qnxshm/qnxhost -run 'TestCRules/.*/<id>$'`" + `.

The host must answer exactly as the result says. "Also" lists what a target may answer
besides. The evidence is one of

- *documented*: a published QNX manual says so;
- *observed*: code or tests that run on QNX show it;
- *older*: the published source of QNX Neutrino 6.4 (2009) does so, newer manuals are silent;
- *assumed*: nobody says; the most careful reading, which a target may contradict;
- *module*: what this module adds to the call, or what the host cannot do as a target does:
  no answer of a target is for or against it.

probe/probe.c asks a target about every rule that is assumed or older (docs/target.md):
the questions are at the end.

`

// contract returns the ledger as a Markdown document.
func contract() []byte {
	var b bytes.Buffer
	b.WriteString(contractHeader)
	var calls []string
	byCall := make(map[string][]Rule)
	for _, r := range ledger {
		if byCall[r.Call] == nil {
			calls = append(calls, r.Call)
		}
		byCall[r.Call] = append(byCall[r.Call], r)
	}
	writeCounts(&b, calls, byCall)
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
			condition := r.Condition
			if r.OnlyC {
				condition = "In C: " + condition
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s: %s | %s | %s |\n", r.ID, cell(condition), cell(effect), r.Evidence, cell(r.Source), releases, cell(r.HostDiffers))
		}
	}
	writeQuestions(&b)
	return b.Bytes()
}

// writeQuestions lists what nobody has seen on a target that anybody can run a
// program on, with what the probe asks about it.
func writeQuestions(b *bytes.Buffer) {
	text := make(map[string]string)
	for id, reason := range unasked {
		text[id] = reason
	}
	for _, q := range Questions() {
		text[q.ID] = q.Text
	}
	for _, list := range []struct {
		kind  Evidence
		title string
	}{
		{Assumed, "Assumed, and nobody knows"},
		{Older, "So in 6.4, and nobody knows whether it still is"},
	} {
		fmt.Fprintf(b, "\n## %s\n\n| question for a target | the host's answer | id |\n|---|---|---|\n", list.title)
		for _, r := range ledger {
			if r.Evidence == list.kind {
				fmt.Fprintf(b, "| %s | %s | %s |\n", cell(text[r.ID]), cell(r.Effect), r.ID)
			}
		}
	}
	b.WriteString("\n## Asked besides, without a rule\n\n| question for a target | id |\n|---|---|\n")
	for _, q := range Questions() {
		if strings.HasPrefix(q.ID, askPrefix) {
			fmt.Fprintf(b, "| %s | %s |\n", cell(q.Text), q.ID)
		}
	}
}

// writeCounts writes how many rules rest on what.
func writeCounts(b *bytes.Buffer, calls []string, byCall map[string][]Rule) {
	row := func(name string, rules []Rule) {
		fmt.Fprintf(b, "| %s | %d |", name, len(rules))
		for _, kind := range evidenceKinds {
			n := 0
			for _, r := range rules {
				if r.Evidence == kind {
					n++
				}
			}
			fmt.Fprintf(b, " %d |", n)
		}
		b.WriteByte('\n')
	}
	b.WriteString("## How much rests on what\n\n| call | rules |")
	for _, kind := range evidenceKinds {
		fmt.Fprintf(b, " %s |", kind)
	}
	b.WriteString("\n|---|---|---|---|---|---|---|\n")
	for _, call := range calls {
		row(call, byCall[call])
	}
	row("all", ledger)
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
