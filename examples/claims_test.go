package examples_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// claims are what docs/host.md says of differences and limits, each with the constant
// that makes it so, or with the test or the rule that shows it. Those without are not shown,
// for the reason beside them.
var claims = []struct{ text, file, shown string }{
	{"ends with `EAGAIN` after 5 seconds", "qnxshm/internal/procnto/dial.go", "const PeerTimeout = 5 * time.Second"},
	{"STOPPED_AND_KILLED.md", "qnxshm/stopped_killed_test.go", "func TestStoppedAndKilled("},
	{"ends at once. On a target it ends when it is answered", "qnxshm/shmtest/ledger.go", `{ID: "unblock/killed"`},
	{"answers every call with `EBADF`", "qnxshm/internal/memory/window_test.go", "func TestOthersWindow("},
	{"sees the whole object", "qnxshm/shmtest/ledger.go", `{ID: "window/length"`},
	{"Anonymous objects have mode 0644", "qnxshm/internal/memory/object.go", "const objectMode = 0o644"},
	{"Where `/dev/shm` is no tmpfs there are none", "qnxshm/internal/memory/named_test.go", "func TestNoTmpfs("},
	{"physical, typed and special memory are `ENOSYS`", "qnxshm/control_test.go", "func TestControlTellsWhatOnlyATargetHas("},
	{"a mapping made by a system call of your own stays", "qnxshm/internal/procnto/hostile_revoke_test.go", "func TestRevokeWhatStays("},
	{text: "a lack of it shows there"}, // a test would have to use the machine's memory up
	{"a store of package `sync/atomic` to a slice from `Mapping.Bytes` is a plain one", "qnxshm/internal/message/word_test.go", "func TestStoresAreBarriers("},
	{"no limit of unused handles until a process sets one", "qnxshm/control_test.go", "func TestHandleLimit("},
	{"`a/b` is a name like any other", "qnxshm/internal/message/fuzz_test.go", `"a/b"`},
	{"Pulses with a higher priority come before", "qnxshm/shmtest/ledger.go", `{ID: "pulse/higher-first"`},
	{"A disconnect pulse comes before all that waits", "qnxshm/shmtest/ledger.go", `{ID: "disconnect/overtakes"`},
	{"Flags without a meaning on the host are accepted", "qnxshm/qnxhost/testdata/rules_channels.c", "static void channel_flags(void)"},
	{"With `_NTO_CHF_THREAD_DEATH` C programs are told", "qnxshm/qnxhost/testdata/rules_deaths.c", "static void thread_death(void)"},
	{"A timeout for `_NTO_TIMEOUT_REPLY` alone begins", "qnxshm/qnxhost/testdata/rules_timeouts.c", "static void reply_unreceived(void)"},
	{"`DeliverEvent` fails with `EAGAIN`", "qnxshm/qnxmsg/event.go", "host: the client did not answer for 5 s"},
	{"`Info.TID` is Linux's number", "qnxshm/shmtest/ledger_who.go", `{ID: "who/thread"`},
	{"A channel holds 4096 pulses", "qnxshm/qnxmsg/room_test.go", "func TestPulsesWait("},

	{"One of another user cannot", "qnxshm/internal/memory/object.go", "const objectMode = 0o644"},
	{"an eighth of its connections", "qnxshm/internal/procnto/admission.go", "a.limit/8"},
	{"do not find each other", "qnxshm/internal/hostile/namespaces_test.go", "func TestOtherView("},
	{"holds its parent's sockets", "qnxshm/internal/hostile/inherited_test.go", "func TestForkedChildHoldsName("},
	{"After a change of its user id", "qnxshm/internal/hostile/user_test.go", "func TestChangedUser("},
	{"some 500 channels", "qnxshm/qnxmsg/room_test.go", "func TestManyChannels("},
	{text: "More than 10,000 blocked calls end a Go program"}, // package runtime/debug says so
	{"At most 16,320 threads", "qnxshm/internal/message/shared_unsafe.go", "firstSegment<<segments - firstSegment"},
	{"256 separate places", "qnxshm/internal/message/shared_unsafe.go", "const maxPieces = pageSize / 16"},
	{"a lock (`F_OFD_SETLK`) on one byte", "qnxshm/internal/memory/window_test.go", "func TestLockedObject("},
	{"return an error", "qnxshm/atomic_test.go", "func TestWordTruncated("},
	{text: "Memory that is taken away in the very moment"}, // nothing can make the moment come
	{text: "`View` cannot help C code"},                    // a test of it would end
}

// Each entry of docs/host.md about a difference or a limit is in the list, and what the
// list names is there.
func TestClaims(t *testing.T) {
	page := strings.Join(readPage(t, "docs/host.md").lines, "\n")
	_, page, ok := strings.Cut(page, "\n## What differs from a target\n")
	require.True(t, ok)
	entry := regexp.MustCompile(`(?m)^- (.*\n(?:  .*\n)*)`)
	before, rest, ok := strings.Cut(page, "\n### Rights and limits that only a target has\n")
	require.True(t, ok)
	onlyTarget, after, ok := strings.Cut(rest, "\n### ")
	require.True(t, ok)
	for _, e := range entry.FindAllStringSubmatch(onlyTarget+"\n", -1) {
		require.Regexp(t, `\([^)]*(manual|source|guide)[^)]*\)`, strings.Join(strings.Fields(e[1]), " "), "docs/host.md names no source")
	}
	entries := entry.FindAllStringSubmatch(before+"\n"+after+"\n", -1)
	require.Greater(t, len(entries), 20)
	used := make(map[string]bool)
	for _, e := range entries {
		text, found := strings.Join(strings.Fields(e[1]), " "), false
		for _, c := range claims {
			if strings.Contains(text, c.text) {
				used[c.text], found = true, true
			}
		}
		require.True(t, found, "nothing shows what docs/host.md says: %s", text)
	}
	for _, c := range claims {
		require.True(t, used[c.text], "docs/host.md does not say any more: %s", c.text)
		if c.file != "" {
			require.True(t, strings.Contains(strings.Join(readPage(t, c.file).lines, "\n"), c.shown), "%s has no %q any more, which shows: %s", c.file, c.shown, c.text)
		}
	}
}
