package invoice

import (
	"time"

	"github.com/quittance/quittance/internal/money"
)

// Speed says how many confirmations make an invoice "confirmed".
type Speed string

// High trusts a payment on sight, Medium waits for one confirmation, Low for six.
const (
	High   Speed = "high"
	Medium Speed = "medium"
	Low    Speed = "low"
)

// Confirmations that credit an invoice, and the payment window, as BitPay
// documents them for Bitcoin.
const (
	CreditDepth   = 6
	RateLock      = 15 * time.Minute
	MinWindow     = time.Second
	MaxWindow     = 24 * time.Hour
	ConfirmWithin = time.Hour
)

// Order is what the merchant asked for. It never changes after creation.
type Order struct {
	Price             money.Units `json:"price"`
	Currency          string      `json:"currency"`
	OrderID           string      `json:"orderId,omitempty"`
	ItemDesc          string      `json:"itemDesc,omitempty"`
	ItemCode          string      `json:"itemCode,omitempty"`
	PosData           string      `json:"posData,omitempty"`
	NotificationURL   string      `json:"notificationURL,omitempty"`
	NotificationEmail string      `json:"notificationEmail,omitempty"`
	RedirectURL       string      `json:"redirectURL,omitempty"`
	CloseURL          string      `json:"closeURL,omitempty"`
	AutoRedirect      bool        `json:"autoRedirect,omitempty"`
	Speed             Speed       `json:"speed"`
	Full              bool        `json:"full,omitempty"`     // fullNotifications
	Extended          bool        `json:"extended,omitempty"` // extendedNotifications
	Physical          bool        `json:"physical,omitempty"`
	Buyer             *Buyer      `json:"buyer,omitempty"`
	PaymentCurrencies []string    `json:"paymentCurrencies,omitempty"`
	Window            int64       `json:"window,omitempty"` // acceptance window in ms; 0 is the default
	PresetCurrency    string      `json:"presetCurrency,omitempty"`
	PresetWallet      string      `json:"presetWallet,omitempty"`
	MerchantName      string      `json:"merchantName,omitempty"`
	Items             []Item      `json:"items,omitempty"`
	JSONPayPro        bool        `json:"jsonPayPro,omitempty"`
	BitpayID          bool        `json:"bitpayId,omitempty"`
	Facade            string      `json:"facade"` // of the token it was created with
	HighValue         bool        `json:"highValue,omitempty"`
	Tolerance         int64       `json:"tolerance,omitempty"` // how much less than due is accepted, in hundredths of a percent
	Bill              string      `json:"bill,omitempty"`      // the bill that it pays
}

// Buyer is what the merchant passed on about the buyer.
type Buyer struct {
	Name       string `json:"name,omitempty"`
	Address1   string `json:"address1,omitempty"`
	Address2   string `json:"address2,omitempty"`
	Locality   string `json:"locality,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	Country    string `json:"country,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Notify     bool   `json:"notify,omitempty"`
}

// Item is one line shown to the buyer. Amount is a JSON number literal in the
// invoice's currency, for display only; it may be negative (a discount).
type Item struct {
	Amount      string `json:"amount"`
	Description string `json:"description"`
	IsFee       bool   `json:"isFee,omitempty"`
}

// Option is one way to pay: an asset, its address and what is due in it.
type Option struct {
	Asset    string      `json:"asset"`
	Chain    string      `json:"chain"`
	Address  string      `json:"address"`
	Wallet   string      `json:"wallet"`
	Index    int64       `json:"index"`            // derivation index
	Subtotal money.Units `json:"subtotal"`         // the price at the locked rate, rounded up
	Due      money.Units `json:"due"`              // subtotal and the network cost
	FeeRate  int64       `json:"feeRate"`          // smallest units per byte the cost was reckoned with
	Fee      money.Units `json:"fee"`              // the network cost
	FeeFiat  string      `json:"feeFiat"`          // the network cost in the invoice's currency, a JSON number literal
	Grace    int64       `json:"grace,omitempty"`  // ms after the window in which a block may first show a payment
	Depths   *Depths     `json:"depths,omitempty"` // nil is Standard
}

// Lock is the rate lock: what was paid for what, who said so, and when.
type Lock struct {
	At      time.Time                    `json:"at"`
	Rates   map[string]map[string]string `json:"rates"`   // asset → currency → JSON number literal
	Sources []string                     `json:"sources"` // who said so
}
