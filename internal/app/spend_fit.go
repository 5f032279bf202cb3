package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

const (
	waitsForFunds = "it waits for funds: the wallet's spendable coins do not suffice yet"
	// maxSkipped bounds how many orders that cannot leave by themselves are passed
	// over in one look at the queue.
	maxSkipped = 50
)

// fit finds as many orders as can leave in one transaction, the oldest first. What
// does not fit is told why, and does not hold up what can leave. The outlay's change
// goes nowhere yet: an index is taken only for a transaction that comes about, or a
// wallet that waits for funds would use up all that a signer knows as change.
func (s *spender) fit(ctx context.Context, orders []*transfer.Order, coins []*store.Coin) (*chain.Outlay, []*transfer.Order, error) {
	rate, err := s.asset.Sender.FeeRate(ctx, confirmIn)
	if err != nil {
		return nil, nil, fmt.Errorf("estimate the network fee: %w", err)
	}
	common := s.outlay(ctx)
	o := &common
	o.Change, o.FeeRate = chain.Path{Change: true}, rate
	var have money.Units
	for _, c := range coins {
		o.May = append(o.May, c.Coin)
		have, _ = have.Add(c.Amount) // within the chain's supply
	}
	if orders, err = s.possible(ctx, orders, have); err != nil {
		return nil, nil, err
	}
	for range maxSkipped {
		if len(orders) == 0 {
			break
		}
		n, why := s.most(o, orders)
		if n > 0 {
			return o, orders[:n], s.hold(ctx, orders[n:], waitsForFunds)
		}
		if err := s.hold(ctx, orders[:1], why); err != nil {
			return nil, nil, err
		}
		orders = orders[1:]
	}
	return nil, nil, nil
}

// possible sorts out what could not leave even if it were alone.
func (s *spender) possible(ctx context.Context, orders []*transfer.Order, have money.Units) (rest []*transfer.Order, err error) {
	var dust, dear []*transfer.Order
	for _, o := range orders {
		switch {
		case o.Amount().Cmp(s.asset.Keys.Dust(o.To)) < 0:
			dust = append(dust, o)
		case o.Amount().Cmp(have) >= 0:
			dear = append(dear, o)
		default:
			rest = append(rest, o)
		}
	}
	return rest, errors.Join(s.hold(ctx, dust, "it is worth less than the network carries at present"), s.hold(ctx, dear, waitsForFunds))
}

// most fills in as many outputs as one transaction can have, and says how many
// orders that is; 0 and why when the first cannot leave by itself.
func (s *spender) most(o *chain.Outlay, orders []*transfer.Order) (n int, why string) {
	for n = len(orders); ; {
		o.Outputs, o.MaxFee = outputs(orders[:n]), s.asset.Spending.MaxFee(n)
		_, err := s.asset.Spending.Plan(*o)
		switch {
		case err == nil:
			return n, ""
		case n == 1 && errors.Is(err, chain.ErrFunds):
			return 0, waitsForFunds
		case n == 1:
			return 0, sentence(err)
		case errors.Is(err, chain.ErrFunds):
			n = max(1, affordable(orders[:n], o.May))
		default:
			n /= 2
		}
	}
}

// affordable is how many of the oldest orders, but not all, the coins may cover.
func affordable(orders []*transfer.Order, coins []chain.Coin) int {
	var have, sum money.Units
	for _, c := range coins {
		have, _ = have.Add(c.Amount)
	}
	for i, o := range orders[:len(orders)-1] {
		if sum, _ = sum.Add(o.Amount()); sum.Cmp(have) >= 0 {
			return i
		}
	}
	return len(orders) - 1
}
