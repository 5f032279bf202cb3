package bill

import (
	"math/big"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

// Bill is a demand for payment that waits for its payer.
type Bill struct {
	ID       string
	Merchant string
	APIToken string // the token it was created with
	Token    string // the resource's own token
	Status   Status
	Created  time.Time
	Version  int64 // grows with each change

	Terms Terms
	State State
}

// Terms is what the merchant asked for.
type Terms struct {
	Number   string    `json:"number,omitempty"`
	Currency string    `json:"currency"`
	Name     string    `json:"name,omitempty"`
	Address1 string    `json:"address1,omitempty"`
	Address2 string    `json:"address2,omitempty"`
	City     string    `json:"city,omitempty"`
	Region   string    `json:"state,omitempty"`
	Zip      string    `json:"zip,omitempty"`
	Country  string    `json:"country,omitempty"`
	Phone    string    `json:"phone,omitempty"`
	Email    string    `json:"email,omitempty"`
	CC       []string  `json:"cc,omitempty"`
	Due      time.Time `json:"dueDate,omitzero"`
	PassFee  bool      `json:"passProcessingFee,omitempty"`
	NoEmail  bool      `json:"noEmail,omitempty"` // emailBill was false
	Items    []Item    `json:"items"`
}

// Item is one line: Quantity times Price, in smallest units of the currency.
type Item struct {
	ID          string      `json:"id,omitempty"`
	Description string      `json:"description"`
	Price       money.Units `json:"price"`
	Quantity    int64       `json:"quantity"`
}

// State is the part that the payer and the clock change.
type State struct {
	Facade    string    `json:"facade"`             // of the token it was created with
	Events    int64     `json:"events,omitempty"`   // sequence number of the last event
	Delivered time.Time `json:"delivered,omitzero"` // when it was last mailed
	Invoice   string    `json:"invoice,omitempty"`  // that pays it, or last tried to
	Opened    int64     `json:"opened,omitempty"`   // invoices opened so far
	From      string    `json:"from,omitempty"`     // subscription that made it
}

// DeliverEvery is the pause between two deliveries of one bill.
const DeliverEvery = time.Minute

// Net is the sum of price times quantity, in smallest units.
func (t *Terms) Net() (money.Units, error) {
	sum := new(big.Int)
	for _, it := range t.Items {
		sum.Add(sum, new(big.Int).Mul(it.Price.Big(), big.NewInt(it.Quantity)))
	}
	return money.FromBig(sum)
}

// Total is what the payer pays: the net sum, and with passProcessingFee so much
// more that the merchant keeps it after a fee of basisPoints (hundredths of a
// percent, below 10,000) and flat smallest units: (net + flat) / (1 - rate),
// rounded up.
func (t *Terms) Total(basisPoints, flat int64) (money.Units, error) {
	net, err := t.Net()
	if err != nil || !t.PassFee || basisPoints == 0 && flat == 0 {
		return net, err
	}
	if basisPoints < 0 || basisPoints >= 10_000 || flat < 0 {
		return money.Units{}, money.ErrRange
	}
	n := net.Big()
	n.Add(n, big.NewInt(flat)).Mul(n, big.NewInt(10_000))
	rate := big.NewInt(10_000 - basisPoints)
	n.Add(n, rate).Sub(n, big.NewInt(1)).Div(n, rate)
	return money.FromBig(n)
}

// Deliver marks the bill as mailed.
func (b *Bill) Deliver(now time.Time) error {
	if b.Terms.NoEmail {
		return fault.Invalid(fault.Invalid0, "emailBill", "it is false, so this bill is not mailed")
	}
	if b.Terms.Email == "" {
		return fault.Invalid(fault.Invalid0, "email", "the bill has none to be delivered to")
	}
	to, err := Step(b.Status, Delivered)
	if err != nil {
		return fault.New(fault.Invalid0, "The bill is %s: there is nothing left to ask for", b.Status)
	}
	if last := b.State.Delivered; !last.IsZero() && now.Before(last.Add(DeliverEvery)) {
		return fault.New(fault.Invalid0, "The bill was delivered less than a minute ago; wait a little before sending it again")
	}
	b.Status, b.State.Delivered = to, now
	return nil
}

// Change replaces the terms. What was paid, or is being paid, stays as it is.
func (b *Bill) Change(t Terms) error {
	switch b.Status {
	case Draft, Sent, New:
		b.Terms = t
		return nil
	}
	return fault.New(fault.Invalid0, "The bill is %s and can no longer be changed", b.Status)
}

// Open records the invoice that the payer opened.
func (b *Bill) Open(invoiceID string) error {
	to, err := Step(b.Status, InvoiceOpened)
	if err != nil {
		return fault.New(fault.Invalid0, "The bill is %s: there is nothing left to pay", b.Status)
	}
	b.Status, b.State.Invoice = to, invoiceID
	b.State.Opened++
	return nil
}

// Follow moves the bill after one of its invoices and tells whether anything
// changed. A payment by any of them counts; that an earlier one failed says
// nothing about the present one.
func (b *Bill) Follow(inv *invoice.Invoice) bool {
	e, ok := of(inv.Status)
	if !ok || e == InvoiceFailed && b.State.Invoice != inv.ID {
		return false
	}
	paid := b.Status == Paid || b.Status == Complete
	if paid && b.State.Invoice != inv.ID {
		return false
	}
	to, err := Step(b.Status, e)
	if err != nil || to == b.Status && b.State.Invoice == inv.ID {
		return false
	}
	b.Status, b.State.Invoice = to, inv.ID
	return true
}
