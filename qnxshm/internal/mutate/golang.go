//go:build linux

package mutate

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// gofunc is a Go function being mutated.
type gofunc struct {
	*maker
	f       *function
	fset    *token.FileSet
	parent  map[ast.Node]ast.Node
	results map[string]*function // variables → the helper whose result they are
}

func (m *maker) parseGo() error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, m.path, m.src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	m.pkg = file.Name.Name
	for _, d := range file.Decls {
		decl, ok := d.(*ast.FuncDecl)
		if !ok || decl.Recv != nil && decl.Recv.List[0].Names == nil { // which uses nothing of it
			continue
		}
		g := &gofunc{maker: m, fset: fset, parent: make(map[ast.Node]ast.Node), results: make(map[string]*function)}
		g.f = &function{
			name: decl.Name.Name, start: g.offset(decl.Pos()), end: g.offset(decl.End()),
			header: g.src[g.offset(decl.Pos()):g.offset(decl.Name.Pos())], nameEnd: g.offset(decl.Name.End()),
			full: m.pkg + "." + decl.Name.Name, // the two packages have some of the same name
		}
		if decl.Recv != nil {
			g.f.receiver = decl.Recv.List[0].Names[0].Name + "."
			g.f.full = m.pkg + "." + strings.TrimPrefix(g.code(decl.Recv.List[0].Type), "*") + "." + decl.Name.Name
		}
		if decl.Type.Results != nil {
			g.f.result = g.code(decl.Type.Results)
		}
		g.parameters(decl)
		m.functions = append(m.functions, g.f)
		g.relate(decl.Body)
		ast.Inspect(decl.Body, func(n ast.Node) bool {
			g.mutate(n)
			return true
		})
	}
	return nil
}

// parameters gives every parameter a name, to be handed on by.
func (g *gofunc) parameters(decl *ast.FuncDecl) {
	var edits []edit
	var names []string
	for _, field := range decl.Type.Params.List {
		for _, n := range field.Names {
			name := n.Name
			if name == "_" {
				name = fmt.Sprintf("unnamed%d", len(names))
				edits = append(edits, edit{g.offset(n.Pos()), g.offset(n.End()), name})
			}
			names = append(names, name)
		}
	}
	g.f.forward = strings.Join(names, ", ")
	g.f.params = strings.TrimSpace(apply(g.src, g.f.nameEnd, g.offset(decl.Body.Pos()), edits))
}

// relate notes what is within what, and which variables are results of helpers.
func (g *gofunc) relate(body *ast.BlockStmt) {
	var path []ast.Node
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		if len(path) > 0 {
			g.parent[n] = path[len(path)-1]
		}
		path = append(path, n)
		if a, ok := n.(*ast.AssignStmt); ok && g.helperOf(a.Rhs[0]) != nil {
			g.results[g.code(a.Lhs[0])] = g.helperOf(a.Rhs[0])
		}
		return true
	})
}

func (g *gofunc) offset(p token.Pos) int { return g.fset.Position(p).Offset }

func (g *gofunc) code(n ast.Node) string { return g.src[g.offset(n.Pos()):g.offset(n.End())] }

// replace replaces a node; shown is what people read of it.
func (g *gofunc) replace(n ast.Node, where, shown, code string) {
	g.add(g.f, where, g.code(n), shown, edit{g.offset(n.Pos()), g.offset(n.End()), code})
}

func (g *gofunc) mutate(n ast.Node) {
	switch n := n.(type) {
	case *ast.CallExpr:
		g.call(n)
	case *ast.SelectorExpr:
		g.selector(n)
	case *ast.IfStmt:
		cond := g.code(n.Cond)
		g.replace(n.Cond, "condition", "true", "("+cond+") || true")
		g.replace(n.Cond, "condition", "false", "("+cond+") && false")
	case *ast.BinaryExpr:
		g.binary(n)
	case *ast.ReturnStmt:
		g.returned(n)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE { // Go wants its right side used
			g.replace(n, "", "removed", "_ = "+g.code(n.Rhs[0]))
		}
	}
}

// helperOf is the helper of C that a call calls, nil if none.
func (g *gofunc) helperOf(n ast.Expr) *function {
	if call, ok := n.(*ast.CallExpr); ok {
		return g.helper[strings.TrimPrefix(g.code(call.Fun), "C.")]
	}
	return nil
}

func (g *gofunc) call(n *ast.CallExpr) {
	name := g.code(n.Fun)
	types := []string(nil)
	switch h := g.helperOf(n); {
	case h != nil:
		types = h.types
	case name == "unsafe.Slice":
		types = []string{"byte *", "int"}
	case name == "cInt":
		cut := "C.int(" + g.code(n.Args[0]) + ")"
		g.replace(n, "cut off", cut, cut)
	}
	last := make(map[bool]int) // by pointer or not: the argument before, from 1
	for i, typ := range types {
		pointer := strings.HasSuffix(typ, "*")
		if strings.HasPrefix(typ, "struct ") && !pointer {
			continue
		}
		g.argument(n.Args[i], name, typ)
		if k := last[pointer]; k > 0 && name != "unsafe.Slice" {
			x, y := n.Args[k-1], n.Args[i]
			g.add(g.f, name, g.code(x)+", "+g.code(y), g.code(y)+", "+g.code(x),
				edit{g.offset(x.Pos()), g.offset(x.End()), convert(types[k-1], g.code(y))},
				edit{g.offset(y.Pos()), g.offset(y.End()), convert(typ, g.code(x))})
		}
		last[pointer] = i + 1
	}
}

