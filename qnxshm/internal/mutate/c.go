//go:build linux

package mutate

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The C helpers. They are short and plain: no loops, no macros of their own, one
// statement after the other. That is all this understands of C.

type ctoken struct {
	start, end int
	text       string
}

var (
	tokenOfC   = regexp.MustCompile(`(?m)//[^\n]*|^[ \t]*#[^\n]*|[A-Za-z_]\w*|\d\w*|"[^"\n]*"|'[^'\n]*'|->|[=!<>]=|&&|\|\||[^\s\w]`)
	identifier = regexp.MustCompile(`^[A-Za-z_]\w*$`)
	pointerIn  = regexp.MustCompile(`[A-Za-z_]\w*\s*\*\s*([A-Za-z_]\w*)`)
	structIn   = regexp.MustCompile(`(?s)(struct \w+) \{\n(.*?)\n\};`)
	fieldIn    = regexp.MustCompile(`(?m)^\t((?:struct )?\w+ \*?)(\w+);`)
	preamble   = regexp.MustCompile(`(?s)/\*\n#.*?\*/\nimport "C"`)
	helperIn   = regexp.MustCompile(`(?m)^static inline ((?:struct )?\w+ \*?)(\w+)\(([^)]*)\) \{$`)
	paramIn    = regexp.MustCompile(`^\s*(?:const )?(.*?)(\w+)$`)
	wideTypes  = []string{"uint64_t", "int64_t", "size_t", "off_t", "long", "shm_handle_t"}
	keywords   = []string{"if", "else", "return", "sizeof", "switch", "while", "struct", "const"}
)

var opposite = map[string]string{
	"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&",
}

func lex(src string, start, end int) []ctoken {
	var tokens []ctoken
	for _, at := range tokenOfC.FindAllStringIndex(src[start:end], -1) {
		if s := src[start+at[0] : start+at[1]]; !strings.HasPrefix(s, "//") {
			tokens = append(tokens, ctoken{start + at[0], start + at[1], s})
		}
	}
	return tokens
}

func (m *maker) parseC() error {
	if !strings.Contains(m.src, "\nimport \"C\"\n") {
		return nil
	}
	where := preamble.FindStringIndex(m.src)
	if where == nil {
		return errors.New("no C in front of import \"C\"")
	}
	text := m.src[:where[1]]
	m.helper, m.ptrs, m.fields = make(map[string]*function), make(map[string]bool), make(map[string][]field)
	for _, p := range pointerIn.FindAllStringSubmatch(text[where[0]:], -1) {
		m.ptrs[p[1]] = true
	}
	for _, s := range structIn.FindAllStringSubmatch(text, -1) {
		for _, f := range fieldIn.FindAllStringSubmatch(s[2], -1) {
			m.fields[s[1]] = append(m.fields[s[1]], field{strings.TrimSpace(f[1]), f[2]})
		}
	}
	for _, at := range helperIn.FindAllStringSubmatchIndex(text, -1) {
		f := &function{
			inC: true, start: at[0], name: text[at[4]:at[5]], full: m.nameInC(text[at[4]:at[5]]), nameEnd: at[5], header: text[at[0]:at[4]],
			params: text[at[5] : at[7]+1], result: strings.TrimSpace(text[at[2]:at[3]]),
		}
		f.end = at[1] + strings.Index(text[at[1]:], "\n}\n") + len("\n}")
		var names []string
		for _, p := range strings.Split(text[at[6]:at[7]], ",") {
			if s := paramIn.FindStringSubmatch(p); s != nil && s[1] != "" { // (void) has none
				f.types, names = append(f.types, strings.TrimSpace(s[1])), append(names, s[2])
			}
		}
		f.forward = strings.Join(names, ", ")
		m.helper[f.name] = f
		m.functions = append(m.functions, f)
	}
	if len(m.functions) == 0 {
		return errors.New("no C functions")
	}
	m.insertC = strings.LastIndex(text[:m.functions[0].start], "\n#include ") + 1
	for _, f := range m.functions {
		m.mutateC(f)
	}
	return nil
}

// twice are C functions that two files of a package have.
var twice = []string{"qnxmsg_result_of"}

// nameInC is the name of a C function for people.
func (m *maker) nameInC(name string) string {
	if base := filepath.Base(m.path); slices.Contains(twice, name) && base != "msg_qnx.go" {
		return name + " of " + base
	}
	return name
}

// body is a C function's tokens, with what belongs together.
type body struct {
	*maker
	f      *function
	tokens []ctoken
	match  map[int]int // index of a bracket → of its counterpart, both ways
}

func (m *maker) mutateC(f *function) {
	start := f.start + strings.Index(m.src[f.start:f.end], "{\n")
	b := &body{maker: m, f: f, tokens: lex(m.src, start, f.end), match: make(map[int]int)}
	var open []int
	for i, t := range b.tokens {
		switch t.text {
		case "(", "{", "[":
			open = append(open, i)
		case ")", "}", "]":
			o := open[len(open)-1]
			b.match[o], b.match[i] = i, o
			open = open[:len(open)-1]
		}
	}
	b.old = m.oldAt(f.start)
	for i := range b.tokens {
		b.mutate(i)
	}
	m.old = false
}

