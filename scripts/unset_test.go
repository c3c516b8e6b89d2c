//go:build linux

package scripts_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// --unset takes back what was set, and nothing of one SDP is left when another one
// follows.
func TestUnset(t *testing.T) {
	const script = `
set -e
state() { env | grep -vE '^(_|SHLVL|OLDPWD|PWD)=' | LC_ALL=C sort; }
state >"$HOME/before"
. "$SCRIPT" "$EIGHT"
eight=$PATH
. "$SCRIPT" "$SEVEN"
case $PATH in *"$EIGHT"*) echo "of 8.0: $PATH" ;; esac
case $QNX_TARGET$CC in *"$EIGHT"*) echo "of 8.0: $QNX_TARGET $CC" ;; esac
[ -z "${QNX_SHARED_LICENSE_FILE-}" ] || echo "its licence: $QNX_SHARED_LICENSE_FILE"
. "$SCRIPT" --arch x86_64
[ "$GOARCH" = amd64 ]
case $QNX_TARGET in "$SEVEN"/*) ;; *) echo "not the SDP of last time: $QNX_TARGET" ;; esac
FAKE_SITE_LICENSE_FILE=$LICENCE
export FAKE_SITE_LICENSE_FILE
. "$SCRIPT" "$EIGHT"
[ "$PATH" = "$eight" ] || echo "$PATH, not $eight"
[ "$QNX_SHARED_LICENSE_FILE" = "$LICENCE" ]
. "$SCRIPT" "$SEVEN"
unset FAKE_SITE_LICENSE_FILE
PATH=/mine:$PATH:/more
. "$SCRIPT" --unset
case $PATH in /mine:*:/more) ;; *) echo "lost: $PATH" ;; esac
PATH=${PATH#/mine:}
PATH=${PATH%:/more}
state >"$HOME/after"
. "$SCRIPT" --unset
state | cmp - "$HOME/after"
`
	for _, shell := range []string{"bash", "bash --posix -eu", "zsh -f", "zsh -feu"} {
		t.Run(shell, func(t *testing.T) {
			m := newMachine(t)
			command := strings.Fields(shell)
			need(t, command[0])
			m.env = []string{
				"SCRIPT=" + m.script, "EIGHT=" + m.sdp("an 8.0", "8.0"), "SEVEN=" + m.sdp("a 7.1", "7.1"), "LICENCE=/a licence",
				"CC=it's mine", "GOOS=linux", "QNX_SDP=/some where", "MAKEFLAGS=-k",
			}
			r := m.run(command[0], append(command[1:], "-c", script)...)
			require.Zero(t, r.status, r.errors)
			require.Empty(t, r.out)
			before, err := os.ReadFile(m.home + "/before")
			require.NoError(t, err)
			after, err := os.ReadFile(m.home + "/after")
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
			require.Contains(t, string(after), "CC=it's mine\nEIGHT=")
			require.Contains(t, r.errors, "nothing to take back")
		})
	}
	m := newMachine(t)
	for _, args := range [][]string{{"--unset", "--check"}, {"--print", "--unset"}, {"--unset", m.sdp("sdp", "8.0")}} {
		require.Equal(t, badUse, m.qccEnv(args...).status, args)
	}
	r := m.qccEnv("--unset")
	require.Zero(t, r.status)
	require.Empty(t, r.out)
}