// convert is an expression of another C type.
func convert(typ, code string) string {
	if strings.HasSuffix(typ, "*") {
		return code
	}
	return "C." + typ + "(" + code + ")"
}

// argument is one of a call, of C type typ.
func (g *gofunc) argument(n ast.Expr, name, typ string) {
	code := g.code(n)
	if strings.HasSuffix(typ, "*") {
		g.replace(n, name, "nil", "mutantZero("+code+")")
		return
	}
	g.replace(n, name, "0", "mutantZero("+code+")")
	g.replace(n, name, "-1", "^mutantZero("+code+")")
	if slices.Contains(wideTypes, typ) {
		cut := "C." + typ + "(int32(" + code + "))"
		g.replace(n, name, cut, cut)
	}
}

// selector is a constant of C, or a field of what C has returned.
func (g *gofunc) selector(n *ast.SelectorExpr) {
	name := n.Sel.Name
	if g.code(n.X) == "C" && g.qnx[name] != nil {
		for _, r := range g.instead(name) {
			if g.qnx[r.code] != nil {
				r.code, r.what = "C."+r.code, "C."+r.what
			}
			if r.code == "-1" {
				r.code = "^0 & 0xffffffff"
			}
			g.replace(n, "", r.what, r.code)
		}
		return
	}
	if _, inner := g.parent[n].(*ast.SelectorExpr); inner {
		return
	}
	root := n.X
	for sel, ok := root.(*ast.SelectorExpr); ok; sel, ok = root.(*ast.SelectorExpr) {
		root = sel.X
	}
	h := g.results[g.code(root)]
	if h == nil {
		h = g.helperOf(root)
	}
	if h != nil {
		g.result(n, h, root == n.X)
	}
}

// result is a field of h's result; direct: not of a struct in it.
func (g *gofunc) result(n *ast.SelectorExpr, h *function, direct bool) {
	code, where := g.code(n), g.around(n)
	fields := g.fields[h.result]
	i := slices.IndexFunc(fields, func(f field) bool { return direct && f.name == n.Sel.Name })
	switch {
	case i >= 0 && strings.HasPrefix(fields[i].typ, "struct "):
		return
	case g.ptrs[n.Sel.Name]:
		g.replace(n, where, "nil", "mutantZero("+code+")")
		return
	}
	g.replace(n, where, "0", "mutantZero("+code+")")
	g.replace(n, where, "-1", "^mutantZero("+code+")")
	if i < 0 { // it is used in a conversion
		if other := g.sibling(n); other != "" {
			g.replace(n, where, other, other)
		}
		return
	}
	for k := 1; k < len(fields); k++ {
		if f := fields[(i+k)%len(fields)]; !strings.HasSuffix(f.typ, "*") && !strings.HasPrefix(f.typ, "struct ") {
			other := g.code(n.X) + "." + f.name
			g.replace(n, where, other, convert(fields[i].typ, other))
			return
		}
	}
}

// sibling is the next field of the same struct that the function uses.
func (g *gofunc) sibling(n *ast.SelectorExpr) string {
	var all []string
	for other := range g.parent {
		if sel, ok := other.(*ast.SelectorExpr); ok && g.code(sel.X) == g.code(n.X) && !slices.Contains(all, g.code(sel)) {
			all = append(all, g.code(sel))
		}
	}
	slices.Sort(all)
	if len(all) < 2 {
		return ""
	}
	return all[(slices.Index(all, g.code(n))+1)%len(all)]
}

// around tells where a result is used, when it is part of something larger.
func (g *gofunc) around(n ast.Node) string {
	for p := g.parent[n]; p != nil; p = g.parent[p] {
		switch p := p.(type) {
		case *ast.KeyValueExpr:
			return g.code(p.Key)
		case *ast.IfStmt:
			return "if"
		case *ast.ReturnStmt:
			return "return"
		case *ast.AssignStmt:
			return g.code(p.Lhs[0])
		}
	}
	return ""
}

func (g *gofunc) binary(n *ast.BinaryExpr) {
	op := n.Op.String()
	with, ok := opposite[op]
	if !ok {
		return
	}
	if op != "&&" && op != "||" {
		at := g.offset(n.OpPos)
		g.add(g.f, "", g.code(n), fmt.Sprintf("%s %s %s", g.code(n.X), with, g.code(n.Y)), edit{at, at + len(op), with})
		return
	}
	neutral := map[string]string{"&&": "true", "||": "false"}[op]
	g.replace(n.X, "in "+g.code(n), neutral, neutral)
	g.replace(n.Y, "in "+g.code(n), neutral, neutral)
}

// returned is an errno that Go itself returns.
func (g *gofunc) returned(n *ast.ReturnStmt) {
	for _, e := range n.Results {
		switch s := g.code(e); {
		case strings.HasPrefix(s, "syscall.E"):
			g.replace(e, "return", "nil", "nil")
			g.replace(e, "return", "syscall.ENOSYS", "syscall.ENOSYS")
		case s == "err":
			g.replace(e, "return", "nil", "nil")
		}
	}
}
