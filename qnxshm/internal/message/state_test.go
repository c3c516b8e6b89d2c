//go:build linux

package message_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
)

// A world is a slot, and where its client's thread and one of the server's are in what
// they do. Both do it with the functions of the package, one step after the other.
type world struct {
	word   uint64
	client clientThread
	server serverThread

	request uint32 // whose message is in the slot
	reply   uint32 // to whom what is in the reply belongs
}

type clientThread struct {
	at         string // "home", "blocked", "retired"
	generation uint32
}

type serverThread struct {
	at         string // "home", "reading", "has", "writing", "written"
	generation uint32
	read       uint32 // whose message it has read
}

// A step takes a world to the next one, or is not possible there.
type step struct {
	name string
	side message.Side
	take func(w world, s *message.Slot) (next world, possible bool)
}

const generations = 3

var steps = []step{
	{"send", message.ClientSide, func(w world, s *message.Slot) (world, bool) {
		if w.client.at != "home" || w.client.generation == generations {
			return w, false
		}
		w.client = clientThread{"blocked", w.client.generation + 1}
		w.request = w.client.generation
		s.Send(w.client.generation)
		return w, true
	}},
	{"take the reply", message.ClientSide, func(w world, s *message.Slot) (world, bool) {
		g := w.client.generation
		if w.client.at != "blocked" || s.In(g) != message.Replied {
			return w, false
		}
		if w.reply != g {
			panic(fmt.Sprintf("message %d has got the reply to %d", g, w.reply))
		}
		s.Step(g, message.Replied, message.Idle)
		w.client.at = "home"
		return w, true
	}},
	{"give up", message.ClientSide, func(w world, s *message.Slot) (world, bool) {
		if w.client.at != "blocked" || s.In(w.client.generation) == message.Replied {
			return w, false
		}
		w.client.at = "home"
		if s.GiveUp(w.client.generation) == message.Writing {
			w.client.at = "retired"
		}
		return w, true
	}},
	{"take the slot back", message.ClientSide, func(w world, s *message.Slot) (world, bool) {
		if w.client.at != "retired" || s.In(w.client.generation) != message.Idle {
			return w, false
		}
		w.client.at = "home"
		return w, true
	}},

	{"receive", message.ServerSide, func(w world, s *message.Slot) (world, bool) {
		g, st := message.Split(s.Get())
		if w.server.at != "home" || st != message.Sent || !s.Receive(g) {
			return w, false
		}
		w.server = serverThread{at: "reading", generation: g}
		return w, true
	}},
	{"read", message.ServerSide, func(w world, s *message.Slot) (world, bool) {
		if w.server.at != "reading" {
			return w, false
		}
		w.server.at, w.server.read = "read", w.request
		return w, true
	}},
	{"look whether that was it", message.ServerSide, func(w world, s *message.Slot) (world, bool) {
		if w.server.at != "read" {
			return w, false
		}
		if s.In(w.server.generation) != message.Received_ {
			w.server.at = "home"
			return w, true
		}
		if w.server.read != w.server.generation {
			panic(fmt.Sprintf("message %d was read as %d", w.server.read, w.server.generation))
		}
		w.server.at = "has"
		return w, true
	}},
	{"begin to write", message.ServerSide, func(w world, s *message.Slot) (world, bool) {
		if w.server.at != "has" {
			return w, false
		}
		w.server.at = "home"
		if s.BeginWriting(w.server.generation) {
			w.server.at = "writing"
		}
		return w, true
	}},
	{"write", message.ServerSide, func(w world, s *message.Slot) (world, bool) {
		if w.server.at != "writing" {
			return w, false
		}
		if w.client.at != "retired" && w.client.generation != w.server.generation {
			panic(fmt.Sprintf("the reply to %d is written over that to %d", w.server.generation, w.client.generation))
		}
		w.reply = w.server.generation
		w.server.at = "written"
		return w, true
	}},
	{"reply", message.ServerSide, func(w world, s *message.Slot) (world, bool) {
		if w.server.at != "written" {
			return w, false
		}
		s.EndWriting(w.server.generation, message.Replied)
		w.server.at = "home"
		return w, true
	}},
	{"write no more yet", message.ServerSide, func(w world, s *message.Slot) (world, bool) {
		if w.server.at != "written" {
			return w, false
		}
		w.server.at = "home"
		if s.EndWriting(w.server.generation, message.Received_) {
			w.server.at = "has"
		}
		return w, true
	}},
}

// take takes a step in a world.
func (st step) in(w world) (world, bool) {
	s := new(message.Slot)
	s.Set(w.word)
	next, possible := st.take(w, s)
	next.word = s.Get()
	return next, possible
}

// TestStates takes every step that is possible, in every order. The steps say
// themselves when something is wrong; here is looked whether they are those of the
// table, all of them, and whether who is left alone comes home.
func TestStates(t *testing.T) {
	type taken struct {
		side     message.Side
		from, to message.State
	}
	seen := map[world]bool{}
	found := map[taken]bool{}
	next := []world{{client: clientThread{at: "home"}, server: serverThread{at: "home"}}}
	for len(next) > 0 {
		w := next[0]
		next = next[1:]
		if seen[w] {
			continue
		}
		seen[w] = true
		_, from := message.Split(w.word)
		for _, st := range steps {
			after, possible := st.in(w)
			if !possible {
				continue
			}
			if _, to := message.Split(after.word); after.word != w.word {
				require.True(t, message.Allowed(st.side, from, to), "%s: from %d to %d", st.name, from, to)
				found[taken{st.side, from, to}] = true
			}
			next = append(next, after)
		}
		comesHome(t, w, message.ClientSide, func(w world) bool { return w.client.at != "blocked" })
		comesHome(t, w, message.ServerSide, func(w world) bool { return w.server.at == "home" })
	}
	for _, side := range []message.Side{message.ClientSide, message.ServerSide} {
		for from := range message.NumStates {
			for to := range message.NumStates {
				if message.Allowed(side, from, to) {
					require.True(t, found[taken{side, from, to}], "side %d never steps from %d to %d", side, from, to)
				}
			}
		}
	}
	require.Greater(t, len(seen), 100)
	t.Log(len(seen), "worlds")
}

// comesHome requires that a side that is left alone after some step is not stuck.
func comesHome(t *testing.T, w world, side message.Side, home func(world) bool) {
	t.Helper()
	const enough = 10
	began := w
	for range enough {
		if home(w) {
			return
		}
		for i := len(steps) - 1; i >= 0; i-- { // a reply rather than more pieces, giving up rather than waiting
			if steps[i].side != side || steps[i].name == "write no more yet" || steps[i].name == "send" {
				continue
			}
			if after, possible := steps[i].in(w); possible {
				w = after
				break
			}
		}
	}
	require.True(t, home(w), "left alone in %+v", began)
}
