package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/quittance/quittance/wire"
)

func settlementPath(id string) string { return "/settlements/" + url.PathEscape(id) }

// SettlementFilter chooses settlements; what is empty does not restrict. From and
// To are about the creation and inclusive.
type SettlementFilter struct {
	From, To      time.Time
	Currency      string
	Status        string
	Limit, Offset int // by default 100 and 0; the limit is 1,000 at most
}

// Settlements lists the merchant's settlements, newest first.
func (c *Client) Settlements(ctx context.Context, f SettlementFilter) ([]wire.Settlement, error) {
	return get[[]wire.Settlement](ctx, c, Merchant, "/settlements",
		"dateStart", instant(f.From), "dateEnd", instant(f.To), "currency", f.Currency, "status", f.Status,
		"limit", positive(f.Limit), "offset", positive(f.Offset))
}

// Settlement reads a settlement. An unknown one is refused with 020001.
func (c *Client) Settlement(ctx context.Context, id string) (*wire.Settlement, error) {
	return resource[wire.Settlement](ctx, c, Merchant, http.MethodGet, settlementPath(id))
}

// ReconciliationReport reads a settlement with the ledger's lines that it took
// in; token is the settlement's own. Amounts are in currency units.
func (c *Client) ReconciliationReport(ctx context.Context, id, token string) (*wire.Settlement, error) {
	return one[wire.Settlement](ctx, c, http.MethodGet, settlementPath(id)+"/reconciliationReport", url.Values{"token": {token}}, nil)
}
