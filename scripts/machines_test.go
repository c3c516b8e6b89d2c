//go:build linux

package scripts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Machines that QNX's tools are not for are told what to do.
func TestOtherMachines(t *testing.T) {
	for name, c := range map[string]struct {
		system, machine string
		host            string // in the SDP, in the place of linux/x86_64
		status          int
		says            string
	}{
		"git bash":             {"MINGW64_NT-10.0-19045", "x86_64", "win64/x86_64", noSDP, "Use WSL: install the SDP for Linux there"},
		"cygwin":               {"CYGWIN_NT-10.0", "x86_64", "win64/x86_64", noSDP, "Use WSL"},
		"WSL, SDP of Windows":  {"Linux", "x86_64", "win64/x86_64", noSDP, "is the one for Windows. In WSL it takes the SDP for Linux"},
		"Mac":                  {"Darwin", "x86_64", "darwin/x86_64", 0, ""},
		"Mac, Apple":           {"Darwin", "arm64", "darwin/aarch64", 0, ""},
		"Mac, Apple, Rosetta":  {"Darwin", "arm64", "darwin/x86_64", 0, ""},
		"Mac, SDP of Linux":    {"Darwin", "arm64", "linux/x86_64", noSDP, "is the one for Linux. On a Mac it takes the SDP for macOS"},
		"Linux, another":       {"Linux", "aarch64", "linux/x86_64", 0, "this is Linux on aarch64. They run there only if it emulates that"},
		"Linux, SDP of macOS":  {"Linux", "x86_64", "darwin/x86_64", noSDP, "is the one for macOS"},
		"Linux, SDP of nobody": {"Linux", "x86_64", "beos/m68k", noSDP, "has no host/linux/x86_64"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			dir := m.sdp("sdp", "8.0")
			if c.host != "linux/x86_64" {
				require.NoError(t, os.MkdirAll(filepath.Dir(dir+"/host/"+c.host), 0o755))
				require.NoError(t, os.Rename(dir+"/host/linux/x86_64", dir+"/host/"+c.host))
				require.NoError(t, os.RemoveAll(dir+"/host/linux"))
			}
			text, err := os.ReadFile(dir + "/qnxsdp-env.sh")
			require.NoError(t, err)
			write(t, dir+"/qnxsdp-env.sh", strings.ReplaceAll(string(text), "linux/x86_64", c.host))
			if c.status != 0 { // else the SDP's script tells where its tools are
				write(t, dir+"/qnxsdp-env.sh", "")
			}
			write(t, m.home+"/bin/uname", "#!/bin/sh\ncase $1 in -s) echo '"+c.system+"' ;; -m) echo "+c.machine+" ;; esac\n")
			m.env = []string{"PATH=" + m.home + "/bin:" + os.Getenv("PATH")}
			r := m.qccEnv("--print", dir)
			require.Equal(t, c.status, r.status, r.errors)
			require.Contains(t, r.errors, c.says)
			if c.status == 0 {
				require.Contains(t, r.out, "QNX_HOST='"+dir+"/host/"+c.host+"'")
			}
		})
	}
}
