//go:build linux

package mutate

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// variable, in the environment, has the numbers of the mutants that a program is: one of
// each function at most.
const variable = "QNXSHM_MUTANT"

// Mutants are those of the target files.
type Mutants struct {
	All []*Mutant

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
	var paths, sources []string
	for _, dir := range []string{"qnxshm", "qnxshm/qnxmsg"} {
		in, err := filepath.Glob(filepath.Join(root, dir, "*_qnx.go"))
		if err != nil {
			return nil, err
		}
		paths = append(paths, in...)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		sources = append(sources, string(src))
	}
	include := filepath.Join(root, "qnxshm/qnxhost/include")
	values, err := readConstants(strings.TrimSpace(string(out)), include, dir, sources...)
	if err != nil {
		return nil, err
	}
	ms := &Mutants{root: root, dir: dir}
	for i, path := range paths {
		t, err := parse(path, sources[i], values)
		if err != nil {
			return nil, err
		}
		ms.targets = append(ms.targets, t)
		for _, f := range t.functions {
			ms.All = append(ms.All, f.mutants...)
		}
	}
	for i, m := range ms.All {
		m.Number = i + 1
	}
	for _, of := range group(ms.targets, func(t *target) string { return t.pkg }) {
		relate(of, values.libc)
	}
	return ms, nil
}

const (
	selectInC = `#include <stdlib.h>
static int qnx_mutants[64], qnx_n_mutants;
static inline int qnx_mutant(int first, int last) {
	for (int i = 0; i < qnx_n_mutants; i++)
		if (qnx_mutants[i] >= first && qnx_mutants[i] <= last)
			return qnx_mutants[i];
	return 0;
}
__attribute__((constructor)) static void qnx_select_mutants(void) {
	const char *s = getenv("` + variable + `");
	for (char *end; s && qnx_n_mutants < 64; s = *end ? end + 1 : 0)
		qnx_mutants[qnx_n_mutants++] = strtol(s, &end, 10);
}

`
	selectInGo = `//go:build qnx && cgo

package %s

import (
	"os"
	"strconv"
	"strings"
)

var mutants = func() (all []int) {
	for _, s := range strings.Split(os.Getenv("` + variable + `"), ",") {
		n, _ := strconv.Atoi(s)
		all = append(all, n)
	}
	return all
}()

func mutant(first, last int) int {
	for _, n := range mutants {
		if n >= first && n <= last {
			return n
		}
	}
	return 0
}

func mutantZero[T any](T) (zero T) { return }
`
	flags = "#cgo linux CFLAGS: "
)

const forNullLibc = "-DQNXHOST_SHM_HANDLE_BITS=32 -DQNXHOST_RLIM_INFINITY=0xfffffffffffffffd"

// mode is a program that mutants are tried in.
type mode struct {
	name, tags, pkg, cflags string
	release                 int
	null                    bool
}

var (
	as80 = mode{name: "suite80", tags: "qnx", pkg: "./qnxshm", release: 800}
	as71 = mode{name: "suite71", tags: "qnx", pkg: "./qnxshm", release: 710}
	// The tests of the binding, on a libc that answers what they want, where signals do
	// what they could do on a target, handles have 32 bits, and RLIM_INFINITY is QNX's.
	null80 = mode{name: "null80", tags: "qnx,nulllibc", pkg: "./qnxshm/internal/nullbench", release: 800, null: true, cflags: forNullLibc}
	null71 = mode{name: "null71", tags: "qnx,nulllibc", pkg: "./qnxshm/internal/nullbench", release: 710, null: true, cflags: forNullLibc + " -D_NTO_VERSION=710"}

	modes = []mode{as80, null80, as71, null71}
)

// build builds a program with mutants in it, and returns its binary and what the
// compilers refuse, which is left out.
func (ms *Mutants) build(in mode, mutants []*Mutant) (binary string, refused map[*Mutant]bool, err error) {
	binary, refused = filepath.Join(ms.dir, in.name+".test"), make(map[*Mutant]bool)
	for {
		places, overlay, err := ms.write(in, mutants, refused)
		if err != nil {
			return "", nil, err
		}
		cmd := exec.Command("go", "test", "-c", "-tags="+in.tags, "-gcflags=-e", "-overlay="+overlay, "-o", binary, in.pkg)
		cmd.Dir = ms.root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_CFLAGS=-g -O2 "+in.cflags)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return binary, refused, nil
		}
		if refuse(refused, places, string(out)) == 0 {
			return "", nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
}

// place tells which mutant the lines of a program with all mutants belong to.
type place struct {
	from, to int
	mutant   *Mutant
}

// write writes the overlay.
func (ms *Mutants) write(in mode, mutants []*Mutant, refused map[*Mutant]bool) (places map[string][]place, overlay string, err error) {
	places = make(map[string][]place)
	replace := make(map[string]string)
	include := make(map[*Mutant]bool)
	for _, mu := range mutants {
		include[mu] = !refused[mu]
	}
	for _, t := range ms.targets {
		src, p := t.all(include)
		places[filepath.Base(t.path)] = p
		for path, text := range map[string]string{
			t.path: strings.Replace(src, flags, fmt.Sprintf("%s-D_NTO_VERSION=%d ", flags, in.release), 1),
			filepath.Join(filepath.Dir(t.path), "mutant_of_"+t.pkg+".go"): fmt.Sprintf(selectInGo, t.pkg),
		} {
			replace[path] = filepath.Join(ms.dir, filepath.Base(path))
			if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
				return nil, "", err
			}
		}
	}
	if in.null {
		if err := ms.withoutHost(replace); err != nil {
			return nil, "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay = filepath.Join(ms.dir, "overlay.json")
	return places, overlay, os.WriteFile(overlay, text, 0o600)
}

// withoutHost has the null libc take the place of package qnxhost, as the test of
// package nullbench does.
func (ms *Mutants) withoutHost(replace map[string]string) error {
	host := filepath.Join(ms.root, "qnxshm/qnxhost")
	files, err := filepath.Glob(filepath.Join(host, "*.*"))
	if err != nil {
		return err
	}
	for _, path := range files {
		replace[path] = "" // the overlay has no such file
	}
	instead := filepath.Join(ms.dir, "instead.go")
	replace[filepath.Join(host, "doc.go")] = instead
	return os.WriteFile(instead, []byte("package qnxhost\n\nimport _ \"github.com/go-qnx/shm/qnxshm/internal/nullbench\"\n"), 0o600)
}

var compilerError = regexp.MustCompile(`(?m)^\S*?(\w+_qnx\.go):(\d+):(?:\d+:)? (error:|warning:|note:|.)`)

// refuse notes the mutants in whose lines there is an error.
func refuse(refused map[*Mutant]bool, places map[string][]place, output string) int {
	before := len(refused)
	for _, e := range compilerError.FindAllStringSubmatch(output, -1) {
		line, _ := strconv.Atoi(e[2])
		for _, p := range places[e[1]] {
			if e[3] != "warning:" && e[3] != "note:" && p.from <= line && line < p.to {
				refused[p.mutant] = true
			}
		}
	}
	return len(refused) - before
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
	if t.insertC > 0 {
		write(t.src[:t.insertC])
		write(selectInC)
		at = t.insertC
	}
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
	on, first, last := "mutant(%d, %d)", 0, 0
	if f.inC {
		on = "(qnx_mutant(%d, %d))"
	}
	if n := len(f.mutants); n > 0 {
		first, last = f.mutants[0].Number, f.mutants[n-1].Number
	}
	fmt.Fprintf(&b, "%s%s%s {\n\tswitch "+on+" {\n", f.header, f.name, f.params, first, last)
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
