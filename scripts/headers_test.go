//go:build linux

package scripts_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ownHeaders gives an SDP the module's own headers in the place of QNX's.
func ownHeaders(t *testing.T, sdp string) (include string) {
	t.Helper()
	targets, err := filepath.Glob(sdp + "/target/*")
	require.NoError(t, err)
	require.Len(t, targets, 1)
	include = targets[0] + "/usr/include"
	require.NoError(t, os.RemoveAll(include))
	require.NoError(t, os.CopyFS(include, os.DirFS("../qnxshm/qnxhost/include")))
	return include
}

// release changes what headers say of their release.
func release(t *testing.T, include, to string) {
	t.Helper()
	text, err := os.ReadFile(include + "/qnxhost/base.h")
	require.NoError(t, err)
	changed := regexp.MustCompile(`(?s)#ifndef _NTO_VERSION\n.*?\n#endif\n#endif\n`).ReplaceAllLiteralString(string(text), to+"\n")
	require.NotEqual(t, string(text), changed)
	write(t, include+"/qnxhost/base.h", changed)
}

// The module's own C parts.
func TestCheckThisModule(t *testing.T) {
	m := newMachine(t)
	need(t, "gcc")
	for version, number := range map[string]string{"7.1": "710", "8.0": "800"} {
		dir := m.sdp(version, version)
		release(t, ownHeaders(t, dir), "#define _NTO_VERSION "+number)
		r := m.qccEnv("--check", dir)
		require.Zero(t, r.status, r.errors)
		for _, part := range []string{"qnxshm/shm_qnx.go", "qnxshm/qnxmsg/msg_qnx.go"} {
			require.Contains(t, r.out, "qcc-env: compiled "+part)
		}
	}
}

// Each part that goes by the release refuses headers that do not tell it: as an
// undefined name it would be less than any.
func TestCheckReleaseMissing(t *testing.T) {
	m := newMachine(t)
	need(t, "gcc")
	parts, err := filepath.Glob("../qnxshm/*_qnx.go")
	require.NoError(t, err)
	more, err := filepath.Glob("../qnxshm/qnxmsg/*_qnx.go")
	require.NoError(t, err)
	dir := m.sdp("sdp", "8.0")
	release(t, ownHeaders(t, dir), "")
	r := m.qccEnv("--check", dir)
	require.Equal(t, brokenC, r.status, r.errors)
	n := 0
	for _, part := range append(parts, more...) {
		text, err := os.ReadFile(part)
		require.NoError(t, err)
		if strings.Contains(string(text), "_NTO_VERSION") {
			n++
			require.Contains(t, r.errors, "does not compile: "+strings.TrimPrefix(part, "../")+"\n")
		}
	}
	require.GreaterOrEqual(t, n, 3)
}

// What the message asks for helps: the user's flags are passed on as cgo does.
func TestCheckPassesFlagsOn(t *testing.T) {
	m := newMachine(t)
	need(t, "gcc")
	dir := m.sdp("sdp", "8.0")
	release(t, ownHeaders(t, dir), "")
	write(t, m.home+"/a dir/none.h", "#include \"/nowhere\"\n")
	for flags, status := range map[string]int{
		"-D_NTO_VERSION=800": 0, " \t-g  -D_NTO_VERSION=800 ": 0, "'-I" + m.home + "/a dir' \"-D_NTO_VERSION=800\"": 0,
		"-D_NTO_VERSION=710": otherRelease, "-g": brokenC, "": brokenC, "-D_NTO_VERSION=800 '-include" + m.home + "/a dir/none.h'": brokenC, "-D_NTO_VERSION=800 $(exit)*": brokenC,
	} {
		m.env = []string{"CGO_CFLAGS=" + flags}
		r := m.qccEnv("--check", dir)
		require.Equal(t, status, r.status, "%q: %s", flags, r.errors)
	}
}

// What 8.0's compiler says does without what its headers do not.
func TestCheckReleaseOfCompiler(t *testing.T) {
	m := newMachine(t)
	m.module(map[string]string{"p/good.go": "//go:build qnx && cgo\n\npackage p\n\n// #include <errno.h>\nimport \"C\"\n"})
	dir := m.sdp("sdp", "8.0")
	for number, warns := range map[string]bool{"800": false, "1": true} {
		write(t, dir+"/target/qnx/usr/include/sys/neutrino.h", "#define __QNX__ "+number+"\n")
		r := m.qccEnv("--check", dir)
		require.Zero(t, r.status, r.errors)
		require.Equal(t, warns, strings.Contains(r.errors, "does not tell the release"), r.errors)
	}
}

// Headers that do not fit the module, or the rest of the SDP.
func TestCheckHeaders(t *testing.T) {
	m := newMachine(t)
	need(t, "gcc")
	for name, c := range map[string]struct {
		release string
		change  func(include string)
		status  int
		says    string
	}{
		"of another release": {"8.0", func(include string) { release(t, include, "#define _NTO_VERSION 710") }, otherRelease, "one of 8.0 by its compilers and directories, but its <sys/neutrino.h> says _NTO_VERSION 710"},
		"of 7.0":             {"7.1", func(include string) { release(t, include, "#define _NTO_VERSION 700") }, otherRelease, "one of 7.1 by its compilers and directories, but its <sys/neutrino.h> says _NTO_VERSION 700"},
		"of none":            {"8.0", func(include string) { release(t, include, "") }, brokenC, "cannot tell the release of QNX"},
		"of none, 7.1":       {"7.1", func(include string) { release(t, include, "#define __QNX__ 1") }, brokenC, "the compiler's __QNX__ does not tell the release"},
		"with a 32-bit off_t": {"7.1", func(include string) {
			release(t, include, "#define _NTO_VERSION 710")
			text, err := os.ReadFile(include + "/sys/neutrino.h")
			require.NoError(t, err)
			write(t, include+"/sys/neutrino.h", string(text)+"#define off_t int\n")
		}, brokenC, "sizes and offsets have 64 bits"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := m.sdp(name, c.release)
			c.change(ownHeaders(t, dir))
			r := m.qccEnv("--check", dir)
			require.Equal(t, c.status, r.status, r.errors)
			require.Contains(t, r.errors, c.says)
		})
	}
}
