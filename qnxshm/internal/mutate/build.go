//go:build linux

package mutate

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// variable, in the environment, selects the mutant that a program is.
const variable = "QNXSHM_MUTANT"

// Mutants are those of the target files.
type Mutants struct {
	All     []*Mutant
	Refused map[*Mutant]bool // what the compilers do not take; Build finds out

	root    string // of the module
	dir     string // for what is made
	targets []*target
}

// Read makes the mutants of the target files of the module at root. dir is for
// what is built.
func Read(root, dir string) (*Mutants, error) {
	out, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		return nil, err
	}
	sources := make(map[string]string)
	paths := []string{filepath.Join(root, "qnxshm/shm_qnx.go"), filepath.Join(root, "qnxshm/qnxmsg/msg_qnx.go")}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		sources[path] = string(src)
	}
	include := filepath.Join(root, "qnxshm/qnxhost/include")
	values, err := readConstants(strings.TrimSpace(string(out)), include, dir, sources[paths[0]], sources[paths[1]])
	if err != nil {
		return nil, err
	}
	ms := &Mutants{root: root, dir: dir, Refused: make(map[*Mutant]bool)}
	for _, path := range paths {
		t, err := parse(path, sources[path], len(ms.All)+1, values)
		if err != nil {
			return nil, err
		}
		ms.targets = append(ms.targets, t)
		for _, f := range t.functions {
			ms.All = append(ms.All, f.mutants...)
		}
	}
	return ms, nil
}

const (
	selectInC = `#include <stdlib.h>
static int qnx_mutant;
__attribute__((constructor)) static void qnx_select_mutant(void) {
	const char *s = getenv("` + variable + `");
	qnx_mutant = s ? atoi(s) : 0;
}

`
	selectInGo = `//go:build qnx && cgo

package %s

import (
	"os"
	"strconv"
)

var mutant, _ = strconv.Atoi(os.Getenv("` + variable + `"))

func mutantZero[T any](T) (zero T) { return }
`
	flags = "#cgo linux CFLAGS: "
)

// build builds the tests of package qnxshm, with mutants in them, for a release of
// QNX, and returns the binary. What the compilers refuse is left out.
func (ms *Mutants) build(release int, mutants []*Mutant) (string, error) {
	binary := filepath.Join(ms.dir, fmt.Sprintf("suite%d.test", release))
	for {
		places, overlay, err := ms.write(release, mutants)
		if err != nil {
			return "", err
		}
		cmd := exec.Command("go", "test", "-c", "-tags=qnx", "-gcflags=-e", "-overlay="+overlay, "-o", binary, "./qnxshm")
		cmd.Dir = ms.root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
		out, err := cmd.CombinedOutput()
		if err == nil {
			return binary, nil
		}
		if ms.refuse(places, string(out)) == 0 {
			return "", fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
}

// place tells which mutant the lines of a program with all mutants belong to.
type place struct {
	from, to int
	mutant   *Mutant
}

// write writes the overlay.
func (ms *Mutants) write(release int, mutants []*Mutant) (places map[string][]place, overlay string, err error) {
	places = make(map[string][]place)
	replace := make(map[string]string)
	include := make(map[*Mutant]bool)
	for _, mu := range mutants {
		include[mu] = !ms.Refused[mu]
	}
	for _, t := range ms.targets {
		src, p := t.all(include)
		name := filepath.Base(t.path)
		places[name] = p
		for path, text := range map[string]string{
			t.path: strings.Replace(src, flags, fmt.Sprintf("%s-D_NTO_VERSION=%d ", flags, release), 1),
			filepath.Join(filepath.Dir(t.path), "mutant_of_"+name): fmt.Sprintf(selectInGo, t.pkg),
		} {
			replace[path] = filepath.Join(ms.dir, filepath.Base(path))
			if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
				return nil, "", err
			}
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay = filepath.Join(ms.dir, "overlay.json")
	return places, overlay, os.WriteFile(overlay, text, 0o600)
}

var compilerError = regexp.MustCompile(`(?m)^\S*?(\w+_qnx\.go):(\d+):(?:\d+:)? (error:|warning:|note:|.)`)

// refuse notes the mutants in whose lines there is an error.
func (ms *Mutants) refuse(places map[string][]place, output string) int {
	before := maps.Clone(ms.Refused)
	for _, e := range compilerError.FindAllStringSubmatch(output, -1) {
		line, _ := strconv.Atoi(e[2])
		for _, p := range places[e[1]] {
			if e[3] != "warning:" && e[3] != "note:" && p.from <= line && line < p.to {
				ms.Refused[p.mutant] = true
			}
		}
	}
	return len(ms.Refused) - len(before)
}

// all is the file with the mutants in it. Each function becomes one that
// calls the mutant which the environment selects, or itself as it was.
func (t *target) all(include map[*Mutant]bool) (src string, places []place) {
	var b strings.Builder
	line, at := 1, 0
	write := func(s string) {
		b.WriteString(s)
		line += strings.Count(s, "\n")
	}
	write(t.src[:t.insertC])
	write(selectInC)
	at = t.insertC
	for _, f := range t.functions {
		write(t.src[at:f.start])
		write(f.header + f.name + "__0" + t.src[f.nameEnd:f.end] + "\n\n")
		for _, mu := range f.mutants {
			if include[mu] {
				from := line
				write(fmt.Sprintf("%s%s__%d%s\n\n", f.header, f.name, mu.Number, mu.text))
				places = append(places, place{from, line, mu})
			}
		}
		write(f.selector(include))
		at = f.end
	}
	write(t.src[at:])
	return b.String(), places
}

// selector is the function that calls the selected mutant of f.
func (f *function) selector(include map[*Mutant]bool) string {
	var b strings.Builder
	call := func(n int) {
		returns, end := "return ", ""
		if f.result == "" || f.result == "void" {
			returns, end = "", "; return"
		}
		fmt.Fprintf(&b, "\t\t%s%s%s__%d(%s)%s;\n", returns, f.receiver, f.name, n, f.forward, end)
	}
	on := "mutant"
	if f.inC {
		on = "(qnx_mutant)"
	}
	fmt.Fprintf(&b, "%s%s%s {\n\tswitch %s {\n", f.header, f.name, f.params, on)
	for _, mu := range f.mutants {
		if include[mu] {
			fmt.Fprintf(&b, "\tcase %d:\n", mu.Number)
			call(mu.Number)
		}
	}
	b.WriteString("\t}\n")
	call(0)
	b.WriteString("}")
	return b.String()
}
