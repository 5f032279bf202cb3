package hot

import (
	"crypto/ed25519"
	"errors"
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
	// Approvers are the people who may approve, by name. Who is not among them any
	// more has not approved.
	Approvers map[string]ed25519.PublicKey
}

// approvals is how many different people have to agree above ApproveAbove.
const approvals = 2

const day = 24 * time.Hour

// maxWaiting bounds what may be asked for within a day and wait: whoever asks
// must not fill the memory.
const maxWaiting = 1000

// Check refuses a policy under which something could never be approved, or by
// one person alone.
func (p *Policy) Check() error {
	names := map[string]string{}
	for name, key := range p.Approvers {
		if len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("the key of approver %s is not an ed25519 public key", name)
		}
		if other, twice := names[string(key)]; twice {
			return fmt.Errorf("approvers %s and %s have the same key: they would be one person", min(name, other), max(name, other))
		}
		names[string(key)] = name
	}
	if p.ApproveAbove > 0 && len(p.Approvers) < approvals {
		return errors.New("above a limit two people have to approve, and fewer than two approvers are named")
	}
	return nil
}

// check holds what a packet takes out against the policy. It returns why it is
// not signed, and the record that has to be kept first, if any. wallet is the
// signer's, for the statement that people approve.
func (p *Policy) check(d *demand, wallet, transfer string, mem []Record, now time.Time) (held *chain.Withheld, keep *Record) {
	if slices.ContainsFunc(mem, func(r Record) bool { return r.What == signed && r.Digest == d.digest }) {
		return nil, nil // signed before: the same bytes again
	}
	for _, held := range []*chain.Withheld{contradicted(d, mem), p.bounds(d), p.perDay(d, transfer, mem, now)} {
		if held != nil {
			return held, nil
		}
	}
	ask := find(mem, asked, d.digest)
	known := ask != nil
	if !known {
		ask = d.record(asked, transfer, now)
	}
	if held := p.waits(ask, wallet, mem, now); held != nil {
		if known {
			return held, nil
		}
		if crowded(mem, now) {
			return &chain.Withheld{Reason: fmt.Sprintf("%d things that were asked for within a day wait already; look at `quittance signer list`", maxWaiting)}, nil
		}
		return held, ask
	}
	return nil, d.record(signed, transfer, now)
}

// waits says what something that keeps within the bounds still needs.
func (p *Policy) waits(ask *Record, wallet string, mem []Record, now time.Time) *chain.Withheld {
	if wait := ask.At.Add(p.Delay).Sub(now); wait > 0 {
		return &chain.Withheld{Reason: fmt.Sprintf("the signer waits %s before it signs something new", wait.Round(time.Second))}
	}
	if p.ApproveAbove == 0 || ask.Leaves <= p.ApproveAbove {
		return nil
	}
	if n := len(p.agreed(ask, wallet, mem)); n < approvals {
		return &chain.Withheld{Reason: fmt.Sprintf("%d satoshi leave, above %d two people have to approve: run `quittance signer approve %s --as NAME` (%d of %d so far)",
			ask.Leaves, p.ApproveAbove, ask.Digest[:shortDigest], n, approvals)}
	}
	return nil
}

func (p *Policy) bounds(d *demand) *chain.Withheld {
	if p.MaxFee > 0 && d.fee > p.MaxFee {
		return &chain.Withheld{Reason: fmt.Sprintf("the network fee of %d satoshi is above the wallet's limit of %d", d.fee, p.MaxFee), Final: true}
	}
	for _, pay := range d.payments {
		if p.MaxPayment > 0 && pay.Amount > p.MaxPayment {
			return &chain.Withheld{Reason: fmt.Sprintf("a payment of %d satoshi to %s is above the wallet's limit of %d for one payment", pay.Amount, pay.Address, p.MaxPayment), Final: true}
		}
		if len(p.Allow) > 0 && !slices.Contains(p.Allow, pay.Address) {
			return &chain.Withheld{Reason: fmt.Sprintf("%s is not on the wallet's list of addresses that may be paid", pay.Address), Final: true}
		}
	}
	return nil
}

// perDay adds what a packet takes out to what was signed within the last 24 hours.
func (p *Policy) perDay(d *demand, transfer string, mem []Record, now time.Time) *chain.Withheld {
	if p.MaxDay == 0 {
		return nil
	}
	if sum := leaving(append(slices.Clone(mem), *d.record(signed, transfer, now)), now); sum > p.MaxDay {
		return &chain.Withheld{Reason: fmt.Sprintf("%d satoshi would leave within 24 hours, the wallet's limit is %d; it goes on by itself as the day passes", sum, p.MaxDay), Final: d.leaves > p.MaxDay}
	}
	return nil
}

// leaving adds up what was signed within the last 24 hours, in satoshi. Attempts
// at one transfer that share an input count once, with the most that any of them
// takes: only one can confirm.
func leaving(mem []Record, now time.Time) (sum uint64) {
	groups := []Record{}
	for _, r := range mem {
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
	for _, g := range groups {
		sum += g.Leaves
	}
	return sum
}

// crowded reports whether too much waits that was asked for within a day.
func crowded(mem []Record, now time.Time) bool {
	done := map[string]bool{}
	for _, r := range mem {
		done[r.Digest] = done[r.Digest] || r.What == signed
	}
	n := 0
	for _, r := range mem {
		if r.What == asked && !done[r.Digest] && now.Sub(r.At) < day {
			n++
		}
	}
	return n >= maxWaiting
}
