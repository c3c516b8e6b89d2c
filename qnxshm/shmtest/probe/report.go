package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// A report is what probe.c wrote.
type report struct {
	header  map[string]string
	answers []answer
}

type answer struct{ id, text string }

const reportVersion = "1"

var headerKeys = []string{"qnxshm-probe", "system", "release", "compiled", "machine", "user"}

// host reports whether the probe ran anywhere but on QNX.
func (r *report) host() bool { return r.header["system"] != "QNX" }

var shortRelease = regexp.MustCompile(`^\d{1,2}\.\d{1,2}\b`)

// longest is what a line of the probe has at most.
const longest = 600

// strange reports a character that the probe does not write, and that a terminal or a
// page could take for something else.
func strange(c rune) bool { return c < ' ' || c > '~' }

// release is what a source is named by, such as QNX 8.0.
func (r *report) release() string { return "QNX " + shortRelease.FindString(r.header["release"]) }

// parse reads a report, which has to be whole.
func parse(in io.Reader) (*report, error) {
	r := &report{header: make(map[string]string)}
	seen := make(map[string]bool)
	ended := false
	s := bufio.NewScanner(in)
	for n := 1; s.Scan(); n++ {
		line := strings.TrimRight(s.Text(), "\r")
		key, text, ok := strings.Cut(line, ": ")
		switch {
		case len(line) > longest:
			return nil, fmt.Errorf("line %d is longer than the probe writes", n)
		case strings.ContainsFunc(line, strange):
			return nil, fmt.Errorf("line %d: %q is no text of the probe's", n, line)
		case line == "":
		case ended:
			return nil, fmt.Errorf("line %d: %q after the end", n, line)
		case !ok:
			return nil, fmt.Errorf("line %d: %q is no answer", n, line)
		case seen[key]:
			return nil, fmt.Errorf("line %d: a second answer to %s", n, key)
		case key == "end":
			if text != strconv.Itoa(len(r.answers)) {
				return nil, fmt.Errorf("line %d: %s answers were written, %d are here", n, text, len(r.answers))
			}
			ended = true
		case len(r.header) < len(headerKeys):
			if key != headerKeys[len(r.header)] {
				return nil, fmt.Errorf("line %d: %q where %s should be", n, line, headerKeys[len(r.header)])
			}
			r.header[key] = text
		default:
			r.answers = append(r.answers, answer{key, text})
		}
		seen[key] = true
	}
	switch {
	case s.Err() != nil:
		return nil, s.Err()
	case len(r.header) > 0 && r.header[headerKeys[0]] != reportVersion:
		return nil, fmt.Errorf("a report of version %s, not %s: take probe.c and this program from one commit", r.header[headerKeys[0]], reportVersion)
	case !ended:
		return nil, errors.New("the report is not whole: its last line should be \"end: \" and a number")
	case !r.host() && shortRelease.FindString(r.header["release"]) == "":
		return nil, fmt.Errorf("%q is no release", r.header["release"])
	}
	return r, nil
}
