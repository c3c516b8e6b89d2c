//go:build linux

package mutate

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Mutant is one function of a target file with one fault in it.
type Mutant struct {
	ID     string   // "function: before → after (where)", the same as long as the function is
	File   string   // name of the target file, without its directory
	Line   int      // where the fault is
	Calls  []string // functions of libc that its function calls, through others too
	Above  []string // those that its callers call
	Old    bool     // it is in what only a build for QNX SDP 7.1 has
	Number int      // selects the mutant in the program that holds all; from 1

	text string // of the changed function, from its name on
}

// target is a target file taken apart.
type target struct {
	path      string
	src       string
	pkg       string
	functions []*function
	insertC   int // where C code can be added
}

// function is one of Go or of C.
type function struct {
	name       string
	full       string // name for people
	inC        bool
	start, end int    // of the whole text
	nameEnd    int    // of the text up to the parameters
	header     string // text before the name
	receiver   string // of a method, with the dot
	params     string // from the name up to the body, every parameter named
	forward    string // arguments that hand the parameters on
	types      []string
	result     string // its type in C; not empty in Go if there is one
	mutants    []*Mutant
}

// maker makes the mutants of one file.
type maker struct {
	*target
	constants
	helper map[string]*function // of C
	ptrs   map[string]bool      // C names of pointers
	fields map[string][]field   // of C structs, by "struct name"
	seen   map[string]int
	old    bool // what is being looked at is for QNX SDP 7.1 only
}

type field struct{ typ, name string }

// parse takes a target file apart and makes its mutants, numbered from first.
func parse(path, src string, first int, values constants) (*target, error) {
	m := &maker{target: &target{path: path, src: src}, constants: values, seen: make(map[string]int)}
	if err := m.parseC(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := m.parseGo(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	calls, above := m.calls()
	for _, f := range m.functions {
		for _, mu := range f.mutants {
			mu.Number, mu.Calls, mu.Above = first, calls[f.name], above[f.name]
			first++
		}
	}
	return m.target, nil
}

// edit replaces a piece of a file.
type edit struct {
	start, end int
	with       string
}

func apply(src string, start, end int, edits []edit) string {
	var b strings.Builder
	for _, e := range edits {
		b.WriteString(src[start:e.start])
		b.WriteString(e.with)
		start = e.end
	}
	b.WriteString(src[start:end])
	return b.String()
}

// add makes a mutant of f. what, with and where are for people; edits is what is
// done. An edit that was made before, or changes nothing, is none.
func (m *maker) add(f *function, where, what, with string, edits ...edit) {
	slices.SortFunc(edits, func(a, b edit) int { return a.start - b.start })
	changes := func(e edit) bool { return m.src[e.start:e.end] != e.with }
	key := fmt.Sprint(f.full, edits)
	if m.seen[key] > 0 || !slices.ContainsFunc(edits, changes) {
		return
	}
	m.seen[key]++
	id := fmt.Sprintf("%s: %s → %s", f.full, squeeze(what), squeeze(with))
	if where != "" {
		id += " (" + squeeze(where) + ")"
	}
	m.seen[id]++
	if n := m.seen[id]; n > 1 {
		id += " #" + strconv.Itoa(n)
	}
	f.mutants = append(f.mutants, &Mutant{
		ID: id, File: filepath.Base(m.path), Old: m.old,
		Line: 1 + strings.Count(m.src[:edits[0].start], "\n"),
		text: apply(m.src, f.nameEnd, f.end, edits),
	})
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

var called = regexp.MustCompile(`\b(?:C\.)?(\w+)\(`)

// calls tells for each function which functions of libc it calls, through others
// too, and which its callers call.
func (m *maker) calls() (calls, above map[string][]string) {
	local := make(map[string]*function)
	for _, f := range m.functions {
		local[f.name] = f
	}
	reach := make(map[string]map[string]bool) // of all functions
	var visit func(into map[string]bool, f *function)
	visit = func(into map[string]bool, f *function) {
		for _, c := range called.FindAllStringSubmatch(m.src[f.nameEnd:f.end], -1) {
			if name := c[1]; !into[name] {
				into[name] = true
				if g := local[name]; g != nil {
					visit(into, g)
				}
			}
		}
	}
	calls, above = make(map[string][]string), make(map[string][]string)
	for name, f := range local {
		reach[name] = make(map[string]bool)
		visit(reach[name], f)
		for callee := range reach[name] {
			if local[callee] == nil && m.libc[callee] {
				calls[name] = append(calls[name], callee)
			}
		}
	}
	for name := range local {
		for caller := range local {
			if reach[caller][name] {
				above[name] = append(above[name], calls[caller]...)
			}
		}
	}
	return calls, above
}
