package recipient

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
)

const (
	// AddressHold is how long a changed address waits before it is used: whoever
	// reads the recipient's mail must not be able to redirect a payment at once.
	AddressHold = 24 * time.Hour
	// MaxTestTries is how often a test amount can be typed.
	MaxTestTries = 5
	// MaxTests is how many test amounts a recipient is ever sent.
	MaxTests = 3
)

// ProofKind says how somebody showed that an address is theirs.
type ProofKind string

// A signature proves the key. A test amount shows that its reader sees what
// arrives there, which guards against mistakes; a public chain shows it to
// others as well.
const (
	BySignature  ProofKind = "signature"
	ByTestAmount ProofKind = "test-amount"
)

// Proof is why an address is believed. Text and Signature are kept, so that it
// can be checked again before each use.
type Proof struct {
	Kind      ProofKind `json:"kind"`
	Text      string    `json:"text,omitempty"`
	Signature string    `json:"signature,omitempty"`
	Test      string    `json:"test,omitempty"` // id of the test amount
}

// Address is where a recipient is paid in one asset.
type Address struct {
	Asset   string    `json:"asset"`
	Address string    `json:"address"`
	Proof   Proof     `json:"proof"`
	Given   time.Time `json:"given"`
	From    time.Time `json:"from"` // AddressFrom: it is used from here on
	// Void is when a later address took its place before it was ever used.
	Void time.Time `json:"void,omitzero"`
}

// Candidate is an address that is not proven yet.
type Candidate struct {
	Asset   string `json:"asset"`
	Address string `json:"address"`
	Nonce   string `json:"nonce"` // fresh for each time an address is given
	Test    *Test  `json:"test,omitempty"`
}

// Test is a small payment whose amount the recipient reads off.
type Test struct {
	ID     string      `json:"id"`
	Amount money.Units `json:"amount"` // smallest units of the asset
	Tries  int         `json:"tries"`  // wrong amounts that were typed
}

// AddressAt is the address that counts at a time, if there is one.
func (r *Recipient) AddressAt(asset string, now time.Time) (Address, bool) {
	for i := len(r.State.Addresses) - 1; i >= 0; i-- {
		if a := r.State.Addresses[i]; a.Asset == asset && a.Void.IsZero() && !now.Before(a.From) {
			return a, true
		}
	}
	return Address{}, false
}

// NextAddress is the proven address that waits for its time, if there is one.
func (r *Recipient) NextAddress(asset string, now time.Time) (Address, bool) {
	for _, a := range r.State.Addresses {
		if a.Asset == asset && a.Void.IsZero() && now.Before(a.From) {
			return a, true
		}
	}
	return Address{}, false
}

// MayGive refuses an address while it is not the time for one.
func (r *Recipient) MayGive() error {
	switch r.Status {
	case Verified, Active:
		return nil
	case Invited:
		return fault.New(fault.Invalid0, "Confirm your e-mail address first")
	case Unverified:
		return fault.New(fault.Invalid0, "Your details are still being checked. You get a mail when you can go on")
	}
	return fault.New(fault.Invalid0, "Not possible for a recipient that is %s", r.Status)
}

// Give notes an address that is to be proven; address is in its canonical
// spelling. An earlier one that was not proven is forgotten.
func (r *Recipient) Give(asset, address, nonce string, now time.Time) error {
	if err := r.MayGive(); err != nil {
		return err
	}
	if a, ok := r.AddressAt(asset, now); ok && a.Address == address {
		return fault.Invalid(fault.Invalid0, "address", "you are already paid at this address")
	}
	r.State.Candidate = &Candidate{Asset: asset, Address: address, Nonce: nonce}
	return nil
}

// Challenge is the text that is signed to prove the candidate: one line of plain
// ASCII, which every wallet takes as it is.
func (r *Recipient) Challenge() string {
	c := r.State.Candidate
	return fmt.Sprintf("Payout address. Recipient: %s. Asset: %s. Address: %s. Nonce: %s", r.ID, c.Asset, c.Address, c.Nonce)
}

// Pending returns the candidate that a page was showing. Another tab may have
// given another address meanwhile.
func (r *Recipient) Pending(nonce string) (*Candidate, error) {
	c := r.State.Candidate
	if err := r.MayGive(); err != nil {
		return nil, err
	}
	if c == nil || c.Nonce != nonce {
		return nil, fault.New(fault.Invalid0, "Another address was given meanwhile, perhaps in another tab. Look at the address below and go on from there")
	}
	return c, nil
}

// StartTest notes a test amount before it is sent. Asking again while one is on
// its way returns the same one.
func (r *Recipient) StartTest(id string, amount money.Units) (*Test, error) {
	c := r.State.Candidate
	if c.Test != nil {
		return c.Test, nil
	}
	if r.State.Tests >= MaxTests {
		return nil, fault.New(fault.Invalid0, "%d test amounts were sent already; sign the text instead", MaxTests)
	}
	r.State.Tests++
	c.Test = &Test{ID: id, Amount: amount}
	return c.Test, nil
}

// ReadTest compares what the recipient read off. A wrong amount is counted, also
// when the error is returned: the caller stores the recipient either way.
func (r *Recipient) ReadTest(amount money.Units) error {
	t := r.State.Candidate.Test
	if t == nil {
		return fault.New(fault.Invalid0, "No test amount is on its way")
	}
	if t.Amount.Cmp(amount) == 0 {
		return nil
	}
	if t.Tries++; t.Tries >= MaxTestTries {
		r.State.Candidate = nil
		return fault.New(fault.Invalid0, "This is not the amount that was sent, for the %dth time. Give your address again", MaxTestTries)
	}
	return fault.New(fault.Invalid0, "This is not the amount that was sent. Look at the payment in your wallet and type it exactly; you have %d more tries", MaxTestTries-t.Tries)
}

// Prove takes the candidate over. The first address of an asset counts at once; a
// later one is held, and the old one works meanwhile. One that is still held is
// void then.
func (r *Recipient) Prove(p Proof, now time.Time) ([]Change, error) {
	c := r.State.Candidate
	list := []Change{{Kind: AddressChanged, To: r.Status}}
	from := now
	if r.Status != Active {
		step, err := r.move(map[ProofKind]Event{BySignature: AddressSigned, ByTestAmount: TestAmountRead}[p.Kind])
		if err != nil {
			return nil, err
		}
		list[0] = step
	}
	if _, has := r.AddressAt(c.Asset, now); has {
		from = now.Add(AddressHold)
	}
	for i := range r.State.Addresses {
		if a := &r.State.Addresses[i]; a.Asset == c.Asset && a.Void.IsZero() && now.Before(a.From) {
			a.Void = now
		}
	}
	r.State.Addresses = append(r.State.Addresses, Address{Asset: c.Asset, Address: c.Address, Proof: p, Given: now, From: from})
	r.State.Candidate = nil
	return list, nil
}
