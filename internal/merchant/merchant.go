package merchant

import (
	"crypto/sha256"
	"encoding/hex"
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
	Kind       string // bip84 or bip86
	XPub       string
	SealedSeed string // empty for watch-only
	NextIndex  int64  // the first index never handed out
	Created    time.Time
}
