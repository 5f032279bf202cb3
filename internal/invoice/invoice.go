package invoice

import (
	"math/big"
	"time"

	"github.com/quittance/quittance/internal/money"
)

// Invoice is a merchant's demand and what came of it.
type Invoice struct {
	ID       string
	Merchant string
	APIToken string // the token it was created with; also the webhook key
	Token    string // the resource's own token
	GUID     string
	Status   Status
	Created  time.Time
	Expires  time.Time
	Version  int64 // grows with each change

	Terms Terms
	State State

	Credits []Credit // in the order they were first seen
}

// Terms is the part that never changes.
type Terms struct {
	Order   Order    `json:"order"`
	Options []Option `json:"options"`
	Lock    Lock     `json:"lock"`
}

// State is the part that changes besides the status.
type State struct {
	Events      int64       `json:"events"`                // sequence number of the last event
	Cancelled   time.Time   `json:"cancelled,omitzero"`    // zero unless the merchant cancelled
	Email       string      `json:"email,omitempty"`       // given by the buyer or the merchant's update
	SMS         string      `json:"sms,omitempty"`         // number, verified or not
	SMSVerified bool        `json:"smsVerified,omitempty"` //
	SMSCode     string      `json:"smsCode,omitempty"`     // hash of the code that was sent
	SMSTries    int         `json:"smsTries,omitempty"`    // wrong codes since it was sent
	SMSSent     time.Time   `json:"smsSent,omitzero"`      //
	Asset       string      `json:"asset,omitempty"`       // chosen by the buyer or fixed by the first payment
	Wallet      string      `json:"wallet,omitempty"`      // the buyer's wallet, if told
	AutoVerify  bool        `json:"autoVerify,omitempty"`  // sandbox
	Entry       string      `json:"entry,omitempty"`       // the ledger entry that credits it; empty while none does
	Bookings    int64       `json:"bookings,omitempty"`    // how often it was credited
	Reorged     time.Time   `json:"reorged,omitzero"`      // when a reorganisation last took the credit back
	Refunds     int64       `json:"refunds,omitempty"`     // how many refunds there were
	Kept        money.Units `json:"kept"`                  // unapplied payments that were credited after all
	Posted      []string    `json:"posted,omitempty"`      // transactions that wallets handed over (payment protocol)
	// FeeRates is what wallets were told to pay the network for each asset, in the
	// smallest unit per 1,000 virtual bytes. It is told once and holds until the end.
	FeeRates map[string]uint64 `json:"feeRates,omitempty"`
}

// Open makes a new invoice, once the quote and the addresses are known.
func Open(id, merchantID, apiToken, token, guid string, order Order, options []Option, lock Lock, now time.Time) *Invoice {
	window := RateLock
	if order.Window > 0 {
		window = time.Duration(order.Window) * time.Millisecond
	}
	inv := &Invoice{
		ID: id, Merchant: merchantID, APIToken: apiToken, Token: token, GUID: guid,
		Status: New, Created: now, Expires: now.Add(window),
		Terms: Terms{Order: order, Options: options, Lock: lock},
	}
	inv.State.Asset = order.PresetCurrency
	if len(options) == 1 && len(order.PaymentCurrencies) == 1 {
		inv.State.Asset = options[0].Asset
	}
	inv.State.Wallet = order.PresetWallet
	return inv
}

// Option returns the way to pay in an asset.
func (inv *Invoice) Option(asset string) (*Option, bool) {
	for i := range inv.Terms.Options {
		if inv.Terms.Options[i].Asset == asset {
			return &inv.Terms.Options[i], true
		}
	}
	return nil, false
}

// IsCancelled reports whether the merchant cancelled it explicitly.
func (inv *Invoice) IsCancelled() bool { return !inv.State.Cancelled.IsZero() }

// Contact returns the address or verified number at which the buyer can be
// reached about a refund; empty when there is none.
func (inv *Invoice) Contact() string {
	switch b := inv.Terms.Order.Buyer; {
	case inv.State.Email != "":
		return inv.State.Email
	case b != nil && b.Email != "":
		return b.Email
	case inv.State.SMSVerified:
		return inv.State.SMS
	}
	return ""
}

// PaymentAsset is the asset of the first payment that is still there; empty
// before one was seen. Once there is one, it is fixed.
func (inv *Invoice) PaymentAsset() string {
	for i := range inv.Credits {
		if inv.Credits[i].Live() {
			return inv.Credits[i].Asset
		}
	}
	return ""
}

// enough is the least that pays the price: what is due, less what the merchant
// lets pass.
func (inv *Invoice) enough() (money.Units, string) {
	due, asset := inv.due()
	tolerated := due.Big()
	tolerated.Mul(tolerated, big.NewInt(inv.Terms.Order.Tolerance))
	tolerated.Quo(tolerated, big.NewInt(10_000))
	if less, err := money.FromBig(tolerated); err == nil {
		if least, err := due.Sub(less); err == nil {
			return least, asset
		}
	}
	return due, asset
}

// due is what the payment asset asks for; zero without a payment.
func (inv *Invoice) due() (money.Units, string) {
	asset := inv.PaymentAsset()
	if o, ok := inv.Option(asset); ok {
		return o.Due, asset
	}
	return money.Units{}, ""
}
