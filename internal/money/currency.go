package money

import "strings"

// Kind says what sort of money a currency is.
type Kind int

const (
	// Fiat is a currency of ISO 4217.
	Fiat Kind = iota + 1
	// Coin is the native asset of a chain.
	Coin
	// Token is an asset kept by a contract, or a coin bridged to another chain.
	Token
)

// String is the lower-case word for k.
func (k Kind) String() string {
	switch k {
	case Fiat:
		return "fiat"
	case Coin:
		return "coin"
	case Token:
		return "token"
	}
	return "unknown"
}

// Currency is one row of the table of currencies (wire spec: GET /currencies).
// Rows are shared and must not be changed.
type Currency struct {
	Code   string // as on the wire: "USD", "BTC", "USDC_m"
	Symbol string // may be empty
	Name   string // English, singular: "US Dollar"
	Plural string
	Alts   string // nicknames separated by spaces, may be empty
	// Decimals is the number of digits of the smallest unit: on the chain for
	// assets (BTC 8, ETH 18), the minor unit of ISO 4217 for fiat (JPY 0, KWD 3).
	Decimals int
	// Precision is the least number of decimals shown to people, never more than Decimals.
	Precision int
	// Minimum is the smallest amount of an invoice, bill or payout, in currency
	// units, as a JSON number literal.
	Minimum string
	// Sanctioned marks a currency that is listed but never paid out.
	Sanctioned bool
	Kind       Kind
	Chain      string // chain of an asset ("BTC", "ETH", "MATIC"); empty for fiat
	Parent     string // code that a suffixed code stands for: "USDC" of "USDC_m"
	MaxSupply  string // JSON number literal in currency units; empty if unbounded
}

// IsFiat reports whether c is a currency of ISO 4217.
func (c *Currency) IsFiat() bool { return c.Kind == Fiat }

// Unsuffixed is the code of the same asset on its home chain: "USDC" for
// "USDC_m", and the code itself for all others.
func (c *Currency) Unsuffixed() string {
	if c.Parent != "" {
		return c.Parent
	}
	return c.Code
}

var (
	all    = build()
	byCode = index(all)
)

func build() []*Currency {
	list := make([]*Currency, 0, len(assets)+len(fiats))
	for i := range assets {
		list = append(list, &assets[i])
	}
	for i := range fiats {
		list = append(list, fiats[i].currency())
	}
	return list
}

func index(list []*Currency) map[string]*Currency {
	m := make(map[string]*Currency, len(list))
	for _, c := range list {
		m[strings.ToUpper(c.Code)] = c
	}
	return m
}

// Lookup finds a currency by its code in any case: "usdc_M" is USDC_m.
func Lookup(code string) (*Currency, bool) {
	if len(code) > 16 {
		return nil, false
	}
	if c, ok := byCode[code]; ok {
		return c, true
	}
	c, ok := byCode[strings.ToUpper(code)]
	return c, ok
}

// All returns every currency: assets first, BTC first of them, then fiat by
// code. The order never changes within a release; the slice is the caller's.
func All() []*Currency { return append([]*Currency(nil), all...) }
