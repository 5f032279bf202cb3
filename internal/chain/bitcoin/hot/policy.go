package hot

import (
	"fmt"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/chain"
)

// Policy bounds what is signed. Amounts are satoshi; 0 is no bound.
type Policy struct {
	MaxPayment   uint64        // one payment
	MaxDay       uint64        // everything that leaves within any 24 hours, fees included
	MaxFee       uint64        // one transaction's fee
	Allow        []string      // the only addresses that may be paid; empty: any
	Delay        time.Duration // from the first time something is asked for
	ApproveAbove uint64        // what leaves with one transaction above this needs two approvals
}

// approvals is how many different people have to agree above ApproveAbove.
const approvals = 2

const day = 24 * time.Hour

// Record is one line of a signer's memory.
type Record struct {
	What     string    `json:"what"` // asked, approved or signed
	At       time.Time `json:"at"`
	Transfer string    `json:"transfer"`
	Digest   string    `json:"digest"`
	By       string    `json:"by,omitempty"`     // approved
	Inputs   []string  `json:"inputs,omitempty"` // signed
	Leaves   uint64    `json:"leaves,omitempty"` // satoshi, signed
}

// The kinds of record.
const (
	asked    = "asked"
	approved = "approved"
	signed   = "signed"
)

// Memory is what a signer has seen, in order. Append returns once the record is
// durable: nothing is signed before.
type Memory interface {
	Records() []Record
	Append(Record) error
}

// check holds what a packet takes out against the policy. It returns why it is
// not signed, and the record that has to be kept first, if any.
func (p *Policy) check(d *demand, transfer string, mem []Record, now time.Time) (held *chain.Withheld, keep *Record) {
	if slices.ContainsFunc(mem, func(r Record) bool { return r.What == signed && r.Digest == d.digest }) {
		return nil, nil // signed before: the same bytes again
	}
	if held := p.bounds(d); held != nil {
		return held, nil
	}
	if held := p.perDay(d, transfer, mem, now); held != nil {
		return held, nil
	}
	first, known := firstAsked(d, mem)
	if !known {
		first = now
		keep = &Record{What: asked, At: now, Transfer: transfer, Digest: d.digest}
	}
	if wait := first.Add(p.Delay).Sub(now); wait > 0 {
		return &chain.Withheld{Reason: fmt.Sprintf("the signer waits %s before it signs something new", wait.Round(time.Second))}, keep
	}
	if p.ApproveAbove > 0 && d.leaves > p.ApproveAbove {
		if n := agreed(d, mem); n < approvals {
			return &chain.Withheld{Reason: fmt.Sprintf("%d satoshi leave, above %d two people have to approve: run `quittance approve %s` (%d of %d so far)",
				d.leaves, p.ApproveAbove, d.digest[:16], n, approvals)}, keep
		}
	}
	return nil, &Record{What: signed, At: now, Transfer: transfer, Digest: d.digest, Inputs: d.inputs, Leaves: d.leaves}
}

func (p *Policy) bounds(d *demand) *chain.Withheld {
	if p.MaxFee > 0 && d.fee > p.MaxFee {
		return &chain.Withheld{Reason: fmt.Sprintf("the network fee of %d satoshi is above the wallet's limit of %d", d.fee, p.MaxFee), Final: true}
	}
	for _, pay := range d.payments {
		if p.MaxPayment > 0 && pay.amount > p.MaxPayment {
			return &chain.Withheld{Reason: fmt.Sprintf("a payment of %d satoshi to %s is above the wallet's limit of %d for one payment", pay.amount, pay.address, p.MaxPayment), Final: true}
		}
		if len(p.Allow) > 0 && !slices.Contains(p.Allow, pay.address) {
			return &chain.Withheld{Reason: fmt.Sprintf("%s is not on the wallet's list of addresses that may be paid", pay.address), Final: true}
		}
	}
	return nil
}

// perDay adds up what was signed within the last 24 hours. Attempts at one
// transfer that share an input count once, with the most that any of them takes:
// only one can confirm.
func (p *Policy) perDay(d *demand, transfer string, mem []Record, now time.Time) *chain.Withheld {
	if p.MaxDay == 0 {
		return nil
	}
	groups := []Record{}
	for _, r := range append(slices.Clone(mem), Record{What: signed, At: now, Transfer: transfer, Inputs: d.inputs, Leaves: d.leaves}) {
		if r.What != signed || now.Sub(r.At) >= day {
			continue
		}
		i := slices.IndexFunc(groups, func(g Record) bool {
			return g.Transfer == r.Transfer && slices.ContainsFunc(g.Inputs, func(in string) bool { return slices.Contains(r.Inputs, in) })
		})
		if i < 0 {
			groups = append(groups, r)
			continue
		}
		groups[i].Leaves = max(groups[i].Leaves, r.Leaves)
		// What a later attempt shares with the group must be in all of it.
		groups[i].Inputs = slices.DeleteFunc(slices.Clone(groups[i].Inputs), func(in string) bool { return !slices.Contains(r.Inputs, in) })
	}
	var sum uint64
	for _, g := range groups {
		sum += g.Leaves
	}
	if sum > p.MaxDay {
		return &chain.Withheld{Reason: fmt.Sprintf("%d satoshi would leave within 24 hours, the wallet's limit is %d; it goes on by itself as the day passes", sum, p.MaxDay), Final: d.leaves > p.MaxDay}
	}
	return nil
}

func firstAsked(d *demand, mem []Record) (time.Time, bool) {
	for _, r := range mem {
		if r.What == asked && r.Digest == d.digest {
			return r.At, true
		}
	}
	return time.Time{}, false
}

// agreed counts the different people who approved a packet.
func agreed(d *demand, mem []Record) int {
	who := map[string]bool{}
	for _, r := range mem {
		if r.What == approved && r.Digest == d.digest {
			who[r.By] = true
		}
	}
	return len(who)
}
