package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

// What an answer says about its rule.
type outcome string

const (
	confirms  outcome = "confirms"
	otherwise outcome = "otherwise" // than the host, as the row allows a target
	refutes   outcome = "refutes"
	leaves    outcome = "leaves" // it says nothing for or against the rule
	tells     outcome = "tells"  // of what is in no rule
)

type verdict struct {
	answer
	outcome outcome
	rule    *shmtest.Rule // nil for what is in no rule
	why     string        // it leaves the rule
}

// judge holds the answers against the rules.
func judge(r *report, rules []shmtest.Rule) []verdict {
	byID := make(map[string]*shmtest.Rule)
	for i := range rules {
		byID[rules[i].ID] = &rules[i]
	}
	var all []verdict
	for _, a := range r.answers {
		v := verdict{answer: a, rule: byID[a.id]}
		switch {
		case v.rule != nil:
			v.outcome, v.why = judgeRule(v.rule, a.text)
		case strings.HasPrefix(a.id, "ask/"):
			v.outcome = tells
		default:
			v.outcome, v.why = leaves, "the ledger has no such rule: take probe.c and this program from one commit"
		}
		all = append(all, v)
	}
	return all
}

var errnoName = regexp.MustCompile(`^(E[A-Z0-9]+|errno-\d+)$`)

func judgeRule(rule *shmtest.Rule, text string) (outcome, string) {
	switch {
	case text == "absent":
		return leaves, "the release does not have the call"
	case text == "hangs", strings.HasPrefix(text, "not asked"), strings.HasPrefix(text, "died"):
		return leaves, "there is no answer"
	case rule.Evidence == shmtest.Module:
		return leaves, "the rule is this module's own"
	case !rule.IsErrno():
		switch {
		case text == "yes":
			return confirms, ""
		case text == "no" || strings.HasPrefix(text, "no: "):
			return refutes, ""
		}
		return leaves, "neither yes nor no"
	}
	result := confirms
	for _, name := range strings.Fields(text) {
		switch {
		case !errnoName.MatchString(name):
			return leaves, "not an errno"
		case name == rule.Effect:
		case slices.Contains(rule.AlsoAccept, name):
			if result == confirms {
				result = otherwise
			}
		default:
			result = refutes
		}
	}
	return result, ""
}

// describe writes what the report says, the most interesting first.
func describe(w io.Writer, r *report, verdicts []verdict) {
	if r.host() {
		fmt.Fprintf(w, "This report is from the host (%s): it shows that the probe works, and says nothing about QNX.\n\n", r.header["system"])
	}
	fmt.Fprintf(w, "%s %s, %s, compiled for %s, user: %s: %d answers\n", r.header["system"], r.header["release"], r.header["machine"],
		r.header["compiled"], r.header["user"], len(verdicts))
	for _, list := range []struct {
		outcome outcome
		title   string
	}{
		{refutes, "refutes"},
		{otherwise, "answers otherwise, as the row allows"},
		{leaves, "leaves"},
		{tells, "tells besides"},
		{confirms, "confirms"},
	} {
		var lines []string
		for _, v := range verdicts {
			if v.outcome == list.outcome {
				lines = append(lines, "  "+v.line())
			}
		}
		fmt.Fprintf(w, "\n%s: %d\n%s", list.title, len(lines), strings.Join(append(lines, ""), "\n"))
	}
}

func (v verdict) line() string {
	line := v.id + ": " + v.text
	switch v.outcome {
	case leaves:
		line += " (" + v.why + ")"
	case refutes, otherwise, confirms:
		line += fmt.Sprintf(" (%s: %s)", v.rule.Evidence, v.rule.Effect)
	}
	return line
}
