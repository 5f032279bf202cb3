package payout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
)

// Limits of a payout.
const (
	MaxReference = 100 // bytes
	MaxText      = 1024
	MaxGroup     = 1000
	LeastCents   = 500 // 5 US dollars, or what it is worth
)

// How long an equal payout counts as the same one.
const (
	SameReference = 24 * time.Hour   // with a reference: it is the first one
	SameContent   = 15 * time.Minute // without: a new one that waits for a release
	SameSignature = 24 * time.Hour   // the very same signed request
)

// Payout is money to a recipient.
type Payout struct {
	ID       string
	Merchant string
	APIToken string // the token it was created with; also the webhook key
	Token    string // the resource's own token
	Group    string // empty for a single one
	Status   Status
	Created  time.Time
	Version  int64
	Terms    Terms
	State    State
}

// Terms is the part that never changes.
type Terms struct {
	Recipient         string      `json:"recipient"`
	Email             string      `json:"email"`
	Shopper           string      `json:"shopper,omitempty"`
	Amount            money.Units `json:"amount"` // in Currency
	Currency          string      `json:"currency"`
	LedgerCurrency    string      `json:"ledgerCurrency"`
	Reference         string      `json:"reference,omitempty"`
	Label             string      `json:"label,omitempty"`
	Message           string      `json:"message,omitempty"`
	NotificationURL   string      `json:"notificationURL,omitempty"`
	NotificationEmail string      `json:"notificationEmail,omitempty"`
	Effective         time.Time   `json:"effective"`
	IgnoreEmails      bool        `json:"ignoreEmails,omitempty"`
}

// State is the part that changes besides the status.
type State struct {
	Events    int64             `json:"events"`
	Held      string            `json:"held,omitempty"`     // why it waits for a release; empty: it does not
	Needs     int               `json:"needs,omitempty"`    // how many people have to agree
	Released  []string          `json:"released,omitempty"` // who agreed
	Entry     string            `json:"entry,omitempty"`    // the ledger entry that funds it
	Order     string            `json:"order,omitempty"`    // the order that pays it
	Asset     string            `json:"asset,omitempty"`    // that is sent
	Sent      money.Units       `json:"sent"`               // in Asset, once the rate is fixed
	Rates     map[string]string `json:"rates,omitempty"`    // of the asset, at the broadcast
	Txid      string            `json:"txid,omitempty"`
	Executed  time.Time         `json:"executed,omitzero"`
	Completed time.Time         `json:"completed,omitzero"`
	Problem   string            `json:"problem,omitempty"` // why it waits or has failed, for people
}

// Digest is the content that makes two payouts equal: who gets what from where.
func (t *Terms) Digest() string {
	same := *t
	same.Effective = time.Time{}
	b, _ := json.Marshal(&same) // texts and numbers only
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Check refuses what cannot be paid, apart from whom it goes to.
func (t *Terms) Check(url, email func(string) string) error {
	switch {
	case t.Amount.IsZero():
		return fault.Invalid(fault.Invalid0, "amount", "must be more than 0")
	case len(t.Reference) > MaxReference:
		return fault.Invalid(fault.Invalid0, "reference", "at most %d bytes", MaxReference)
	case len(t.Label) > MaxText || len(t.Message) > MaxText:
		return fault.Invalid(fault.Invalid0, "label", "at most %d bytes", MaxText)
	}
	if why := url(t.NotificationURL); t.NotificationURL != "" && why != "" {
		return fault.Invalid(fault.Invalid0, "notificationURL", "%s", why)
	}
	if why := email(t.NotificationEmail); t.NotificationEmail != "" && why != "" {
		return fault.Invalid(fault.Invalid0, "notificationEmail", "%s", why)
	}
	return nil
}

// Hold keeps a payout until so many people have agreed.
func (p *Payout) Hold(why string, needs int) {
	if p.State.Held != "" {
		p.State.Held += "; " + why
	} else {
		p.State.Held = why
	}
	p.State.Needs = max(p.State.Needs, needs)
}

// Release notes that somebody agrees. The same person counts once.
func (p *Payout) Release(who string) error {
	switch {
	case p.Status != New:
		return fmt.Errorf("payout %s is %s: there is nothing to release", p.ID, p.Status)
	case p.State.Held == "":
		return fmt.Errorf("payout %s is not held", p.ID)
	case slices.Contains(p.State.Released, who):
		return fmt.Errorf("%s has released payout %s already; somebody else has to", who, p.ID)
	}
	p.State.Released = append(p.State.Released, who)
	if len(p.State.Released) >= p.State.Needs {
		p.State.Held = ""
	}
	return nil
}

// Move takes a listed step.
func (p *Payout) Move(e Event, now time.Time) error {
	to, err := Step(p.Status, e)
	if err != nil {
		return fault.New(fault.Invalid0, "The payout is %s: it cannot be %s", p.Status, e)
	}
	p.Status = to
	switch to {
	case Processing:
		if p.State.Executed.IsZero() {
			p.State.Executed = now
		}
		p.State.Completed = time.Time{}
	case Complete:
		p.State.Completed = now
	}
	return nil
}

// Runs are the times of day in UTC at which payouts are funded; none: at once.
type Runs []time.Duration

// ParseRuns reads "14:00,21:00", which is also what empty means, or "now".
func ParseRuns(s string) (Runs, error) {
	if s == "" {
		s = "14:00,21:00"
	}
	if s == "now" {
		return nil, nil
	}
	var out Runs
	for part := range strings.SplitSeq(s, ",") {
		t, err := time.Parse("15:04", strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("%q is not a time of day such as 14:00, nor \"now\"", part)
		}
		out = append(out, time.Duration(t.Hour())*time.Hour+time.Duration(t.Minute())*time.Minute)
	}
	return out, nil
}

// Due reports whether a payout that was asked for at a time, for a day, is funded
// by now: at the first run after both.
func (r Runs) Due(created, effective, now time.Time) bool {
	ready := created
	if effective.After(ready) {
		ready = effective
	}
	if now.Before(ready) {
		return false
	}
	if len(r) == 0 {
		return true
	}
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	last := time.Time{}
	for _, d := range r {
		for _, at := range []time.Time{day.Add(d), day.Add(d - 24*time.Hour)} {
			if !at.After(now) && at.After(last) {
				last = at
			}
		}
	}
	return !last.Before(ready)
}
