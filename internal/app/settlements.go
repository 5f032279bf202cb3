package app

import (
	"context"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store"
)

// Settlements returns one page, newest first.
func (a *App) Settlements(ctx context.Context, f store.SettlementFilter) (list []*settlement.Settlement, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.ListSettlements(f)
		return err
	})
	return list, err
}

// Settlement reads a merchant's settlement; somebody else's does not exist.
func (a *App) Settlement(ctx context.Context, merchantID, id string) (s *settlement.Settlement, err error) {
	missing := fault.New(fault.NotFound, "Settlement not found")
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		s, err = tx.Settlement(id)
		return refine(err, missing)
	})
	if err == nil && merchantID != "" && s.Merchant != merchantID {
		return nil, missing
	}
	return s, err
}

// ReconciliationLines lists the lines that a settlement took in, with what they
// are about.
func (a *App) ReconciliationLines(ctx context.Context, s *settlement.Settlement) (out []LedgerLine, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		lines, err := tx.PeriodLines(s.Merchant, s.Currency, s.Terms.From, s.Terms.To)
		if err != nil {
			return err
		}
		out, err = withInvoices(tx, lines)
		return err
	})
	return out, err
}
