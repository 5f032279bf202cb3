package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errQueued ends an operation that found its key taken. It never leaves Update.
var errQueued = errors.New("postgres: another operation has its turn")

// queue hands out keys, each to one operation of this process at a time, in the
// order in which they asked. Operations of other processes are met on the rows
// themselves, and repeated.
type queue struct {
	mu    sync.Mutex
	gates map[string]*gate // guarded by mu; those that somebody has or wants
}

type gate struct {
	open chan struct{} // holds one token while nobody has the key
	uses int           // guarded by queue.mu
}

func (q *queue) enter(key string) *gate {
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.gates[key]
	if g == nil {
		if q.gates == nil {
			q.gates = map[string]*gate{}
		}
		g = &gate{open: make(chan struct{}, 1)}
		g.open <- struct{}{}
		q.gates[key] = g
	}
	g.uses++
	return g
}

func (q *queue) leave(key string, g *gate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if g.uses--; g.uses == 0 {
		delete(q.gates, key)
	}
}

// turn is what one operation has and wants of a queue; used by one goroutine.
type turn struct {
	queue *queue
	want  []string
	have  map[string]*gate
}

// take gets a key without waiting, or notes that it is wanted.
func (t *turn) take(key string) bool {
	if t.have[key] != nil {
		return true
	}
	t.want = append(t.want, key)
	g := t.queue.enter(key)
	select {
	case <-g.open:
		t.hold(key, g)
		return true
	default:
		t.queue.leave(key, g)
		return false
	}
}

func (t *turn) hold(key string, g *gate) {
	if t.have == nil {
		t.have = map[string]*gate{}
	}
	t.have[key] = g
}

// wait gets every key that the operation has asked for so far. It gives up what
// it has and asks for all in one order, so that no two wait for each other.
func (t *turn) wait(ctx context.Context) error {
	slices.Sort(t.want)
	t.want = slices.Compact(t.want)
	if len(t.have) == len(t.want) {
		return nil
	}
	t.end()
	for _, key := range t.want {
		g := t.queue.enter(key)
		select {
		case <-g.open:
			t.hold(key, g)
		case <-ctx.Done():
			t.queue.leave(key, g)
			return ctx.Err()
		}
	}
	return nil
}

// missed reports whether the operation went on without a key that it asked for.
func (t *turn) missed() bool {
	return slices.ContainsFunc(t.want, func(key string) bool { return t.have[key] == nil })
}

// end gives back every key.
func (t *turn) end() {
	for key, g := range t.have {
		g.open <- struct{}{}
		t.queue.leave(key, g)
	}
	clear(t.have)
}
