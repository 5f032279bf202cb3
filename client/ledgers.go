package client

import (
	"context"
	"net/url"
	"time"

	"github.com/quittance/quittance/wire"
)

// Ledgers lists the merchant's balances, in currency units.
func (c *Client) Ledgers(ctx context.Context) ([]wire.Balance, error) {
	return get[[]wire.Balance](ctx, c, Merchant, "/ledgers")
}

// LedgerFilter chooses the lines of a ledger. From and To are inclusive and at
// most 366 days apart (else 020002); without them it is the last 30 days.
type LedgerFilter struct {
	From, To      time.Time
	Limit, Offset int // by default everything
}

// LedgerEntries lists the lines of the ledger of a currency, oldest first. Amounts
// are whole numbers, to be divided by Scale; what was taken out is negative.
func (c *Client) LedgerEntries(ctx context.Context, currency string, f LedgerFilter) ([]wire.LedgerEntry, error) {
	return get[[]wire.LedgerEntry](ctx, c, Merchant, "/ledgers/"+url.PathEscape(currency),
		"startDate", instant(f.From), "endDate", instant(f.To), "limit", positive(f.Limit), "offset", positive(f.Offset))
}
