//go:build linux

package message

// overtaking is the priority of what comes before all that a program can send.
const overtaking = 1 << 8

// A queue has what a channel was sent and nobody has received, by priority, then
// arrival. Pulses are apart: some threads receive nothing else.
//
// Where there is much of a priority users take turns: else one could keep the others
// waiting for as long as all that it has sent takes.
type queue[T any] struct {
	messages, pulses ordered[T]
	arrived          uint64
	turn             [overtaking + 1]uint64 // by priority, of what was taken last
	turns            map[queuedUser]uint64  // of what came last
}

type queuedUser struct {
	priority int
	uid      uint32
}

type item[T any] struct {
	priority int
	turn     uint64
	number   uint64 // in the order of arrival
	what     T
}

// push enters what a process of the user uid has sent.
func (q *queue[T]) push(priority int, uid uint32, pulse bool, what T) {
	q.arrived++
	it := item[T]{priority, q.turnOf(queuedUser{priority, uid}), q.arrived, what}
	if pulse {
		q.pulses.push(it)
	} else {
		q.messages.push(it)
	}
}

// turnOf is the next turn of a user.
func (q *queue[T]) turnOf(u queuedUser) uint64 {
	now := q.turn[u.priority]
	if len(q.messages)+len(q.pulses) == 0 {
		clear(q.turns)
		return now
	}
	if q.turns == nil {
		q.turns = make(map[queuedUser]uint64)
	}
	q.turns[u] = max(now, q.turns[u]) + 1
	return q.turns[u]
}

// pop takes the next one that the caller receives.
func (q *queue[T]) pop(pulsesOnly bool) (what T, ok bool) {
	from := &q.pulses
	switch {
	case len(q.pulses) == 0 && (pulsesOnly || len(q.messages) == 0):
		return what, false
	case len(q.pulses) == 0, len(q.messages) > 0 && !pulsesOnly && q.messages[0].before(&q.pulses[0]):
		from = &q.messages
	}
	it := from.pop()
	q.turn[it.priority] = max(q.turn[it.priority], it.turn)
	return it.what, true
}

func (it *item[T]) before(other *item[T]) bool {
	if it.priority != other.priority {
		return it.priority > other.priority
	}
	if it.turn != other.turn {
		return it.turn < other.turn
	}
	return it.number < other.number
}

// ordered is a heap.
type ordered[T any] []item[T]

func (o *ordered[T]) push(it item[T]) {
	h := append(*o, it)
	*o = h
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(&h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (o *ordered[T]) pop() item[T] {
	h := *o
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], item[T]{}
	h = h[:last]
	*o = h
	for i := 0; ; {
		best := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if h[child].before(&h[best]) {
				best = child
			}
		}
		if best == i {
			break
		}
		h[i], h[best] = h[best], h[i]
		i = best
	}
	const worthKeeping = 64
	if last == 0 && cap(h) > worthKeeping {
		*o = nil
	}
	return first
}
