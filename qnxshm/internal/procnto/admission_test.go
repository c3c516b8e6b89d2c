//go:build linux

package procnto_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// own is this process's user; the others are strangers.
var own = uint32(os.Geteuid())

const (
	eve     = stranger
	mallory = stranger + 1
	trudy   = stranger + 2
	trent   = stranger + 3
	walter  = stranger + 4
)

// What becomes of a connection: it is admitted, refused, or that of this number has
// to go first.
const (
	admitted = -1 - iota
	refused
)

// A wave is connections of a user that come and are idle, or not.
type wave struct {
	uid  uint32
	n    int
	idle bool
	want int
}

// TestAdmission: 64 places. A stranger can have 8, all strangers together 32.
func TestAdmission(t *testing.T) {
	const idle, busy = true, false
	for name, waves := range map[string][]wave{
		"one's own": {{own, 64, busy, admitted}, {own, 1, busy, refused}, {eve, 1, busy, refused}},
		"root":      {{0, 64, busy, admitted}, {0, 1, busy, refused}},
		"a stranger": {
			{eve, 8, busy, admitted}, {eve, 1, busy, refused}, {mallory, 1, busy, admitted}, {own, 55, busy, admitted},
		},
		"a stranger with an idle one": {
			{own, 1, idle, admitted}, {eve, 7, busy, admitted}, {eve, 1, idle, admitted}, {eve, 1, busy, 8},
		},
		"strangers": {
			{eve, 8, busy, admitted}, {mallory, 8, busy, admitted}, {trudy, 8, busy, admitted}, {trent, 8, busy, admitted},
			{walter, 1, busy, refused}, {own, 32, busy, admitted},
		},
		"strangers with idle ones": {
			{own, 1, idle, admitted}, {eve, 7, idle, admitted}, {mallory, 8, busy, admitted}, {trudy, 8, busy, admitted},
			{trent, 8, idle, admitted}, {walter, 1, busy, admitted}, {walter, 1, busy, 24},
		},
		"strangers go first":   {{own, 62, idle, admitted}, {eve, 2, idle, admitted}, {own, 1, busy, 62}},
		"the longest idle":     {{own, 3, busy, admitted}, {own, 61, idle, admitted}, {own, 1, busy, 3}, {eve, 1, busy, 3}},
		"nobody is idle":       {{own, 60, busy, admitted}, {eve, 4, busy, admitted}, {eve, 1, busy, refused}, {mallory, 1, busy, refused}},
		"who has most of them": {{eve, 3, idle, admitted}, {mallory, 5, idle, admitted}, {own, 56, busy, admitted}, {own, 1, busy, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			a := procnto.NewAdmission(64)
			for i, w := range waves {
				for range w.n {
					id, evict := a.Enter(w.uid)
					got := admitted
					if id < 0 {
						got = refused
					}
					if evict >= 0 {
						got = evict
					}
					require.Equal(t, w.want, got, "wave %d", i)
					if id >= 0 {
						a.SetIdle(id, w.idle)
					}
				}
			}
		})
	}
}

// TestAdmissionForgets: users without a place cost nothing.
func TestAdmissionForgets(t *testing.T) {
	a := procnto.NewAdmission(64)
	for uid := range uint32(1000) {
		id, _ := a.Enter(stranger + uid)
		require.GreaterOrEqual(t, id, 0)
		a.SetIdle(id, true)
		a.Leave(id)
	}
	for range 64 {
		a.Enter(own)
	}
	for uid := range uint32(1000) {
		id, _ := a.Enter(stranger + uid)
		require.Negative(t, id)
	}
	require.Equal(t, 1, a.Users())
}

// FuzzAdmission lets connections come and go and compares with a plain count.
func FuzzAdmission(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 0, 1, 1, 0, 2, 1, 3, 0})
	f.Add(make([]byte, 300))
	f.Fuzz(func(t *testing.T, ops []byte) {
		const limit = 16 // a stranger has 2, all have 8
		a := procnto.NewAdmission(limit)
		users := []uint32{own, eve, mallory, trudy, trent, walter}
		type connection struct {
			uid  uint32
			idle bool
		}
		open := make(map[int]*connection)
		for i := 0; i+1 < len(ops); i += 2 {
			uid := users[int(ops[i+1])%len(users)]
			some := open[int(ops[i+1])]
			switch {
			case ops[i]%4 == 0:
				ofUser, strangers := 0, 0
				for _, c := range open {
					if c.uid == uid {
						ofUser++
					}
					if c.uid != own {
						strangers++
					}
				}
				id, evict := a.Enter(uid)
				room := len(open) < limit && (uid == own || ofUser < limit/8 && strangers < limit/2)
				require.Equal(t, room, id >= 0)
				if id >= 0 {
					open[id] = &connection{uid: uid}
				}
				if evict >= 0 {
					require.True(t, open[evict].idle)
					if uid != own && ofUser == limit/8 {
						require.Equal(t, uid, open[evict].uid, "who has its share makes room itself")
					}
				}
			case some == nil:
			case ops[i]%4 == 1:
				some.idle = true
				a.SetIdle(int(ops[i+1]), true)
			case ops[i]%4 == 2:
				some.idle = false
				a.SetIdle(int(ops[i+1]), false)
			default:
				a.Leave(int(ops[i+1]))
				delete(open, int(ops[i+1]))
			}
		}
	})
}
