//go:build linux

// Package scripts_test tests qcc-env.sh on made-up SDPs (testdata/fake-sdp.sh)
// whose compilers refuse what the real ones refuse, and install-c.sh with what is
// built on what it has installed.
package scripts_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What qcc-env.sh ends with.
const (
	badUse = 2 + iota
	noSDP
	otherRelease
	noArch
	noLicence
	brokenC
	noC
	badCompiler
)

// TestMain opens what the tests run in other processes, so that the go command
// knows that results depend on it.
func TestMain(m *testing.M) {
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && len(path) > 2 && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		switch filepath.Ext(path) {
		case ".go", ".c", ".cpp", ".h", ".sh", ".mod", ".sum", ".md", ".txt":
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if installed.dir != "" {
		os.RemoveAll(installed.dir)
	}
	os.Exit(code)
}

type result struct {
	status      int
	out, errors string
}

// machine is an environment with a home of its own.
type machine struct {
	t         *testing.T
	home, tmp string
	script    string
	env       []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	t.Parallel()
	need(t, "bash")
	script, err := filepath.Abs("qcc-env.sh")
	require.NoError(t, err)
	m := &machine{t: t, home: t.TempDir(), tmp: t.TempDir(), script: script}
	// The go command's telemetry would write here after the test has ended.
	telemetry := filepath.Join(m.home, ".config", "go", "telemetry")
	require.NoError(t, os.MkdirAll(telemetry, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off\n"), 0o644))
	return m
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("no %s on this machine", program)
	}
}

// sdp makes a fake SDP under the home directory.
func (m *machine) sdp(name, release string, tools ...string) string {
	m.t.Helper()
	dir := filepath.Join(m.home, name)
	out, err := exec.Command("sh", append([]string{"testdata/fake-sdp.sh", dir, release}, tools...)...).CombinedOutput()
	require.NoError(m.t, err, "%s", out)
	return dir
}

func (m *machine) run(name string, args ...string) result {
	m.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = m.home
	cmd.Env = append([]string{"HOME=" + m.home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + m.tmp}, m.env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(m.t, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func (m *machine) qccEnv(args ...string) result {
	m.t.Helper()
	return m.run(m.script, args...)
}

// printed is what --print shows, as a shell reads it: the value of each variable.
func (m *machine) printed(args ...string) map[string]string {
	m.t.Helper()
	shown := m.qccEnv(append([]string{"--print"}, args...)...)
	require.Zero(m.t, shown.status, shown.errors)
	values := make(map[string]string)
	for _, line := range strings.Split(strings.TrimSuffix(shown.out, "\n"), "\n") {
		assignment, ok := strings.CutPrefix(line, "export ")
		require.True(m.t, ok, line)
		name, _, ok := strings.Cut(assignment, "=")
		require.True(m.t, ok, line)
		if strings.HasPrefix(name, "QCCENV_") { // its own: see TestUnset
			continue
		}
		read := m.run("bash", "-c", `eval "$1"; printf %s "${!2}"`, "bash", line, name)
		require.Zero(m.t, read.status, read.errors)
		values[name] = read.out
	}
	return values
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
}

// quoted is a path as CC shows it.
func quoted(path string) string { return "'" + path + "'" }

func TestPrint(t *testing.T) {
	for _, sdp := range []struct{ release, target string }{{"7.1", "qnx7"}, {"8.0", "qnx"}} {
		for _, arch := range []struct{ flag, cpu, goarch, long string }{
			{"", "aarch64", "arm64", "aarch64-unknown-nto-qnx"},
			{"--arch=aarch64", "aarch64", "arm64", "aarch64-unknown-nto-qnx"},
			{"--arch=arm64", "aarch64", "arm64", "aarch64-unknown-nto-qnx"},
			{"--arch=x86_64", "x86_64", "amd64", "x86_64-pc-nto-qnx"},
			{"--arch=amd64", "x86_64", "amd64", "x86_64-pc-nto-qnx"},
		} {
			t.Run(sdp.release+arch.flag, func(t *testing.T) {
				m := newMachine(t)
				dir := m.sdp("an SDP", sdp.release)
				args := []string{dir}
				if arch.flag != "" {
					args = []string{arch.flag, dir}
				}
				host := dir + "/host/linux/x86_64"
				prefix := host + "/usr/bin/" + arch.long + sdp.release + ".0-"
				require.Equal(t, map[string]string{
					"QNX_HOST":                    host,
					"QNX_TARGET":                  dir + "/target/" + sdp.target,
					"QNX_CONFIGURATION":           m.home + "/.qnx",
					"QNX_CONFIGURATION_EXCLUSIVE": m.home + "/.qnx",
					"PATH":                        host + "/usr/bin:" + m.home + "/.qnx/bin:" + dir + "/host/common/bin:" + os.Getenv("PATH"),
					"CGO_ENABLED":                 "1",
					"GOOS":                        "qnx",
					"GOARCH":                      arch.goarch,
					"GOTOOLCHAIN":                 "local",
					"CC":                          quoted(prefix + "gcc"),
					"CXX":                         quoted(prefix + "g++"),
					"AR":                          prefix + "ar",
				}, m.printed(args...))
			})
		}
	}
}

func TestCompilerChoice(t *testing.T) {
	m := newMachine(t)
	for _, release := range []string{"7.1", "8.0"} {
		for _, c := range []struct {
			tools   []string
			cc, cxx string
		}{
			{[]string{"direct-aarch64", "short-aarch64", "qcc-aarch64"}, "aarch64-unknown-nto-qnx" + release + ".0-gcc", "aarch64-unknown-nto-qnx" + release + ".0-g++"},
			{[]string{"direct-x86_64", "short-aarch64", "qcc-aarch64"}, "ntoaarch64-gcc", "ntoaarch64-g++"},
			{[]string{"short-aarch64", "qcc-aarch64"}, "ntoaarch64-gcc", "ntoaarch64-g++"},
			{[]string{"qcc-aarch64"}, "qnx" + release + "-aarch64-qcc-", "qnx" + release + "-aarch64-q++-"},
		} {
			got := m.printed(m.sdp(release+"-"+strings.Join(c.tools, "-"), release, c.tools...))
			require.Contains(t, filepath.Base(got["CC"]), c.cc)
			require.Contains(t, filepath.Base(got["CXX"]), c.cxx)
			if len(c.tools) == 1 {
				text, err := os.ReadFile(got["CXX"])
				require.NoError(t, err)
				library := map[string]string{"7.1": "_gpp", "8.0": "_cxx"}[release]
				require.Contains(t, string(text), "-Vgcc_ntoaarch64le"+library+" ")
			}
		}
	}
}

func TestQuoting(t *testing.T) {
	m := newMachine(t)
	dir := m.sdp("it's $HOME `x`", "8.0")
	got := m.printed(dir)
	require.Equal(t, dir+"/target/qnx", got["QNX_TARGET"])
	require.Equal(t, `"`+dir+`/host/linux/x86_64/usr/bin/aarch64-unknown-nto-qnx8.0.0-gcc"`, got["CC"], "the go command's quotes")
	r := m.qccEnv("--print", m.sdp(`it's "x"`, "8.0"))
	require.Equal(t, 1, r.status)
	require.Contains(t, r.errors, "both kinds of quotes")
}

func TestWhichSDP(t *testing.T) {
	m := newMachine(t)
	target := func(args ...string) string {
		t.Helper()
		return m.printed(args...)["QNX_TARGET"]
	}
	m.sdp("qnx710", "7.1")
	require.Equal(t, m.home+"/qnx710/target/qnx7", target())
	m.sdp("qnx800", "8.0")
	require.Equal(t, m.home+"/qnx800/target/qnx", target())
	variable := m.sdp("variable", "7.1")
	m.env = []string{"QNX_SDP=" + variable}
	require.Equal(t, variable+"/target/qnx7", target())
	prepared := m.sdp("prepared", "8.0")
	m.env = append(m.env, "QNX_HOST="+prepared+"/host/linux/x86_64", "QNX_TARGET="+prepared+"/target/qnx")
	require.Equal(t, prepared+"/target/qnx", target())
	argument := m.sdp("argument", "8.0")
	require.Equal(t, argument+"/target/qnx", target(argument))
	require.Equal(t, argument+"/target/qnx", target("argument"), "relative")

	require.NoError(t, os.Remove(argument+"/qnxsdp-env.sh"))
	require.Equal(t, argument+"/target/qnx", target(argument), "by its layout")
	write(t, argument+"/qnxsdp-env.sh", "export QNX_HOST=/nowhere QNX_TARGET=/nowhere\n")
	require.Equal(t, argument+"/target/qnx", target(argument), "by its layout: its script is wrong")
}

func TestSDPScriptSets(t *testing.T) {
	m := newMachine(t)
	m.env = []string{"FAKE_SITE_LICENSE_FILE=/a licence", "QNX_MINE=1"}
	got := m.printed(m.sdp("sdp", "8.0"))
	require.Equal(t, "/a licence", got["QNX_SHARED_LICENSE_FILE"])
	require.NotContains(t, got, "QNX_MINE")
	require.NotContains(t, got, "PYTHONDONTWRITEBYTECODE")
}

// An SDP's own script may do anything, as it is run by a process that ends.
func TestSDPScriptMisbehaves(t *testing.T) {
	m := newMachine(t)
	need(t, "bash")
	dir := m.sdp("sdp", "8.0")
	own, err := os.ReadFile(dir + "/qnxsdp-env.sh")
	require.NoError(t, err)
	m.env = []string{"SCRIPT=" + m.script}
	for _, last := range []string{"exit 0", "exit 3"} {
		write(t, dir+"/qnxsdp-env.sh", string(own)+last+"\n")
		r := m.run("bash", "-c", `. "$SCRIPT" sdp; echo "$? ${GOOS-unset}"`)
		require.Equal(t, "1 unset\n", r.out)
		require.Contains(t, r.errors, dir+"/qnxsdp-env.sh ends the shell")
	}
	write(t, dir+"/qnxsdp-env.sh", string(own)+"set -e\nIFS=/\ncd /\nfalse || true\n")
	r := m.run("bash", "-c", `. "$SCRIPT" sdp && echo "$GOOS $QCCENV_SDP" && . "$SCRIPT" --arch x86_64 && echo "$GOARCH"`)
	require.Equal(t, "qnx "+dir+"\namd64\n", r.out, r.errors)
}

// Whoever is interrupted leaves nothing: of the check, and of the wrapper around qcc.
func TestInterrupted(t *testing.T) {
	m := newMachine(t)
	need(t, "gcc")
	noticed := make(chan os.Signal, 1) // what nohup, or a shell for "&", has made a process ignore its children ignore
	signal.Notify(noticed, syscall.SIGHUP, syscall.SIGINT)
	defer signal.Stop(noticed)
	dir := m.sdp("sdp", "8.0", "qcc-aarch64")
	cc := m.printed(dir)["CC"]
	write(t, dir+"/host/linux/x86_64/usr/bin/qcc", "#!/bin/sh\n[ \"$1\" != -V ] || exec cat \"${0%/*}/qcc.list\"\n"+
		"ls \"$TMPDIR\" >>\"$HOME/made\"\nkill -s \"$SIGNAL\" $PPID\n")
	for _, signal := range []string{"HUP", "INT", "TERM"} {
		m.env = []string{"SIGNAL=" + signal}
		for _, args := range [][]string{{m.script, "--check", dir}, {"sh", "-c", `echo "int x;" | "$0" -c -x c - -o /dev/null`, cc}} {
			require.NoError(t, os.RemoveAll(m.home+"/made"))
			r := m.run(args[0], args[1:]...)
			require.NotZero(t, r.status, args)
			made, err := os.ReadFile(m.home + "/made")
			require.NoError(t, err)
			require.NotEmpty(t, strings.TrimSpace(string(made)), "%s: %s", args, r.errors)
			left, err := os.ReadDir(m.tmp)
			require.NoError(t, err)
			require.Empty(t, left, "SIG%s, %s", signal, args)
		}
	}
	m.tmp = "/nowhere"
	r := m.qccEnv("--check", dir)
	require.Equal(t, 1, r.status, r.errors)
	require.Contains(t, r.errors, "no temporary directory")
}

func TestNoSDP(t *testing.T) {
	m := newMachine(t)
	for _, c := range []struct {
		env, args, says []string
	}{
		{says: []string{m.home + "/qnx800", m.home + "/qnx710", "QNX_HOST", "QNX_SDP", "argument"}},
		{args: []string{"/nowhere"}, says: []string{"/nowhere, which is not a directory"}},
		{args: []string{m.home}, says: []string{"no SDP in " + m.home}},
		{env: []string{"QNX_SDP=/nowhere"}, says: []string{"QNX_SDP is /nowhere"}},
		{env: []string{"QNX_SDP=" + m.home}, says: []string{"no SDP in QNX_SDP (" + m.home}},
		{env: []string{"QNX_HOST=/nowhere", "QNX_TARGET=/tmp"}, says: []string{"QNX_HOST is /nowhere"}},
		{env: []string{"QNX_HOST=/tmp", "QNX_TARGET=/nowhere"}, says: []string{"QNX_TARGET is /nowhere"}},
		{env: []string{"QNX_HOST=/tmp"}, says: []string{"only one of QNX_HOST and QNX_TARGET"}},
	} {
		m.env = c.env
		for _, mode := range []string{"--print", "--check"} {
			r := m.qccEnv(append([]string{mode}, c.args...)...)
			require.Equal(t, noSDP, r.status, r.errors)
			require.Empty(t, r.out)
			for _, text := range c.says {
				require.Contains(t, r.errors, text)
			}
		}
	}
}

func TestOtherReleases(t *testing.T) {
	m := newMachine(t)
	refused := func(says string, args ...string) {
		t.Helper()
		r := m.qccEnv(append([]string{"--print"}, args...)...)
		require.Equal(t, otherRelease, r.status, r.errors)
		require.Empty(t, r.out)
		require.Contains(t, r.errors, says)
	}
	refused("for QNX 7.0", m.sdp("seven", "7.0"))
	refused("for QNX 7.0", m.sdp("seven-qcc", "7.0", "qcc-aarch64"))
	refused("for QNX 7.0", m.sdp("seven-short", "7.0", "short-aarch64"))
	refused("appeared in 7.1", m.sdp("nine", "9.0"))
	m.sdp("qnx700", "7.0")
	refused("for QNX 7.0")

	unknown := m.sdp("unknown", "7.1", "qcc-aarch64")
	write(t, unknown+"/host/linux/x86_64/usr/bin/qcc", "#!/bin/sh\nexit 1\n")
	refused("cannot tell the release", unknown)
	require.NoError(t, os.Rename(unknown, m.home+"/qnx710"))
	require.Equal(t, "local", m.printed(m.home + "/qnx710")["GOTOOLCHAIN"], "told by its name")

	seven, eight := m.sdp("a", "7.1"), m.sdp("b", "8.0")
	m.env = []string{"QNX_HOST=" + seven + "/host/linux/x86_64", "QNX_TARGET=" + eight + "/target/qnx"}
	refused("different releases")
	m.env = []string{"QNX_HOST=" + eight + "/host/linux/x86_64", "QNX_TARGET=" + seven + "/target/qnx7"}
	refused("different releases")
}

func TestMissingArchitecture(t *testing.T) {
	m := newMachine(t)
	for _, tools := range [][]string{{"direct-aarch64"}, {"short-aarch64"}, {"qcc-aarch64"}} {
		for _, libs := range []bool{false, true} {
			dir := m.sdp(fmt.Sprint(tools[0], libs), "8.0", tools...)
			if libs {
				require.NoError(t, os.Mkdir(dir+"/target/qnx/x86_64", 0o755))
			}
			r := m.qccEnv("--print", "--arch", "x86_64", dir)
			require.Equal(t, noArch, r.status, r.errors)
			require.Contains(t, r.errors, "x86_64")
			require.Empty(t, r.out)
			require.Zero(t, m.qccEnv("--print", "--arch", "aarch64", dir).status)
		}
	}
}

func TestWrongUse(t *testing.T) {
	m := newMachine(t)
	dir := m.sdp("sdp", "8.0")
	for _, args := range [][]string{
		{}, {dir}, {"--print", "--check", dir}, {"--print", "--arch"}, {"--print", "--arch", "mips", dir}, {"--frob"}, {"--print", dir, dir},
	} {
		r := m.qccEnv(args...)
		require.Equal(t, badUse, r.status, "%q: %s", args, r.errors)
		require.Empty(t, r.out)
		require.NotEmpty(t, r.errors)
	}
	r := m.qccEnv("--help")
	require.Zero(t, r.status)
	require.Contains(t, r.out, "--check")
}

func TestOtherShells(t *testing.T) {
	m := newMachine(t)
	need(t, "dash")
	for _, args := range [][]string{{m.script, "--print"}, {"-c", `. "$0"`, m.script}} {
		r := m.run("dash", args...)
		require.Equal(t, badUse, r.status)
		require.Contains(t, r.errors, "neither bash nor zsh")
	}
}

// In every shell and mode: the exports arrive, errors come back as a status, and
// the shell is otherwise as it was.
func TestSourcing(t *testing.T) {
	const state = `
state() {
	set +o
	if [ -n "${ZSH_VERSION-}" ]; then setopt; else shopt; fi
	pwd
	typeset -f | grep -v '^ '
	(set) | grep -aoE '^[A-Za-z_0-9]+=' | grep -vE '^(_|PIPESTATUS|RANDOM|SRANDOM|SECONDS|LINENO|EPOCH.*|BASH_.*|FUNCNAME|TTYIDLE|before|after|rc|status|OLDPWD|ZSH_EVAL_CONTEXT|funcstack|.*trace|QNX_.*|QCCENV_.*|CGO_ENABLED|GO.*|CC|CXX|AR|COLUMNS|LINES|MAKEFLAGS)='
}
`
	const script = state + `
export BASH_ENV="$HOME/noise"
state >"$HOME/before"
rc=0
. "$SCRIPT" /nowhere || rc=$?
[ $rc = 3 ]
[ -z "${CC-}" ]
. "$SCRIPT" --print "$SDP" >"$HOME/printed"
[ -z "${CC-}" ]
rc=0
. "$SCRIPT" --check "$BROKEN" || rc=$?
[ $rc = 6 ]
. "$SCRIPT" --arch x86_64 "$SDP" >"$HOME/out"
state >"$HOME/after"
once=$PATH
. "$SCRIPT" --arch aarch64 "$SDP"
[ "$PATH" = "$once" ]
[ "$GOARCH" = arm64 ]
. "$SCRIPT" --arch x86_64
[ "$GOARCH" = amd64 ]
printf '%s\n' "$QNX_TARGET" "$CGO_ENABLED $GOOS $GOARCH $GOTOOLCHAIN" "$CC" "$CXX" "$AR" "${MAKEFLAGS-unset}"
env | grep -cE '^(QNX_HOST|QNX_TARGET|CGO_ENABLED|GOOS|GOARCH|GOTOOLCHAIN|CC|CXX|AR)='
`
	for _, shell := range []string{
		"bash",
		"bash -eu",
		"bash -euf -o pipefail -o noclobber",
		"bash -eu -O nullglob -O failglob -O extglob",
		"bash --posix -eu",
		"zsh -f",
		"zsh -feu",
		"zsh -fu -o shwordsplit -o ksharrays -o nullglob -o noglob",
		"zsh -fe -o nofunctionargzero -o posixargzero -o noclobber -o rcquotes",
		"zsh --emulate sh -eu",
		"zsh --emulate ksh -eu",
	} {
		t.Run(shell, func(t *testing.T) {
			m := newMachine(t)
			command := strings.Fields(shell)
			need(t, command[0])
			sdp, broken := m.sdp("my SDP", "8.0"), m.sdp("no licence", "7.1", "qcc-aarch64")
			bin := sdp + "/host/linux/x86_64/usr/bin/x86_64-pc-nto-qnx8.0.0-"
			write(t, broken+"/host/linux/x86_64/usr/bin/qcc", "#!/bin/sh\nexit 131\n")
			// A copy, so that the path to it has a space as well.
			text, err := os.ReadFile(m.script)
			require.NoError(t, err)
			write(t, m.home+"/a module/scripts/qcc-env.sh", string(text))
			write(t, m.home+"/test.sh", script)
			write(t, m.home+"/noise", "echo noise\nexit 9\n")
			m.env = []string{
				"SCRIPT=" + m.home + "/a module/scripts/qcc-env.sh", "SDP=" + sdp, "BROKEN=" + broken,
				"MAKEFLAGS=-I" + sdp + "/target/qnx/usr/include",
				"CDPATH=/", "IFS=/",
			}
			// Errors end the script in every mode.
			command = append(command, "-c", `set -e; . "$HOME/test.sh"`)
			r := m.run(command[0], command[1:]...)
			require.Zero(t, r.status, r.errors)
			require.Equal(t, strings.Join([]string{
				sdp + "/target/qnx", "1 qnx amd64 local", quoted(bin + "gcc"), quoted(bin + "g++"), bin + "ar", "unset", "9", "",
			}, "\n"), r.out)
			before, err := os.ReadFile(m.home + "/before")
			require.NoError(t, err)
			after, err := os.ReadFile(m.home + "/after")
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
			require.Contains(t, string(before), "PATH=", "the comparison sees something")
			out, err := os.ReadFile(m.home + "/out")
			require.NoError(t, err)
			require.Empty(t, out, "nothing on standard output")
			shown, err := os.ReadFile(m.home + "/printed")
			require.NoError(t, err)
			require.Contains(t, string(shown), "export GOOS=qnx\n")
		})
	}
}

// A failure ends a shell only when that shell says so.
func TestSourcingDoesNotExit(t *testing.T) {
	for _, shell := range []string{"bash", "zsh"} {
		t.Run(shell, func(t *testing.T) {
			m := newMachine(t)
			need(t, shell)
			m.env = []string{"SCRIPT=" + m.script}
			r := m.run(shell, "-c", `. "$SCRIPT" --frob; echo "still here: $?"`)
			require.Equal(t, "still here: 2\n", r.out)
			r = m.run(shell, "-ec", `. "$SCRIPT" --frob; echo "still here: $?"`)
			require.Equal(t, badUse, r.status)
			require.Empty(t, r.out)
		})
	}
}

func TestMakeflagsOfTheUser(t *testing.T) {
	m := newMachine(t)
	m.env = []string{"MAKEFLAGS=-j4"}
	require.NotContains(t, m.printed(m.sdp("sdp", "8.0")), "MAKEFLAGS")
	m.env = append(m.env, "SCRIPT="+m.script)
	r := m.run("bash", "-c", `. "$SCRIPT" sdp; echo "$MAKEFLAGS"`)
	require.Equal(t, "-j4\n", r.out)
}

func TestGoPort(t *testing.T) {
	m := newMachine(t)
	dir := m.sdp("sdp", "8.0")
	m.env = []string{"PATH=" + m.home + "/bin:" + os.Getenv("PATH"), "GOOS=qnx"}
	write(t, m.home+"/bin/go", "#!/bin/sh\necho linux/amd64\n")
	r := m.qccEnv("--print", dir)
	require.Zero(t, r.status)
	require.Contains(t, r.errors, "no port for qnx/arm64")

	// A go with a port for one architecture.
	write(t, m.home+"/bin/go", "#!/bin/sh\n[ \"$*\" = 'tool dist list' ] && [ -z \"${GOOS-}\" ] && printf 'linux/amd64\\nqnx/arm64\\n'\n")
	r = m.qccEnv("--print", dir)
	require.Zero(t, r.status)
	require.Empty(t, r.errors)
	require.Contains(t, m.qccEnv("--print", "--arch=x86_64", dir).errors, "no port for qnx/amd64")

	write(t, m.home+"/bin/go", "#!/bin/sh\nexit 1\n")
	r = m.qccEnv("--print", dir)
	require.Zero(t, r.status)
	require.Contains(t, r.errors, "cannot tell")

	m.env = []string{"PATH=" + m.pathWithout("go")}
	r = m.qccEnv("--print", dir)
	require.Zero(t, r.status)
	require.Contains(t, r.errors, "no go on PATH")
}

// pathWithout is a PATH with the programs that the script uses and no others.
func (m *machine) pathWithout(missing string) string {
	m.t.Helper()
	dir := filepath.Join(m.home, "without")
	require.NoError(m.t, os.Mkdir(dir, 0o755))
	for _, name := range []string{"bash", "sh", "env", "go", "awk", "sed", "sort", "uname", "basename", "dirname", "cat", "cksum", "mkdir", "mv", "chmod"} {
		if name == missing {
			continue
		}
		path, err := exec.LookPath(name)
		require.NoError(m.t, err)
		require.NoError(m.t, os.Symlink(path, filepath.Join(dir, name)))
	}
	return dir
}

func TestWrapper(t *testing.T) {
	m := newMachine(t)
	need(t, "gcc")
	dir := m.sdp("an SDP", "7.1", "qcc-aarch64", "qcc-x86_64")
	log := m.home + "/log"
	cc := m.printed(dir)["CC"]
	require.Equal(t, m.home+"/.cache/qnxshm", filepath.Dir(cc))
	info, err := os.Stat(cc)
	require.NoError(t, err)

	// The same again is the same file; anything else is another one.
	require.Equal(t, cc, m.printed(dir)["CC"])
	again, err := os.Stat(cc)
	require.NoError(t, err)
	require.True(t, os.SameFile(info, again))
	require.NotEqual(t, cc, m.printed("--arch=x86_64", dir)["CC"])
	require.NotEqual(t, cc, m.printed(m.sdp("another", "7.1", "qcc-aarch64"))["CC"])
	write(t, cc, "#!/bin/sh\nexit 1\n")
	require.Equal(t, cc, m.printed(dir)["CC"])

	write(t, m.home+"/x.c", "int main(void) { return 0; }\n")
	m.env = []string{"FAKE_LOG=" + log}
	for _, c := range []struct{ given, received []string }{
		{[]string{"-pthread", "-m64", "-rdynamic", "-no-pie", "-nopie", "-Qunused-arguments", "-lpthread", "-lrt", "-ldl"}, nil},
		{[]string{"-E", "-dM"}, []string{"-E", "-Wp,-dM"}},
		{[]string{"-I", "a b", "-I."}, []string{"-Ia b", "-I."}},
		{[]string{"-g", "-O2", "-DX='\"a b\"'", "-D", "Y=*"}, []string{"-g", "-O2", "-DX='\"a b\"'", "-D", "Y=*"}},
	} {
		require.NoError(t, os.RemoveAll(log))
		args := []string{"-c", "-o", "/dev/null", m.home + "/x.c"}
		if c.received != nil && c.received[0] == "-E" {
			args = args[1:]
		}
		r := m.run(cc, append(c.given, args...)...)
		require.Zero(t, r.status, r.errors)
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		require.Equal(t, strings.Join(append(append([]string{"qcc", "-Vgcc_ntoaarch64le"}, c.received...), args...), " ")+"\n", string(text))
		if len(c.received) != len(c.given) || c.received[0] == "-E" {
			require.NotZero(t, m.run(dir+"/host/linux/x86_64/usr/bin/qcc", append(append([]string{"-Vgcc_ntoaarch64le"}, c.given...), args...)...).status,
				"the fake refuses what the wrapper takes away")
		}
	}

	// Input from "-", which is how the go command asks whether a flag is known.
	for flag, known := range map[string]bool{"-fno-lto": true, "-P": false, "-ffrobnicate": false} {
		r := m.run(cc, flag, "-c", "-x", "c", "-", "-o", m.home+"/x.o")
		require.Equal(t, known, r.status == 0, r.errors)
		require.Equal(t, !known, strings.Contains(r.errors, "unrecognized"))
	}
	require.NotZero(t, m.run(cc, "-###", "-x", "c", "-c", "-").status)
	left, err := os.ReadDir(m.tmp)
	require.NoError(t, err)
	require.Empty(t, left)

	m.env = []string{"FAKE_STATUS=130"}
	r := m.run(cc, "-c", "x.c")
	require.Equal(t, 130, r.status)
	require.Contains(t, r.errors, "licence")
}

func TestWrapperPlace(t *testing.T) {
	m := newMachine(t)
	dir := m.sdp("sdp", "8.0", "qcc-aarch64")
	m.env = []string{"XDG_CACHE_HOME=" + m.home + "/a cache"}
	cc := m.printed(dir)["CC"]
	require.Equal(t, m.home+"/a cache/qnxshm", strings.TrimPrefix(filepath.Dir(cc), "'"))

	write(t, m.home+"/file", "")
	m.env = []string{"XDG_CACHE_HOME=" + m.home + "/file"}
	r := m.qccEnv("--print", dir)
	require.Equal(t, 1, r.status)
	require.Empty(t, r.out)
	require.Contains(t, r.errors, "cannot write the wrapper")

	m.env = []string{"XDG_CACHE_HOME=", "HOME="}
	r = m.qccEnv("--print", dir)
	require.Equal(t, 1, r.status)
	require.Contains(t, r.errors, "HOME or XDG_CACHE_HOME")
}

// A program in Go, C and C++ is built by the stock go with the wrapper as its
// compiler. It is a program for this machine, because the fake qcc runs gcc; the
// flags are those of cgo.
func TestCgoBuildThroughWrapper(t *testing.T) {
	if testing.Short() {
		t.Skip("builds with cgo: not with -short")
	}
	for _, release := range []string{"7.1", "8.0"} {
		t.Run(release, func(t *testing.T) {
			m := newMachine(t)
			need(t, "gcc")
			need(t, "g++")
			need(t, "go")
			arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
			if arch == "" {
				t.Skip("QNX has no " + runtime.GOARCH)
			}
			dir := m.sdp("an SDP", release, "qcc-"+arch)
			write(t, m.home+"/m/go.mod", "module example.com/m\n\ngo 1.24\n")
			write(t, m.home+"/m/main.go", `package main

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>
#include <errno.h>

int plus(int a, int b);

static inline int twice(int n)
{
	if (n < 0) {
		errno = EINVAL;
		return -1;
	}
	return 2 * n;
}
*/
import "C"

import "fmt"

func main() {
	_, err := C.twice(-1)
	fmt.Println(C.plus(C.twice(20), 2), err)
}
`)
			write(t, m.home+"/m/plus.cc", "extern \"C\" int plus(int a, int b) { return a + b; }\n")
			shown := m.printed("--arch", arch, dir)
			goEnv := func(name string) string {
				out, err := exec.Command("go", "env", name).Output()
				require.NoError(t, err)
				return name + "=" + strings.TrimSpace(string(out))
			}
			log := m.home + "/log"
			m.env = []string{
				goEnv("GOCACHE"), "GOOS=linux", "GOARCH=" + runtime.GOARCH, "CGO_ENABLED=1", "GOTOOLCHAIN=local", "GOWORK=off",
				"CC=" + shown["CC"], "CXX=" + shown["CXX"], "QNX_HOST=" + shown["QNX_HOST"], "QNX_TARGET=" + shown["QNX_TARGET"], "FAKE_LOG=" + log,
			}
			r := m.run("go", "build", "-C", m.home+"/m", "-o", m.home+"/program", ".")
			require.Zero(t, r.status, r.errors)
			r = m.run(m.home + "/program")
			require.Equal(t, "42 invalid argument\n", r.out)
			text, err := os.ReadFile(log)
			require.NoError(t, err)
			require.Contains(t, string(text), " -Wp,-dM ")
			require.Contains(t, string(text), "qcc -Vgcc_nto")

			// Without the wrapper it cannot be built.
			bin := dir + "/host/linux/x86_64/usr/bin/qcc -Vgcc_nto" + map[string]string{"x86_64": "x86_64", "aarch64": "aarch64le"}[arch]
			m.env = append(m.env, "CC='"+strings.Replace(bin, " -V", "' -V", 1))
			r = m.run("go", "build", "-C", m.home+"/m", "-o", m.home+"/program", ".")
			require.NotZero(t, r.status)
			require.Contains(t, r.errors, "bad option")
		})
	}
}

// module copies the script into a module of its own.
func (m *machine) module(files map[string]string) {
	m.t.Helper()
	need(m.t, "gcc")
	text, err := os.ReadFile("qcc-env.sh")
	require.NoError(m.t, err)
	m.script = m.home + "/a module/scripts/qcc-env.sh"
	write(m.t, m.script, string(text))
	write(m.t, m.home+"/a module/go.mod", "module example.com/m\n")
	for name, text := range files {
		write(m.t, m.home+"/a module/"+name, text)
	}
}

const goodPart = `// Package p has C for a target.

//go:build qnx && cgo

package p

/*
#cgo CFLAGS: -DALWAYS=1
#cgo qnx CFLAGS: -DON_QNX=2 -I${SRCDIR}/headers
#cgo linux CFLAGS: -DON_LINUX
#cgo qnx,!linux windows CPPFLAGS: -DBOTH
#cgo qnx,linux !qnx CFLAGS: -DNEVER
#cgo LDFLAGS: -lnothing
#include <errno.h>
#include "ours.h"

#if ALWAYS != 1 || ON_QNX != 2 || !defined(BOTH) || defined(ON_LINUX) || defined(NEVER) || OURS != 3
#error "wrong flags"
#endif

static inline int half(int n)
{
	return n / 2; // even
}

static int only_go_calls_this(void)
{
	return ENOSYS;
}
*/
import "C"

func f() C.int { return C.half(4) }
`

func TestCheck(t *testing.T) {
	m := newMachine(t)
	broken := "package p\n\n// static int x(void) { return BROKEN; }\nimport \"C\"\n"
	m.module(map[string]string{
		"p/good.go":        goodPart,
		"p/headers/ours.h": "#define OURS 3\n",
		"q/lines.go":       "//go:build cgo && (qnx || windows) && !linux\n\npackage q\n\n// #include <stdint.h>\n// static inline int8_t a(void) { return 0; }\nimport \"C\"\n",
		"q/extra.c":        "//go:build qnx\n\nint extra(void);\nint extra(void) { return 1; }\n",
		"q/plain.go":       "//go:build qnx && cgo\n\npackage q\n\nconst c = \"C\"\n",
		// None of these is part of a target build.
		"r/host.go":          "//go:build qnx && linux && cgo\n\n" + broken,
		"r/other.go":         "//go:build !qnx || linux\n\n" + broken,
		"r/x_test.go":        "//go:build qnx && cgo\n\n" + broken,
		"testdata/x.go":      "//go:build qnx && cgo\n\n" + broken,
		"nested/go.mod":      "module example.com/nested\n",
		"nested/x.go":        "//go:build qnx && cgo\n\n" + broken,
		"_off/x.go":          "//go:build qnx && cgo\n\n" + broken,
		"r/mentions.go":      "//go:build cgo\n\n" + broken,
		"r/none.go":          "package r\n",
		".hidden/x.go":       "//go:build qnx && cgo\n\n" + broken,
		"vendor/example/x.c": "//go:build qnx\n\nBROKEN\n",
	})
	before := m.run("find", m.home+"/a module").out
	for _, release := range []string{"7.1", "8.0"} {
		for _, tool := range []string{"direct-aarch64", "short-aarch64", "qcc-aarch64", "qcc-x86_64"} {
			r := m.qccEnv("--check", "--arch", strings.SplitN(tool, "-", 2)[1], m.sdp(release+tool, release, tool))
			require.Zero(t, r.status, r.errors)
			lines := strings.Split(r.out, "\n")
			require.Equal(t, []string{"qcc-env: compiled p/good.go", "qcc-env: compiled q/extra.c", "qcc-env: compiled q/lines.go"}, lines[:3])
			require.Contains(t, lines[3], "all 3 C parts compile")
		}
	}
	require.Equal(t, before, m.run("find", m.home+"/a module").out, "--check leaves nothing in the module")
	left, err := os.ReadDir(m.tmp)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestCheckBroken(t *testing.T) {
	for name, c := range map[string]struct{ part, says string }{
		"error":     {"//go:build qnx && cgo\n\npackage p\n\n/*\n#include <errno.h>\n\nstatic inline int f(void) { return UNKNOWN; }\n*/\nimport \"C\"\n", "p/part.go:8:"},
		"warning":   {"//go:build qnx && cgo\n\npackage p\n\n// static inline int f(int unused)\n// { return 0; }\nimport \"C\"\n", "p/part.go:5:"},
		"no header": {"//go:build qnx && cgo\n\npackage p\n\n// #include <sys/nowhere.h>\nimport \"C\"\n", "sys/nowhere.h"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.module(map[string]string{
				"p/part.go": c.part,
				"q/good.go": "//go:build qnx && cgo\n\npackage q\n\n// #include <errno.h>\nimport \"C\"\n",
			})
			r := m.qccEnv("--check", m.sdp("sdp", "8.0"))
			require.Equal(t, brokenC, r.status, r.errors)
			require.Contains(t, r.errors, c.says)
			require.Contains(t, r.errors, "1 of 2 C parts do not compile")
			require.Contains(t, r.out, "compiled q/good.go", "the others are tried")
		})
	}
}

func TestCheckNothing(t *testing.T) {
	m := newMachine(t)
	m.module(map[string]string{"p/p.go": "package p\n"})
	r := m.qccEnv("--check", m.sdp("sdp", "8.0"))
	require.Equal(t, noC, r.status, r.errors)
	require.Contains(t, r.errors, "nothing was checked")
	require.Empty(t, r.out)

	write(t, m.home+"/a module/p/group.go", "//go:build qnx && cgo\n\npackage p\n\nimport (\n\t// int x;\n\t\"C\"\n)\n")
	r = m.qccEnv("--check", m.sdp("sdp", "8.0"))
	require.Equal(t, 1, r.status)
	require.Contains(t, r.errors, "p/group.go: import \"C\" must stand on a line of its own")
}

func TestLicence(t *testing.T) {
	m := newMachine(t)
	m.module(map[string]string{"p/good.go": goodPart})
	for _, tool := range []string{"direct-aarch64", "qcc-aarch64"} {
		dir := m.sdp(tool, "8.0", tool)
		for _, status := range []int{129, 130, 131, 132, 133} {
			m.env = []string{fmt.Sprint("FAKE_STATUS=", status)}
			r := m.qccEnv("--check", dir)
			require.Equal(t, noLicence, r.status, r.errors)
			require.Contains(t, r.errors, fmt.Sprint("status ", status))
			require.Contains(t, r.errors, "licence")
			require.Contains(t, r.errors, "not broken")
		}
	}
	for _, status := range []int{1, 128, 134} {
		m.env = []string{fmt.Sprint("FAKE_STATUS=", status)}
		r := m.qccEnv("--check", m.sdp("direct-aarch64", "8.0", "direct-aarch64"))
		require.Equal(t, badCompiler, r.status, r.errors)
		require.NotContains(t, r.errors, "licence")
	}
}

func TestCompilerRefusesFlags(t *testing.T) {
	m := newMachine(t)
	m.module(map[string]string{"p/good.go": goodPart})
	dir := m.sdp("sdp", "8.0")
	for _, flag := range []string{"-pthread", "-gdwarf-2", "-dM", "-I"} {
		m.env = []string{"FAKE_REFUSE=" + flag}
		r := m.qccEnv("--check", dir)
		require.Equal(t, badCompiler, r.status, r.errors)
		require.Contains(t, r.errors, "does not take flags that cgo gives")
		require.Contains(t, r.errors, flag)
	}
}

func TestShellcheck(t *testing.T) {
	need(t, "shellcheck")
	files, err := filepath.Glob("testdata/*.sh")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	m := newMachine(t)
	wrapper := m.printed(m.sdp("sdp", "8.0", "qcc-aarch64"))["CC"]
	out, err := exec.Command("shellcheck", append(files, "qcc-env.sh", wrapper)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
