package shmtest

import (
	_ "embed"
	"regexp"
)

// probeSource is a C program that asks a target.
//
//go:embed probe/probe.c
var probeSource string

// A Question is one that the probe asks a target.
type Question struct {
	ID   string // of the rule it is about; or ask/ and a name, if it is about none
	Text string
}

// askPrefix begins the IDs of questions that are about no rule.
const askPrefix = "ask/"

var questionLine = regexp.MustCompile(`(?m)^ASK\("([^"]+)", "([^"]+)"\)`)

// Questions returns what the probe asks, in its order.
func Questions() []Question {
	var all []Question
	for _, m := range questionLine.FindAllStringSubmatch(probeSource, -1) {
		all = append(all, Question{ID: m[1], Text: m[2]})
	}
	return all
}

const (
	tooLarge = "Not asked: it takes more than 4 GiB of memory, which a target may not have."
	isRace   = "Not asked: it is a race, of which one run of a small program tells nothing. The suite runs it."
	byDetach = "Not asked by itself: ask/detach-wakes asks it."
	isHosts  = "Not asked: a target has no such case; its kernel keeps handles and takes mappings, whoever is stopped."
)

// unasked tells why the probe does not ask about a rule that nobody has seen.
var unasked = map[string]string{
	"death/main":              "Not asked: the first thread is the one that answers.",
	"detach/reply-blocked":    byDetach,
	"detach/send-blocked":     byDetach,
	"direct/maker-large":      tooLarge,
	"limit/race":              isRace,
	"map/far":                 tooLarge,
	"map/unmapped-large":      tooLarge,
	"name/attach-race":        isRace,
	"open/maker-stopped-kept": isHosts,
	"revoke/race-end":         isRace,
	"revoke/race-map":         isRace,
	"revoke/race-unmap":       isRace,
	"send/closed-wakes":       "Not asked as it stands, which is about Go: ask/detach-wakes asks what the call does.",
	"send/far-buffers":        tooLarge,
	"truncate/large":          tooLarge,
	"window/far":              tooLarge,
}
