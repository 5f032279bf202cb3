package merchant

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Merchant is one account. Everything a client can reach belongs to exactly one.
type Merchant struct {
	ID            string
	Name          string
	KeyHash       string // see HashKey
	WebhookSecret string // "whsec_" + base64, for the Standard Webhooks headers
	Settings      Settings
	Created       time.Time
}

// Settings are the account's defaults for what an invoice leaves open.
type Settings struct {
	TransactionSpeed  string `json:"transactionSpeed,omitempty"` // high, medium or low
	NotificationURL   string `json:"notificationURL,omitempty"`
	NotificationEmail string `json:"notificationEmail,omitempty"`
	MinPriceUSD       int64  `json:"minPriceUSD,omitempty"`  // cents; 0 is no bound
	MaxPriceUSD       int64  `json:"maxPriceUSD,omitempty"`  // cents; 0 is no bound
	HighValueUSD      int64  `json:"highValueUSD,omitempty"` // cents; from here on the buyer's contact is required and fixed; 0 is never

	// LedgerInAsset keeps the ledger in what was paid; else it is in the invoice's
	// own currency, at the rate of its lock.
	LedgerInAsset      bool   `json:"ledgerInAsset,omitempty"`
	SettlementCurrency string `json:"settlementCurrency,omitempty"` // empty is USD
	// How the ledgers are settled: "book" (the default), "wallet", "manual", or
	// "off"; the time of day in UTC at which periods end ("09:00"); and what is not
	// worth it, in US cents (0 is 20 USD).
	SettlementRail    string `json:"settlementRail,omitempty"`
	SettlementTime    string `json:"settlementTime,omitempty"`
	SettlementMinimum int64  `json:"settlementMinimum,omitempty"`
	// Where the wallet rail pays: an address counts 24 hours after it was confirmed
	// by mail. NewAddress waits for that.
	SettlementAddress   string `json:"settlementAddress,omitempty"`
	NewAddress          string `json:"newAddress,omitempty"`
	NewAddressCode      string `json:"newAddressCode,omitempty"`      // hash of the mailed code
	NewAddressConfirmed int64  `json:"newAddressConfirmed,omitempty"` // Unix milliseconds; 0 until confirmed
	// What becomes of money that came in and was not asked for: refund (the
	// default), credit or hold.
	OnUnder Policy `json:"onUnder,omitempty"` // too little, when the window has closed
	OnOver  Policy `json:"onOver,omitempty"`  // more than was due
	OnLate  Policy `json:"onLate,omitempty"`  // after the window closed
	// Differences that are accepted, in hundredths of a percent of what is due:
	// less is enough, and that much more is credited.
	UnderTolerance int64 `json:"underTolerance,omitempty"`
	OverTolerance  int64 `json:"overTolerance,omitempty"`
	// How many confirmations invoices need from a value on; see ParseConfirm. Empty
	// leaves each chain's own.
	Confirm string `json:"confirm,omitempty"`
	// The processing fee of each completed invoice.
	FeeBasisPoints int64 `json:"feeBasisPoints,omitempty"` // hundredths of a percent of the price, 0 to 10,000
	FeeFlat        int64 `json:"feeFlat,omitempty"`        // smallest units of the ledger's currency, on top

	// Payouts: when they are funded ("14:00,21:00" UTC, or "now"), the fee on them in
	// hundredths of a percent besides the network's cost, from which value in US
	// cents on two people have to release one (0: never), and whether a failed one
	// has a webhook.
	PayoutRuns           string `json:"payoutRuns,omitempty"`
	PayoutFeeBasisPoints int64  `json:"payoutFeeBasisPoints,omitempty"`
	PayoutApproveAbove   int64  `json:"payoutApproveAbove,omitempty"`
	PayoutFailedWebhook  bool   `json:"payoutFailedWebhook,omitempty"`

	// ConsolidateBelow joins the coins of wallets that a signer of ours has the keys of
	// whenever the network asks for at most this, in the smallest unit per 1,000 virtual
	// bytes; 0: never by itself.
	ConsolidateBelow int64 `json:"consolidateBelow,omitempty"`

	// Webhooks of recipients and payouts that name none themselves.
	RecipientIPN string `json:"recipientIPN,omitempty"`
	PayoutIPN    string `json:"payoutIPN,omitempty"`
	// RecipientCheck lets recipients wait, after their e-mail is confirmed, until
	// the operator has checked who they are.
	RecipientCheck bool  `json:"recipientCheck,omitempty"`
	MaxRecipients  int64 `json:"maxRecipients,omitempty"` // that are not removed; 0 is 1,000
}

// Policy says what becomes of a payment that does not fit.
type Policy string

// ToRefund gives it back to the buyer by itself, ToCredit to the merchant's
// ledger; ToHold waits for a decision.
const (
	ToRefund Policy = "refund"
	ToCredit Policy = "credit"
	ToHold   Policy = "hold"
)

// Or is the policy, or refund when there is none.
func (p Policy) Or() Policy {
	if p == "" {
		return ToRefund
	}
	return p
}

func (s *Settings) checkPolicies() error {
	for _, p := range []Policy{s.OnUnder, s.OnOver, s.OnLate} {
		switch p {
		case "", ToRefund, ToCredit, ToHold:
		default:
			return fmt.Errorf("the policy %q is not refund, credit or hold", p)
		}
	}
	if s.UnderTolerance < 0 || s.UnderTolerance > 5_000 || s.OverTolerance < 0 || s.OverTolerance > 10_000 {
		return errors.New("a tolerance is from 0 to 10,000 hundredths of a percent, to 5,000 for less than is due")
	}
	return nil
}

