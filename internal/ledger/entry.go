package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/money"
)

// Kind says what an entry books.
type Kind string

// The kinds of entry.
const (
	Receipt    Kind = "receipt"    // a payment is deep enough to count
	Credit     Kind = "credit"     // an invoice is complete
	Reserve    Kind = "reserve"    // something is promised
	Release    Kind = "release"    // a promise is taken back
	Sent       Kind = "sent"       // a transaction left, or its cost changed
	Deposit    Kind = "deposit"    // the merchant funds the ledger
	Withdrawal Kind = "withdrawal" // the merchant took coins out by itself
	Settlement Kind = "settlement"
	Adjustment Kind = "adjustment" // by hand
	Reversal   Kind = "reversal"   // equal and opposite to an earlier entry
)

// Entry is one fact in the books.
type Entry struct {
	ID       string
	Merchant string
	N        int64 // 1, 2, 3 … of the merchant, without gaps
	Kind     Kind
	Key      string // of the fact: it is booked once
	Reverses string // the id of the entry this one takes back; empty for none
	Refs     Refs
	At       time.Time
	Postings []Posting
	Prev     string // hash of the entry before, hex; empty for the first
	Hash     string // hex

	// StoredRefs is Refs as the row has it, for an entry that was sealed or read.
	StoredRefs string

	// AllowDeficit lets the entry overdraw: a reorganisation that takes a payment
	// back asks nobody.
	AllowDeficit bool
}

// Posting moves an account.
type Posting struct {
	Account string
	Asset   string
	Amount  money.Delta // positive is a debit
	Code    Code        // on Merchant only: what the API's ledger calls it
	Text    string      // the API's description, when it is not the code's name
}

// Refs say what an entry is about.
type Refs struct {
	Invoice    string `json:"invoice,omitempty"`
	Refund     string `json:"refund,omitempty"`
	Payout     string `json:"payout,omitempty"`
	Settlement string `json:"settlement,omitempty"`
	Transfer   string `json:"transfer,omitempty"`
	Txid       string `json:"txid,omitempty"`
	Support    string `json:"support,omitempty"` // the refund request's id
	Note       string `json:"note,omitempty"`
}

// New begins an entry.
func New(kind Kind, key, merchantID string, at time.Time) *Entry {
	return &Entry{Kind: kind, Key: key, Merchant: merchantID, At: at}
}

// Debit adds a posting; nothing of nothing.
func (e *Entry) Debit(account, asset string, u money.Units) *Entry {
	return e.Post(account, asset, u.Delta())
}

// Credit adds a negative posting.
func (e *Entry) Credit(account, asset string, u money.Units) *Entry {
	return e.Post(account, asset, u.Delta().Neg())
}

// Post adds a posting.
func (e *Entry) Post(account, asset string, d money.Delta) *Entry {
	if !d.IsZero() {
		e.Postings = append(e.Postings, Posting{Account: account, Asset: asset, Amount: d})
	}
	return e
}

// Line adds a posting to the merchant's own account, as the API shows it: a
// positive d is a credit to the merchant. text may be empty.
func (e *Entry) Line(asset string, d money.Delta, code Code, text string) *Entry {
	if !d.IsZero() {
		e.Postings = append(e.Postings, Posting{Merchant, asset, d.Neg(), code, text})
	}
	return e
}

// ErrUnbalanced is an entry that does not add up.
var ErrUnbalanced = errors.New("ledger: the entry does not add up")

// Check refuses an entry that does not belong into the books.
func (e *Entry) Check() error {
	if len(e.Postings) < 2 || e.Key == "" || e.Merchant == "" || e.ID == "" || e.Kind == "" {
		return fmt.Errorf("%w: entry %q needs an id, a kind, a key and two postings", ErrUnbalanced, e.Key)
	}
	sums := map[string]money.Delta{}
	for _, p := range e.Postings {
		var err error
		if sums[p.Asset], err = sums[p.Asset].Add(p.Amount); err != nil {
			return fmt.Errorf("%w: entry %q: %w", ErrUnbalanced, e.Key, err)
		}
		switch {
		case p.Amount.IsZero() || p.Asset == "" || !known(p.Account):
			return fmt.Errorf("%w: entry %q posts %s %s to %q", ErrUnbalanced, e.Key, p.Amount, p.Asset, p.Account)
		case (p.Account == Merchant) != (p.Code.Name() != ""):
			return fmt.Errorf("%w: entry %q posts to %q with code %d", ErrUnbalanced, e.Key, p.Account, p.Code)
		}
	}
	for asset, sum := range sums {
		if !sum.IsZero() {
			return fmt.Errorf("%w: entry %q leaves %s %s", ErrUnbalanced, e.Key, sum, asset)
		}
	}
	return nil
}

// Reverse is the equal and opposite entry. On the merchant's ledger it is a
// corrective line.
func (e *Entry) Reverse(key string, at time.Time) *Entry {
	r := &Entry{Kind: Reversal, Key: key, Merchant: e.Merchant, Reverses: e.ID, Refs: e.Refs, At: at, AllowDeficit: true}
	for _, p := range e.Postings {
		p.Amount = p.Amount.Neg()
		if p.Account == Merchant {
			p.Code, p.Text = Corrective, ""
		}
		r.Postings = append(r.Postings, p)
	}
	return r
}

// Undone reports whether r is the equal and opposite of the entry.
func (e *Entry) Undone(r *Entry) bool {
	if len(e.Postings) != len(r.Postings) || e.Merchant != r.Merchant {
		return false
	}
	for i, p := range e.Postings {
		q := r.Postings[i]
		if p.Account != q.Account || p.Asset != q.Asset || p.Amount.Cmp(q.Amount.Neg()) != 0 {
			return false
		}
	}
	return true
}

// Insufficient is an account that would be overdrawn.
type Insufficient struct {
	Account string
	Asset   string
	Have    money.Units
	Need    money.Units
}

func (e *Insufficient) Error() string {
	return fmt.Sprintf("ledger: %s has %s %s and %s are needed", e.Account, e.Have, e.Asset, e.Need)
}
