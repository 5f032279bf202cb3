package transfer

import (
	"time"

	"github.com/quittance/quittance/internal/money"
)

// Kind says what an order pays.
type Kind string

// The kinds of order.
const (
	Refund     Kind = "refund"
	Payout     Kind = "payout"
	Settlement Kind = "settlement"
	Proof      Kind = "proof" // a test amount to an address that a recipient has given
)

// OrderState says where an order is.
type OrderState string

// An order waits in the queue, belongs to a transfer, is paid, or will not be.
const (
	Queued OrderState = "queued"
	Taken  OrderState = "taken" // by a transfer; frozen from here on
	Done   OrderState = "done"  // its transfer has the confirmations asked for
	Failed OrderState = "failed"
)

// Order is one payment that has to leave. What it takes from the books was
// reserved when it was made.
type Order struct {
	ID       string
	Merchant string
	Wallet   string
	Asset    string // that is sent
	Chain    string
	Kind     Kind
	Resource string // what it pays: the id of a refund, a payout, a settlement
	Address  string // as the recipient gave it
	To       []byte // the destination that the chain itself uses

	// Currency and Value are what was reserved in the books: whole smallest units.
	Currency string
	Value    money.Units
	// Price is what the recipient was promised, if that is in another currency than
	// Value: then Gross is reckoned from it.
	Price         money.Units
	PriceCurrency string
	// Gross is Value in the asset, zero until the rate is fixed. Kept is the part
	// of it that is not sent on because the recipient bears the network's cost.
	Gross money.Units
	Kept  money.Units
	// Rates are those the gross amount was reckoned with: of the asset in other
	// currencies, as JSON number literals.
	Rates map[string]string

	// Most is how many orders may share its transaction, 0 for any number: the one
	// that it was in before was refused as a whole, and it may be another's fault.
	Most     int
	State    OrderState
	Transfer string // empty while queued
	Problem  string // why it waits or has failed, for people
	NotUntil time.Time
	Created  time.Time
	Version  int64
}

// Fixed reports whether the amount in the asset is known.
func (o *Order) Fixed() bool { return !o.Gross.IsZero() }

// Amount is what the recipient gets, in the asset.
func (o *Order) Amount() money.Units {
	net, err := o.Gross.Sub(o.Kept)
	if err != nil {
		return money.Units{} // refused before it was queued
	}
	return net
}

// Together is how many of the queued orders, from the first on, may share one
// transaction.
func Together(orders []*Order) int {
	most := len(orders)
	for i, o := range orders {
		if o.Most > 0 {
			most = min(most, max(o.Most, i))
		}
		if i >= most {
			return i
		}
	}
	return most
}

// Requeue puts an order back whose transaction, with so many members, nobody will
// sign: it is tried again with half as many. Half, and not each alone, because one
// among a thousand is found with twenty transactions then instead of a thousand,
// and only that one fails. A rate that was fixed for the transaction is fixed anew.
func (o *Order) Requeue(members int, why string) {
	o.State, o.Transfer, o.Most, o.Problem = Queued, "", (members+1)/2, why
	if o.Rates != nil {
		o.Gross, o.Rates = money.Units{}, nil
	}
}