// oldAt reports whether what begins there is for QNX SDP 7.1 only.
func (m *maker) oldAt(at int) (old bool) {
	for line := range strings.Lines(m.src[:at]) {
		old = oldAfter(line, old)
	}
	return old
}

// oldAfter is what holds after a line of the preprocessor, which selects by
// release.
func oldAfter(line string, old bool) bool {
	switch line = strings.TrimSpace(line); {
	case strings.HasPrefix(line, "#if"):
		return strings.Contains(line, "< 800")
	case line == "#else":
		return !old
	case line == "#endif":
		return false
	}
	return old
}

// mutate makes the mutants of what begins with the token at i, or is around it.
func (b *body) mutate(i int) {
	t, next := b.tokens[i], b.text(i+1)
	switch {
	case strings.HasPrefix(strings.TrimSpace(t.text), "#"):
		b.release(i)
	case t.text == "if":
		b.replace(i+2, b.match[i+1], "condition", "1", "0")
	case t.text == "?":
		b.replace(b.before(i), i, "condition", "1", "0")
	case t.text == "&&" || t.text == "||":
		b.replace(i, i+1, "", opposite[t.text])
	case opposite[t.text] != "":
		with := opposite[t.text]
		from, to := b.before(i), b.until(i, "&&", "||", "?", ")", ";", ",")
		b.add(b.f, "", b.code(from, to), b.code(from, i)+" "+with+" "+b.code(i+1, to), edit{t.start, t.end, with})
	case t.text == "=" && next == "{":
		for i += 2; b.text(i-1) != "}" && b.text(i-1) != ";"; {
			j := min(b.until(i, ","), b.until(i, "}"))
			b.value(i, j, "initial")
			i = j + 1
		}
	case t.text == "=":
		b.value(i+1, b.until(i, ";"), b.text(i-1)+" =")
	case t.text == "errno":
		b.replace(i, i+1, "", "0", "1")
	case identifier.MatchString(t.text) && next == "(" && !slices.Contains(keywords, t.text):
		b.call(i)
	case b.qnx[t.text] != nil:
		b.constant(i)
	case t.text == "." || t.text == "->":
		b.field(i)
	case t.text == "(" && b.text(i+2) == ")" && slices.Contains(wideTypes, next):
		b.replace(i+1, i+2, "cast", "uint32_t")
	}
	b.statement(i)
}

func (b *body) text(i int) string {
	if i < 0 || i >= len(b.tokens) {
		return ""
	}
	return b.tokens[i].text
}

// code is the source of the tokens from i up to j.
func (b *body) code(i, j int) string {
	if i >= j {
		return ""
	}
	return b.src[b.tokens[i].start:b.tokens[j-1].end]
}

// replace replaces the tokens from i up to j.
func (b *body) replace(i, j int, where string, with ...string) {
	for _, w := range with {
		b.add(b.f, where, b.code(i, j), w, edit{b.tokens[i].start, b.tokens[j-1].end, w})
	}
}

// until is the index of the next token with one of the texts at the same depth.
func (b *body) until(i int, text ...string) int {
	for ; i < len(b.tokens); i++ {
		if slices.Contains(text, b.tokens[i].text) {
			return i
		}
		if end := b.match[i]; end > i {
			i = end
		}
	}
	return len(b.tokens)
}

// before is the index where the operand in front of i begins.
func (b *body) before(i int) int {
	for i--; i > 0; i-- {
		if slices.Contains([]string{"=", "return", "(", ",", "{", ":", "?", ";", "&&", "||"}, b.text(i)) {
			return i + 1
		}
		if open, ok := b.match[i]; ok && open < i {
			i = open
		}
	}
	return 0
}

// release is a line of the preprocessor, which selects by release.
func (b *body) release(i int) {
	line := strings.TrimSpace(b.text(i))
	if strings.HasPrefix(line, "#if") {
		flipped := strings.NewReplacer("< 800", ">= 800", ">= 800", "< 800").Replace(line)
		b.replace(i, i+1, "", flipped) // what both releases show
	}
	b.old = oldAfter(line, b.old)
}

// value is the expression from i up to j, which something becomes.
func (b *body) value(i, j int, where string) {
	switch {
	case b.text(i+1) == "(" && b.text(j-1) == ")" && b.match[i+1] == j-1: // see call
	case b.pointer(i, j):
		b.replace(i, j, where, "NULL")
	default:
		b.replace(i, j, where, "0", "-1")
	}
}

// pointer reports whether the expression from i up to j is one.
func (b *body) pointer(i, j int) bool {
	if strings.Contains(b.code(i, j), "*)") {
		return true
	}
	return slices.Contains([]string{"&", "NULL", "SHM_ANON"}, b.text(i)) || b.ptrs[b.text(j-1)]
}

// wide reports whether the one name from i up to j has a type of 64 bits.
func (b *body) wide(i, j int) bool {
	declared := regexp.MustCompile(`\b(\w+) ` + regexp.QuoteMeta(b.text(i)) + `\b`).FindStringSubmatch(b.src[b.f.start:b.f.end])
	return j == i+1 && declared != nil && slices.Contains(wideTypes, declared[1])
}

