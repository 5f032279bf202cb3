package refund

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/btcutil/base58"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

// Limits of a refund.
const (
	MaxReference = 100            // bytes
	PreviewFor   = 24 * time.Hour // how long a quoted fee can be confirmed
	ClaimFor     = 90 * 24 * time.Hour
)

// Reason says why there is a refund.
type Reason string

// A merchant asks for a refund; the rest is given back by the merchant's policy.
const (
	Asked    Reason = "asked"
	Declined Reason = "declined" // of an invoice that was withdrawn after a payment was seen
	Over     Reason = "over"
	Under    Reason = "under"
	Late     Reason = "late"
)

// Refund is money that goes back to a buyer.
type Refund struct {
	ID       string
	Merchant string
	Invoice  string
	APIToken string // the token it was created with; also the webhook key
	Token    string // the resource's own token
	GUID     string
	Status   Status
	Created  time.Time
	Version  int64
	Terms    Terms
	State    State
}

// Terms is the part that never changes.
type Terms struct {
	Reason       Reason      `json:"reason"`
	Amount       money.Units `json:"amount"` // in Currency
	Currency     string      `json:"currency"`
	Asset        string      `json:"asset"`
	Gross        money.Units `json:"gross"`    // in Asset: the same share of what came in
	AssetFee     money.Units `json:"assetFee"` // quoted, in Asset
	Fee          money.Units `json:"fee"`      // quoted, in Currency
	Immediate    bool        `json:"immediate,omitempty"`
	BuyerPays    bool        `json:"buyerPays,omitempty"` // the buyer bears the fee
	Full         bool        `json:"full,omitempty"`      // of a confirmed invoice: it cannot be cancelled
	Reference    string      `json:"reference,omitempty"`
	Support      string      `json:"support"` // the refund request's id
	Contact      string      `json:"contact"` // where the buyer is asked for an address
	Notification string      `json:"notification,omitempty"`
	// FromCredit says that the merchant's ledger pays, which was credited with the
	// invoice; else it comes out of what was never applied.
	FromCredit bool `json:"fromCredit,omitempty"`
}

// State is the part that changes besides the status.
type State struct {
	Events    int64     `json:"events"`
	Claims    int64     `json:"claims"`             // links made so far; only the last one works
	ClaimedTo time.Time `json:"claimedTo,omitzero"` // when the link ends
	Address   string    `json:"address,omitempty"`  // given and confirmed by the buyer
	To        []byte    `json:"to,omitempty"`       //
	Entry     string    `json:"entry,omitempty"`    // the ledger entry that holds the money
	Order     string    `json:"order,omitempty"`    // the order that pays it
	Txid      string    `json:"txid,omitempty"`     //
	Notified  time.Time `json:"notified,omitzero"`  // when the buyer was last written to
	Problem   string    `json:"problem,omitempty"`  // why it waits, for people
	Confirmed time.Time `json:"confirmed,omitzero"` // when a preview became a refund
	Ended     time.Time `json:"ended,omitzero"`     //
}

// Awaits reports that the buyer has to say where the money goes.
func (r *Refund) Awaits() bool { return r.Status == Created && r.State.Address == "" }

// Net is what the buyer gets, in the asset.
func (t *Terms) Net() money.Units {
	if !t.BuyerPays {
		return t.Gross
	}
	net, err := t.Gross.Sub(t.AssetFee)
	if err != nil {
		return money.Units{}
	}
	return net
}

// Kept is the part of the gross amount that pays the network.
func (t *Terms) Kept() money.Units {
	if t.BuyerPays {
		return t.AssetFee
	}
	return money.Units{}
}

// Move takes a listed step, or refuses it with the code for the method.
func (r *Refund) Move(e Event) error {
	to, err := Step(r.Status, e)
	if err != nil {
		return fault.New(fault.RefundInvalid, "The refund is %s: it cannot be %s", r.Status, e)
	}
	r.Status = to
	return nil
}

// ClaimCode is the secret of the n-th claim link: whoever has it may say where
// the money goes. It is derived from the refund's own token.
func (r *Refund) ClaimCode(n int64) string {
	m := hmac.New(sha256.New, []byte(r.Token))
	fmt.Fprintf(m, "quittance refund claim/%s/%d", r.ID, n)
	return base58.Encode(m.Sum(nil)[:20])
}

// CheckClaim reports whether a claim link's code opens the refund now.
func (r *Refund) CheckClaim(code string, now time.Time) error {
	switch {
	case !hmac.Equal([]byte(code), []byte(r.ClaimCode(r.State.Claims))):
		return fault.New(fault.RefundNotFound, "This link is not valid, or a newer one was sent. Please use the link in the latest mail.")
	case r.Status == Canceled || r.Status == Failure || r.Status == Preview:
		return fault.New(fault.RefundInvalid, "This refund is not open any more. Please ask the shop.")
	case now.After(r.State.ClaimedTo) && r.State.Address == "":
		return fault.New(fault.RefundInvalid, "This link has expired. Please ask the shop to send a new one.")
	}
	return nil
}

// CheckAmount holds an amount against what the invoice can still give back, and
// against its state (spec, section 9). others are its other refunds.
func CheckAmount(inv *invoice.Invoice, amount money.Units, others []*Refund) error {
	price, cur := inv.Terms.Order.Price, inv.Terms.Order.Currency
	var given money.Units
	for _, o := range others {
		if o.Terms.Reason != Asked || !o.Status.Active() {
			continue
		}
		if o.Status.Open() {
			return fault.New(fault.RefundActive, "Active refund request already exists: %s is %s", o.ID, o.Status)
		}
		given, _ = given.Add(o.Terms.Amount)
	}
	switch inv.Status {
	case invoice.Complete:
	case invoice.Confirmed:
		if amount.Cmp(price) != 0 {
			return fault.Invalid(fault.RefundInvalid, "amount", "an invoice that is not complete yet can be refunded in full only: %s", show(cur, price))
		}
	default:
		return fault.New(fault.RefundInvoiceState, "Invalid invoice state for refund: it is %s; only a confirmed or complete invoice can be refunded", inv.Status)
	}
	left, err := price.Sub(given)
	if err != nil || amount.Cmp(left) > 0 {
		return fault.Invalid(fault.RefundInvalid, "amount", "%s is more than the %s of the invoice that were not refunded yet", show(cur, amount), show(cur, left))
	}
	return nil
}

// Share is the part of what came in that goes back for an amount of the price,
// rounded down; the whole price gives back all that was applied.
func Share(inv *invoice.Invoice, amount money.Units) (gross money.Units, asset string, err error) {
	applied, asset := inv.Applied()
	n := applied.Big()
	n.Mul(n, amount.Big())
	n.Quo(n, inv.Terms.Order.Price.Big())
	gross, err = money.FromBig(n)
	return gross, asset, err
}

// ShowFee is the quoted fee for people.
func (r *Refund) ShowFee() string {
	return show(r.Terms.Currency, r.Terms.Fee) + " (" + show(r.Terms.Asset, r.Terms.AssetFee) + ")"
}

// Mask hides most of a contact: "b•••@example.com".
func Mask(contact string) string {
	name, host, ok := strings.Cut(contact, "@")
	if !ok || name == "" {
		if len(contact) < 4 {
			return "•••"
		}
		return "•••" + contact[len(contact)-3:]
	}
	first := []rune(name)[0]
	return string(first) + "•••@" + host
}

func show(code string, u money.Units) string {
	if cur, ok := money.Lookup(code); ok {
		return money.Format(cur, u) + " " + code
	}
	return u.String() + " " + code
}
