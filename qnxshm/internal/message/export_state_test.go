//go:build linux

package message

// The state machine of slots, for its test.

type (
	Slot  = slot
	State = state
)

const (
	Idle      = idle
	Sent      = sent
	Received_ = received
	Writing   = writing
	Replied   = replied
	Abandoned = abandoned
	NumStates = states

	ClientSide = clientSide
	ServerSide = serverSide
)

// Allowed reports whether a side may make a step.
func Allowed(s side, from, to State) bool { return allowed[s][from]>>to&1 != 0 }

// Side is one of both.
type Side = side

var (
	StateWord = word
	Split     = split
)

func (s *slot) Set(word uint64)                    { s.state.Store(word) }
func (s *slot) Get() uint64                        { return s.state.Load() }
func (s *slot) Send(g uint32)                      { s.send(g) }
func (s *slot) GiveUp(g uint32) State              { return s.giveUp(g) }
func (s *slot) Receive(g uint32) bool              { return s.receive(g) }
func (s *slot) BeginWriting(g uint32) bool         { return s.beginWriting(g) }
func (s *slot) EndWriting(g uint32, to State) bool { return s.endWriting(g, to) }
func (s *slot) In(g uint32) State                  { return s.in(g) }
func (s *slot) Step(g uint32, from, to State) bool { return s.step(g, from, to) }