// CheckName refuses what buyers could not read.
func CheckName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > 200 {
		return errors.New("a merchant needs a name of 1 to 200 bytes")
	}
	return nil
}

// Check refuses defaults that no invoice could be made with. What URLs and mail
// addresses may look like is the invoice's rule, given as functions that return
// why a value is refused, or nothing.
func (s *Settings) Check(url, email func(string) string) error {
	switch s.TransactionSpeed {
	case "", "high", "medium", "low":
	default:
		return fmt.Errorf("the transaction speed %q is not high, medium or low", s.TransactionSpeed)
	}
	if why := url(s.NotificationURL); s.NotificationURL != "" && why != "" {
		return fmt.Errorf("the notification URL cannot be used: %s", why)
	}
	for name, u := range map[string]string{"recipient": s.RecipientIPN, "payout": s.PayoutIPN} {
		if why := url(u); u != "" && why != "" {
			return fmt.Errorf("the %s IPN cannot be used: %s", name, why)
		}
	}
	if s.MaxRecipients < 0 || s.MaxRecipients > 1_000_000 {
		return errors.New("a merchant has from 1 to 1,000,000 recipients; 0 means 1,000")
	}
	if why := email(s.NotificationEmail); s.NotificationEmail != "" && why != "" {
		return fmt.Errorf("the notification e-mail cannot be used: %s", why)
	}
	if s.MinPriceUSD < 0 || s.MaxPriceUSD < 0 || s.HighValueUSD < 0 {
		return errors.New("a price in cents cannot be negative; 0 means no bound")
	}
	if err := s.checkPolicies(); err != nil {
		return err
	}
	if _, err := ParseConfirm(s.Confirm); err != nil {
		return err
	}
	if s.ConsolidateBelow < 0 {
		return errors.New("the fee rate to consolidate below cannot be negative; 0 means never")
	}
	if s.PayoutFeeBasisPoints < 0 || s.PayoutFeeBasisPoints > 10_000 || s.PayoutApproveAbove < 0 {
		return errors.New("a payout's fee is from 0 to 10,000 basis points, and the value to approve from is at least 0")
	}
	switch s.SettlementRail {
	case "", "book", "wallet", "manual", "off":
	default:
		return fmt.Errorf("the settlement rail %q is not book, wallet, manual or off", s.SettlementRail)
	}
	if _, err := time.Parse("15:04", s.SettlementTime); s.SettlementTime != "" && err != nil {
		return fmt.Errorf("the settlement time %q is not a time of day such as 09:00", s.SettlementTime)
	}
	if s.FeeBasisPoints < 0 || s.FeeBasisPoints > 10_000 || s.FeeFlat < 0 {
		return errors.New("a processing fee is from 0 to 10,000 basis points and at least 0")
	}
	if s.MaxPriceUSD > 0 && s.MinPriceUSD > s.MaxPriceUSD {
		return errors.New("the least price is above the greatest: no invoice could be made")
	}
	return nil
}

// AddressHold is how long a new address for settlements waits after it was
// confirmed, so that a theft of the mailbox is noticed.
const AddressHold = 24 * time.Hour

// PayTo is the address that settlements go to now.
func (s *Settings) PayTo(now time.Time) string {
	if s.NewAddressConfirmed > 0 && now.Sub(time.UnixMilli(s.NewAddressConfirmed)) >= AddressHold {
		return s.NewAddress
	}
	return s.SettlementAddress
}

// LedgerCurrency is the currency of what has no invoice to take it from, such as
// deposits: that of the settlements, by default the US dollar.
func (s *Settings) LedgerCurrency() string {
	if s.SettlementCurrency == "" {
		return "USD"
	}
	return s.SettlementCurrency
}

// HashKey is how a merchant's access key is kept. The key holds 160 random
// bits, so a plain hash cannot be searched.
func HashKey(key string) string {
	h := sha256.Sum256([]byte("quittance merchant key:" + key))
	return hex.EncodeToString(h[:])
}

// Wallet is where a merchant receives one asset.
type Wallet struct {
	ID         string
	Merchant   string
	Asset      string
	Network    string // main, test, signet or regtest
	Kind       string // bip44, bip49, bip84 or bip86
	XPub       string
	Origin     string // where the key comes from, "[fingerprint/84h/0h/0h]" (BIP 380); empty: not known
	SealedSeed string // of a hot wallet; else empty
	Signer     string // unix:///PATH of the process that has the seed; else empty
	NextIndex  int64  // the first index never handed out
	Created    time.Time
	Birth      Birthday
}

// Birthday is before anything was paid to a wallet: a search through the chain need
// not begin earlier. Zero values are not known.
type Birthday struct {
	Height int64 // of a block
	At     time.Time
}

// Born is the wallet's birthday. A seed that was made here is no older than its
// wallet.
func (w *Wallet) Born() Birthday {
	if w.Birth == (Birthday{}) && w.SealedSeed != "" {
		return Birthday{At: w.Created}
	}
	return w.Birth
}

// Custody says who signs for a wallet.
type Custody string

// WatchOnly is signed elsewhere, InProcess by the server itself, External by a
// signer process.
const (
	WatchOnly Custody = "watch-only"
	InProcess Custody = "hot"
	External  Custody = "signer"
)

// Custody is who signs. A signer process goes before a seed that is here.
func (w *Wallet) Custody() Custody {
	switch {
	case w.Signer != "":
		return External
	case w.SealedSeed != "":
		return InProcess
	}
	return WatchOnly
}