// call is the call of the function named at i.
func (b *body) call(i int) {
	name, end := b.text(i), b.match[i+1]
	b.libc[name] = true
	last := map[bool][2]int{} // by pointer or not
	for from := i + 2; from < end; {
		to := min(b.until(from, ","), end)
		a := [2]int{from, to}
		ptr := b.argument(name, a)
		if o := last[ptr]; o[1] > 0 {
			x, y := b.code(o[0], o[1]), b.code(a[0], a[1])
			b.add(b.f, name, x+", "+y, y+", "+x,
				edit{b.tokens[o[0]].start, b.tokens[o[1]-1].end, y}, edit{b.tokens[a[0]].start, b.tokens[a[1]-1].end, x})
		}
		last[ptr] = a
		from = to + 1
	}
	if !b.removable(i) {
		b.result(i, end+1)
	}
}

// argument is one of a call. It reports whether that is a pointer.
func (b *body) argument(name string, a [2]int) (pointer bool) {
	switch {
	case b.pointer(a[0], a[1]):
		b.replace(a[0], a[1], name, "NULL")
		return true
	case b.text(a[0]+1) == "(" && b.match[a[0]+1] == a[1]-1: // a call itself
		return false
	}
	if b.qnx[b.text(a[0])] != nil && a[1] == a[0]+1 {
		b.constant(a[0])
		return false
	}
	b.replace(a[0], a[1], name, "0", "-1")
	if b.wide(a[0], a[1]) {
		b.replace(a[0], a[1], name, "(int32_t)"+b.code(a[0], a[1]))
	}
	return false
}

// result is the call from i up to j, whose result is used.
func (b *body) result(i, j int) {
	results := []string{"0", "-1"}
	if b.text(i-1) == "=" && b.ptrs[b.text(i-2)] {
		results = []string{"(void *)0", "(void *)-1"}
	} else if h := b.helper[b.text(i)]; h != nil && strings.HasPrefix(h.result, "struct") {
		return
	}
	call, at := b.code(i, j), edit{b.tokens[i].start, b.tokens[j-1].end, ""}
	for _, r := range results {
		at.with = "(" + call + ", " + r + ")"
		b.add(b.f, "", call, r+" after the call", at)
	}
	at.with = results[0]
	b.add(b.f, "", call, results[0]+" without the call", at)
}

// statement removes the assignment or call that begins at i.
func (b *body) statement(i int) {
	if b.removable(i) {
		end := b.until(i, ";")
		b.add(b.f, "", b.code(i, end), "removed", edit{b.tokens[i].start, b.tokens[end].end, ";"})
	}
}

// removable reports whether a statement that is no declaration begins at i.
func (b *body) removable(i int) bool {
	first, before := b.text(i), b.text(i-1)
	if !identifier.MatchString(first) || slices.Contains(keywords, first) || identifier.MatchString(b.text(i+1)) || b.text(i+1) == "*" {
		return false
	}
	switch before {
	case "{":
		return b.text(i-2) != "="
	case ";", "}", "else":
		return true
	case ")":
		return b.text(b.match[i-1]-1) == "if"
	}
	return strings.HasPrefix(strings.TrimSpace(before), "#")
}

// constant replaces the constant at i by others of its kind and by numbers.
func (b *body) constant(i int) {
	for _, with := range b.instead(b.text(i)) {
		b.add(b.f, b.callAround(i), b.text(i), with.what, edit{b.tokens[i].start, b.tokens[i].end, with.code})
	}
}

// callAround names the call whose argument the token at i is part of.
func (b *body) callAround(i int) string {
	for open := i; open > 0; open-- {
		if b.text(open) == "(" && b.match[open] > i && identifier.MatchString(b.text(open-1)) {
			return b.text(open - 1)
		}
	}
	return ""
}

// field replaces the field behind the "." or "->" at i by another that the
// function uses of the same struct.
func (b *body) field(i int) {
	name := b.text(i + 1)
	if name == "sival_long" || name == "sival_int" {
		b.replace(i+1, i+2, "", map[string]string{"sival_long": "sival_int", "sival_int": "sival_long"}[name])
	}
	var others []string
	for k := range b.tokens {
		if b.text(k) == b.text(i) && b.text(k-1) == b.text(i-1) && b.ptrs[b.text(k+1)] == b.ptrs[name] && !b.structs(b.text(k+1)) {
			others = append(others, b.text(k+1))
		}
	}
	if others = slices.Compact(slices.Sorted(slices.Values(others))); len(others) > 1 && !b.structs(name) {
		other := others[(slices.Index(others, name)+1)%len(others)]
		b.replace(i-1, i+2, "", b.code(i-1, i+1)+other)
	}
}

// structs reports whether fields of that name are structs.
func (m *maker) structs(name string) bool {
	for _, fields := range m.fields {
		if i := slices.IndexFunc(fields, func(f field) bool { return f.name == name }); i >= 0 && strings.HasPrefix(fields[i].typ, "struct ") {
			return true
		}
	}
	return false
}
