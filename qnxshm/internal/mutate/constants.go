//go:build linux

package mutate

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// families are constants that somebody could take one of for another.
var families = [][]string{
	{"PROT_NONE", "PROT_READ", "PROT_WRITE", "PROT_EXEC"},
	{"MAP_SHARED", "MAP_PRIVATE", "MAP_ANON", "MAP_HANDLE"},
	{"SHMCTL_ANON", "SHMCTL_PHYS", "SHMCTL_SEAL", "SHMCTL_REVOCABLE", "SHMCTL_GLOBAL", "SHMCTL_LAZY", "SHMCTL_GET_FLAGS"},
	{"O_RDONLY", "O_WRONLY", "O_RDWR"},
	{"EINVAL", "ENOSYS", "ESRCH"},
	{"_NTO_TIMEOUT_SEND", "_NTO_TIMEOUT_RECEIVE", "_NTO_TIMEOUT_REPLY"},
	{"_NTO_CHF_FIXED_PRIORITY", "_NTO_CHF_UNBLOCK", "_NTO_CHF_DISCONNECT", "_NTO_CHF_COID_DISCONNECT"},
	{"_NTO_COF_CLOEXEC", "_NTO_COF_NOEVENT"},
	{"_NTO_SIDE_CHANNEL", "_NTO_CONNECTION_SCOID"},
	{"NAME_FLAG_DETACH_SAVEDPP", "NAME_FLAG_ATTACH_GLOBAL"},
	{"CLOCK_REALTIME", "CLOCK_MONOTONIC"},
	{"SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"},
}

var (
	constantIn = regexp.MustCompile(`\b_?[A-Z][A-Z0-9]*_?[A-Z0-9_]+\b`)
	pointers   = []string{"NULL", "MAP_FAILED", "SHM_ANON"}
)

// constants are the values of C's constants, with QNX's headers and without.
type constants struct {
	qnx, linux map[string]*int64
	libc       map[string]bool // functions that are called
}

type replacement struct{ code, what string }

// instead lists what a constant is replaced by.
func (v constants) instead(name string) (all []replacement) {
	if slices.Contains(pointers, name) {
		return []replacement{{"NULL", "NULL"}}
	}
	known := []int64{*v.qnx[name]}
	if n := v.linux[name]; n != nil && *n != known[0] {
		s := strconv.FormatInt(*n, 10)
		all = append(all, replacement{s, s + ", Linux's number"})
		known = append(known, *n)
	}
	for _, family := range families {
		if !slices.Contains(family, name) {
			continue
		}
		for _, other := range family {
			if n := v.qnx[other]; n != nil && *n != known[0] {
				all = append(all, replacement{other, other})
				known = append(known, *n)
			}
		}
	}
	for _, n := range []int64{0, -1} {
		if !slices.Contains(known, n) {
			s := strconv.FormatInt(n, 10)
			all = append(all, replacement{s, s})
		}
	}
	return all
}

// readConstants asks the C compiler for the values of the constants in sources.
// include is the directory of QNX's headers.
func readConstants(cc, include, dir string, sources ...string) (v constants, err error) {
	names := slices.Concat(families...)
	for _, src := range sources {
		for _, at := range constantIn.FindAllStringIndex(src, -1) {
			if !strings.HasPrefix(src[at[1]:], "(") { // a macro with parameters
				names = append(names, src[at[0]:at[1]])
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	v.libc = make(map[string]bool)
	if v.qnx, err = valuesOf(names, cc, dir, "-I"+include, "sys/dispatch.h", "sys/neutrino.h"); err != nil {
		return v, err
	}
	v.linux, err = valuesOf(names, cc, dir, "-D_GNU_SOURCE")
	return v, err
}

func valuesOf(names []string, cc, dir, flag string, headers ...string) (map[string]*int64, error) {
	var src bytes.Buffer
	for _, h := range append(headers, "errno.h", "fcntl.h", "signal.h", "stdint.h", "stdio.h", "sys/mman.h", "time.h") {
		fmt.Fprintf(&src, "#include <%s>\n", h)
	}
	src.WriteString("int main(void) {\n")
	for _, name := range names {
		fmt.Fprintf(&src, "#ifdef %s\n\tprintf(\"%s %%lld\\n\", (long long)(intptr_t)(%s));\n#endif\n", name, name, name)
	}
	src.WriteString("}\n")
	file, exe := filepath.Join(dir, "constants.c"), filepath.Join(dir, "constants")
	if err := os.WriteFile(file, src.Bytes(), 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.Command(cc, flag, "-o", exe, file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	out, err := exec.Command(exe).Output()
	if err != nil {
		return nil, err
	}
	values := make(map[string]*int64)
	for r := bytes.NewReader(out); ; {
		var name string
		var n int64
		if _, err := fmt.Fscan(r, &name, &n); err != nil {
			return values, nil
		}
		values[name] = &n
	}
}
