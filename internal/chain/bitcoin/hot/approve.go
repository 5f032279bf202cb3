package hot

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// shortDigest is how much of a digest names a packet to people, in hex digits.
const shortDigest = 16

// Asked is something that was asked for and is not signed.
type Asked struct {
	Digest   string    `json:"digest"`
	Transfer string    `json:"transfer"`
	At       time.Time `json:"at"`
	Leaves   uint64    `json:"leaves"` // satoshi, fee included
	Why      string    `json:"why"`    // it waits; empty: it is signed when it is asked for again
	Approved []string  `json:"approved"`
	// Statement is what an approver reads and signs, byte for byte.
	Statement string `json:"statement"`
}

// Status is what a signer does and what waits for it.
type Status struct {
	XPub    string  `json:"xpub"`
	Kind    string  `json:"kind"`
	Network string  `json:"network"`
	Today   uint64  `json:"today"` // satoshi that left within 24 hours, as the day's limit counts them
	MaxDay  uint64  `json:"maxDay"`
	Waiting []Asked `json:"waiting"` // the newest first
}

// forgotten is after how long something that was asked for is not shown any more.
const forgotten = 30 * day

// Status lists what was asked for and waits.
func (s *Signer) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	mem, now, p := s.config.Memory.Records(), s.config.Now(), &s.config.Policy
	st := Status{XPub: s.account.XPub(), Kind: s.config.Kind, Network: s.chain.Network, Today: leaving(mem, now), MaxDay: p.MaxDay, Waiting: []Asked{}}
	for i := range slices.Backward(mem) {
		r := &mem[i]
		if r.What != asked || now.Sub(r.At) > forgotten || find(mem, signed, r.Digest) != nil {
			continue
		}
		a := Asked{Digest: r.Digest, Transfer: r.Transfer, At: r.At, Leaves: r.Leaves, Approved: p.agreed(r, s.wallet(), mem), Statement: statement(s.wallet(), r)}
		if held := p.waits(r, s.wallet(), mem, now); held != nil {
			a.Why = held.Reason
		}
		st.Waiting = append(st.Waiting, a)
	}
	return st
}

// Approve records that somebody agrees to what a packet takes out, and returns
// how many do. digest is what the refusal named, or its beginning of at least 16
// characters; signature is the approver's ed25519 signature over the statement.
// Approving twice is approving once.
func (s *Signer) Approve(digest, who string, signature []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mem, p := s.config.Memory.Records(), &s.config.Policy
	i := slices.IndexFunc(mem, func(r Record) bool {
		return r.What == asked && len(digest) >= shortDigest && strings.HasPrefix(r.Digest, digest)
	})
	if i < 0 {
		return 0, fmt.Errorf("nothing was asked for under %.64q", digest)
	}
	ask := &mem[i]
	key, named := p.Approvers[who]
	if !named {
		return 0, fmt.Errorf("the policy names no approver %.64q", who)
	}
	if !ed25519.Verify(key, []byte(statement(s.wallet(), ask)), signature) {
		return 0, fmt.Errorf("this is not the signature of %s under what was asked for", who)
	}
	if find(mem, signed, ask.Digest) != nil {
		return 0, errors.New("this is signed already")
	}
	have := p.agreed(ask, s.wallet(), mem)
	if slices.Contains(have, who) {
		return len(have), nil
	}
	err = s.config.Memory.Append(Record{What: approved, At: s.config.Now(), Transfer: ask.Transfer, Digest: ask.Digest, By: who, Signature: signature})
	return len(have) + 1, err
}

// agreed lists the different people who approved a packet. Each signature is
// held against the key that the policy has now: who was struck from it, or got
// another key, no longer counts.
func (p *Policy) agreed(ask *Record, wallet string, mem []Record) []string {
	who := []string{}
	text := []byte(statement(wallet, ask))
	for _, r := range mem {
		if r.What != approved || r.Digest != ask.Digest || slices.Contains(who, r.By) {
			continue
		}
		if key, named := p.Approvers[r.By]; named && ed25519.Verify(key, text, r.Signature) {
			who = append(who, r.By)
		}
	}
	return who
}

// statement is what approvers agree to, in words. They sign what they read: a
// host that shows them something else gets a signature that is good for nothing.
func statement(wallet string, r *Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Quittance signer, approval (version 1)\nwallet %s\npacket %s\n", wallet, r.Digest)
	for _, p := range r.Payments {
		fmt.Fprintf(&b, "pays %d satoshi to %s\n", p.Amount, p.Address)
	}
	fmt.Fprintf(&b, "network fee %d satoshi\nleaves %d satoshi in all\n", r.Fee, r.Leaves)
	return b.String()
}

// wallet names the account in statements.
func (s *Signer) wallet() string { return s.chain.Wallet() + " " + s.account.Fingerprint() }
