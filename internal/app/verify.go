package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
)

// Finding is what the check of one invariant came to.
type Finding struct {
	Name    string `json:"name"`
	Checked int64  `json:"checked"`
	Of      string `json:"of"`               // what was counted
	Breach  string `json:"breach,omitempty"` // the first one, as a sentence; empty: it holds
	Skipped string `json:"skipped,omitempty"`
}

// VerifyOptions say what a verification can look at.
type VerifyOptions struct {
	Sources map[string]chain.Source // by chain; those that are reachable
	Report  func(Finding)           // called as each check ends
	Only    []string                // names of checks; empty: all
}

// Verify evaluates the invariants on the database as it is, while it serves, and
// against the chains. It returns an error only when it could not look; breaches
// are findings.
func (a *App) Verify(ctx context.Context, o VerifyOptions) (breaches int, err error) {
	v := &verification{App: a, ctx: ctx, sources: o.Sources}
	for _, check := range []struct {
		name string
		run  func(*Finding) error
	}{
		{"LedgerZero", v.ledger},
		{"LedgerChain", v.ledgerChain},
		{"BalanceDerived", v.balances},
		{"ReorgReversed", v.reversed},
		{"CreditOnce", v.creditOnce},
		{"CreditBacked", v.creditBacked},
		{"Solvent", v.solvent},
		{"CoinsUnspent", v.unspent},
		{"AddressOnce", v.addresses},
		{"StatusPure", v.statuses},
		{"PayoutAttemptsConflict", v.attempts},
		{"IntentFirst", v.intents},
		{"PayoutExact", v.exact},
		{"ReserveFirst", v.reserved},
		{"RefundsWithinCredits", v.refunds},
		{"MoneyExact", v.settlements},
		{"TenantSealed", v.tenants},
		{"IdemOnce", v.once},
		{"OutboxAtomic", v.outbox},
		{"ChainBound", v.bound},
	} {
		if len(o.Only) > 0 && !slices.Contains(o.Only, check.name) {
			continue
		}
		f := Finding{Name: check.name}
		if err := check.run(&f); err != nil {
			return breaches, fmt.Errorf("%s: %w", check.name, err)
		}
		if f.Breach != "" {
			breaches++
		}
		if o.Report != nil {
			o.Report(f)
		}
	}
	return breaches, nil
}

// verification is one run.
type verification struct {
	*App
	ctx     context.Context
	sources map[string]chain.Source
	books   *audit // of all ledgers, made once
}

func (v *verification) view(fn func(tx *store.Tx) error) error { return v.Store.View(v.ctx, fn) }

// Lock stops all money out until an operator lifts it.
func (a *App) Lock(ctx context.Context, reason, detail string) error {
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.LockOutgoing(store.OutgoingLock{Reason: reason, Detail: detail, At: a.now()})
	})
	if err == nil {
		a.Log.Error("no money leaves until this is looked at: `quittance outgoing status`", "reason", reason, "detail", detail)
	}
	return err
}

// Locks lists why no money leaves; none: it does.
func (a *App) Locks(ctx context.Context) (list []store.OutgoingLock, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.OutgoingLocks()
		return err
	})
	return list, err
}
