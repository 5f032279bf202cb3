package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/quittance/quittance/wire"
)

func payoutPath(id string) string { return "/payouts/" + url.PathEscape(id) }

// CreatePayout pays a recipient, who is named by id, shopper id or e-mail address;
// an address that nobody has is invited. The amount is in units of its currency
// and worth 5 USD or more. It is new until a run finds the recipient active and
// the ledger sufficient. The same content with the same reference within a day is
// the payout that was made first.
//
// It is refused with 010001 for an unknown recipient, 010002 for a bad or too
// small amount, currency, date or address, and 010003 when something is missing.
func (c *Client) CreatePayout(ctx context.Context, p wire.PayoutRequest) (*wire.Payout, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	p.Token = t
	return one[wire.Payout](ctx, c, http.MethodPost, "/payouts", nil, p)
}

// CreatePayoutGroup pays 1 to 1,000 recipients. Those that cannot be paid are in
// Failed, with the reason, and do not keep the others. Equal members are separate
// payouts.
func (c *Client) CreatePayoutGroup(ctx context.Context, list ...wire.PayoutRequest) (*wire.PayoutGroup, error) {
	t, err := c.need(Payout)
	if err != nil {
		return nil, err
	}
	return one[wire.PayoutGroup](ctx, c, http.MethodPost, "/payouts/group", nil, wire.PayoutGroupRequest{Token: t, Instructions: list})
}

// Payout reads a payout. An unknown one is refused with 020001.
func (c *Client) Payout(ctx context.Context, id string) (*wire.Payout, error) {
	return resource[wire.Payout](ctx, c, Payout, http.MethodGet, payoutPath(id))
}

// PayoutFilter chooses payouts; what is empty does not restrict. From and To are
// about the request and inclusive.
type PayoutFilter struct {
	From, To      time.Time
	Status        string
	Reference     string
	GroupID       string
	Limit, Offset int // by default 100 and 0; the limit is 1,000 at most
}

// Payouts lists the merchant's payouts, newest first.
func (c *Client) Payouts(ctx context.Context, f PayoutFilter) ([]wire.Payout, error) {
	return get[[]wire.Payout](ctx, c, Payout, "/payouts",
		"startDate", instant(f.From), "endDate", instant(f.To), "status", f.Status, "reference", f.Reference, "groupId", f.GroupID,
		"limit", positive(f.Limit), "offset", positive(f.Offset))
}

// CancelPayout withdraws a payout that is new; else that is refused with 040002.
func (c *Client) CancelPayout(ctx context.Context, id string) error {
	_, err := resource[struct{}](ctx, c, Payout, http.MethodDelete, payoutPath(id))
	return err
}

// CancelPayoutGroup withdraws every member of a group that is new; the others are
// in Failed. An unknown group is refused with 040001.
func (c *Client) CancelPayoutGroup(ctx context.Context, groupID string) (*wire.CancelledGroup, error) {
	return resource[wire.CancelledGroup](ctx, c, Payout, http.MethodDelete, "/payouts/group/"+url.PathEscape(groupID))
}

// ResendPayout asks for the payout's webhook again.
func (c *Client) ResendPayout(ctx context.Context, id string) error {
	return c.post(ctx, Payout, payoutPath(id)+"/notifications")
}
