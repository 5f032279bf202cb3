package transfer

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
)

// Todo is what a spender has to do next.
type Todo string

// The things to do.
const (
	Nothing Todo = ""
	Sign    Todo = "sign"
	Send    Todo = "send"
	Replan  Todo = "replan"
)

// Todo finds what to do next with a transfer. What the network has is handed to
// it again every resend until it is mined; what was withheld or refused is asked
// for again after a pause that doubles with each time.
func (t *Transfer) Todo(now time.Time, resend, again time.Duration) Todo {
	if t.Asked.Add(again<<min(t.Tries, 6)).After(now) && t.Tries > 0 {
		return Nothing
	}
	switch t.State {
	case Lost:
		if t.PaysNobody() {
			return Nothing
		}
		return Replan
	case Planned:
		return Sign
	case Signed:
		return Send
	case Sent:
		return t.todoSent(now, resend)
	}
	return Nothing
}

func (t *Transfer) todoSent(now time.Time, resend time.Duration) Todo {
	last := &t.Attempts[len(t.Attempts)-1]
	switch a := t.Attempt(); {
	case a.Place != nil || t.Taken():
		return Nothing
	case last.Raw == nil && !last.Exported:
		return Sign
	case len(a.Raw) > 0 && now.Sub(a.Sent) >= resend:
		return Send
	}
	return Nothing
}

// Unsent is the position of the attempt to hand to the network.
func (t *Transfer) Unsent() int { return t.Current }

// Plan is the attempt as it was planned.
func (a *Attempt) Plan() *chain.Plan {
	return &chain.Plan{Inputs: a.Inputs, Outputs: a.Outputs, Change: a.Change, Cost: chain.Cost{Fee: a.Fee, VSize: a.VSize}, Packet: a.Packet}
}

// Unsigned is the position of the attempt that waits for a signature; ok is false
// when none does.
func (t *Transfer) Unsigned() (n int, ok bool) {
	n = len(t.Attempts) - 1
	return n, n >= 0 && len(t.Attempts[n].Raw) == 0 && !t.Attempts[n].Seen && (t.State == Planned || t.State == Exported || t.State == Signed || t.State == Sent)
}

// Export notes that an unsigned packet leaves: a signature may exist from here on.
func (t *Transfer) Export(n int) error {
	if err := t.Move(PacketExported); err != nil {
		return err
	}
	t.Attempts[n].Exported = true
	return nil
}

// Record keeps the signature of an attempt. From here on it may be in the world.
func (t *Transfer) Record(n int, s *chain.Signed, now time.Time) error {
	if n >= len(t.Attempts) {
		return fmt.Errorf("transfer %s has no attempt %d", t.ID, n+1)
	}
	a := &t.Attempts[n]
	if err := t.Move(Recorded); err != nil {
		return err
	}
	a.Txid, a.Raw, a.Signed = s.ID, s.Raw, now
	t.Current, t.Problem, t.Tries = n, "", 0
	return nil
}

// Handed notes that the network took an attempt.
func (t *Transfer) Handed(n int, now time.Time) error {
	t.Attempts[n].Sent = now
	t.Problem, t.Tries = "", 0
	if t.State == Confirmed {
		return nil // the chain was faster
	}
	return t.Move(Accepted)
}
