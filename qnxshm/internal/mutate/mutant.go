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
	insertC   int // where C code can be added, 0 if there is none
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
	text       string // from the name on
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

// parse takes a target file apart and makes its mutants.
func parse(path, src string, values constants) (*target, error) {
	m := &maker{target: &target{path: path, src: src}, constants: values, seen: make(map[string]int)}
	if err := m.parseC(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := m.parseGo(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, f := range m.functions {
		f.text = m.src[f.nameEnd:f.end]
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

// relate tells of each mutant which functions of libc its function calls, through
// others too, and which its callers call. files are those of a package; methods of the
// same name are not told apart.
func relate(files []*target, libc map[string]bool) {
	local := make(map[string][]*function)
	for _, t := range files {
		for _, f := range t.functions {
			local[f.name] = append(local[f.name], f)
		}
	}
	reach := make(map[string]map[string]bool) // of all functions
	var visit func(into map[string]bool, name string)
	visit = func(into map[string]bool, name string) {
		for _, f := range local[name] {
			for _, c := range called.FindAllStringSubmatch(f.text, -1) {
				if name := c[1]; !into[name] {
					into[name] = true
					visit(into, name)
				}
			}
		}
	}
	calls, above := make(map[string][]string), make(map[string][]string)
	for name := range local {
		reach[name] = make(map[string]bool)
		visit(reach[name], name)
		for callee := range reach[name] {
			if local[callee] == nil && libc[callee] {
				calls[name] = append(calls[name], callee)
			}
		}
	}
	for name, all := range local {
		for caller := range local {
			if reach[caller][name] {
				above[name] = append(above[name], calls[caller]...)
			}
		}
		for _, f := range all {
			for _, m := range f.mutants {
				m.Calls, m.Above = calls[name], above[name]
			}
		}
	}
}
