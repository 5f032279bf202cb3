package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// Signers finds who signs for a wallet: ok is false for a watch-only wallet,
// whose transactions are exported and signed elsewhere.
type Signers interface {
	Signer(w *merchant.Wallet) (s chain.Signer, ok bool)
}

const (
	spendLease  = time.Minute
	leaseTries  = 100
	leasePause  = 100 * time.Millisecond
	resendEvery = 10 * time.Minute // a transaction that waits is handed over again
	askAgain    = 10 * time.Second // a signature that policy withheld
	orderBatch  = 1000             // orders in one transaction
	confirmIn   = 6                // blocks that the fee is meant for
)

// Spend does for every wallet what is to be done about money out: it signs and
// sends what is planned, and plans what waits. It may run in several processes
// at once; one of them works on a wallet.
func (a *App) Spend(ctx context.Context) error {
	return a.spendWhere(ctx, func(*Asset) bool { return true })
}

// SpendOn is Spend for the wallets of one chain: a node that takes its time keeps the
// payments of its own chain waiting and no others.
func (a *App) SpendOn(ctx context.Context, chainName string) error {
	return a.spendWhere(ctx, func(x *Asset) bool { return x.Chain == chainName })
}

func (a *App) spendWhere(ctx context.Context, ours func(*Asset) bool) error {
	var wallets []string
	var locks []store.OutgoingLock
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if locks, err = tx.OutgoingLocks(); err != nil {
			return err
		}
		all, err := tx.WalletsWithWork(a.now())
		if err != nil {
			return err
		}
		wallets = nil
		for _, id := range all {
			w, err := tx.Wallet(id)
			if err != nil {
				return err
			}
			if asset, ok := a.Asset(w.Asset); ok && ours(asset) {
				wallets = append(wallets, id)
			}
		}
		return nil
	})
	if err != nil || len(locks) > 0 {
		return err
	}
	for _, id := range wallets {
		if werr := a.spendFrom(ctx, id); werr != nil {
			err = errors.Join(err, fmt.Errorf("wallet %s: %w", id, werr))
		}
	}
	return err
}

// spender is one process's work on one wallet, under a lease.
type spender struct {
	*App
	wallet *merchant.Wallet
	asset  *Asset
	lease  string
	token  int64
	told   []string
}

func (a *App) spendFrom(ctx context.Context, walletID string) error {
	s, err := a.spenderOf(ctx, walletID)
	if errors.Is(err, store.ErrFenced) || errors.Is(err, errNoSpending) {
		return nil // another process works on it, or nothing can leave from here
	}
	if err != nil {
		return err
	}
	defer s.done(ctx)
	if s.asset.Sender == nil || s.asset.Ready != nil && !s.asset.Ready() {
		return nil
	}
	if err := s.work(ctx); !errors.Is(err, store.ErrFenced) {
		return err
	}
	return nil // paused for too long: the new owner goes on
}

// errNoSpending means that this server cannot pay out what the wallet holds.
var errNoSpending = errors.New("app: nothing can be paid out of this wallet here")

// spenderOf takes the lease on a wallet, or reports store.ErrFenced.
func (a *App) spenderOf(ctx context.Context, walletID string) (*spender, error) {
	s := &spender{App: a, lease: "spend/" + walletID}
	now := a.now()
	err := a.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if s.wallet, err = tx.Wallet(walletID); err != nil {
			return err
		}
		s.token, err = tx.Lease(s.lease, a.Owner, now, now.Add(spendLease))
		return err
	})
	if err != nil {
		return nil, err
	}
	asset, ok := a.Asset(s.wallet.Asset)
	if !ok || asset.Spending == nil {
		return nil, errNoSpending
	}
	s.asset = asset
	return s, nil
}

// lease takes the lease on a wallet for what a person asked for, and waits while a
// round of the server's is underway.
func (a *App) lease(ctx context.Context, walletID string) (*spender, error) {
	for try := 0; ; try++ {
		s, err := a.spenderOf(ctx, walletID)
		if !errors.Is(err, store.ErrFenced) || try == leaseTries {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(leasePause):
		}
	}
}

// done gives the lease back and tells what moved.
func (s *spender) done(ctx context.Context) {
	s.tellEvents(s.told...)
	err := s.Store.Update(ctx, func(tx *store.Tx) error { return tx.Unlease(s.lease, s.token) })
	if err != nil && ctx.Err() == nil {
		s.Log.Error("give back the lease on a wallet; it ends by itself", "wallet", s.wallet.ID, "error", err)
	}
}

// work brings every transfer as far as it goes now, then plans what waits.
func (s *spender) work(ctx context.Context) error {
	var list []*transfer.Transfer
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.UnfinishedTransfers(s.wallet.ID)
		return err
	})
	if err != nil {
		return err
	}
	var failed error
	waiting := false
	for _, t := range list {
		if err := s.advance(ctx, t.ID); err != nil {
			failed = errors.Join(failed, fmt.Errorf("transfer %s: %w", t.ID, err))
		}
		waiting = waiting || t.State == transfer.Planned || t.State == transfer.Signed
	}
	if failed != nil || waiting {
		return failed // what is underway goes first
	}
	for {
		id, err := s.plan(ctx)
		if err != nil || id == "" {
			return err
		}
		if err := s.advance(ctx, id); err != nil {
			return fmt.Errorf("transfer %s: %w", id, err)
		}
	}
}

// advance does what one transfer needs next, until nothing more can be done now.
func (s *spender) advance(ctx context.Context, id string) error {
	for range 8 {
		// Money out may have been locked since the round began, or by whoever asked.
		if locks, err := s.Locks(ctx); err != nil || len(locks) > 0 {
			return err
		}
		t, err := s.read(ctx, id)
		if err != nil {
			return err
		}
		again, err := s.step(ctx, t)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

func (s *spender) step(ctx context.Context, t *transfer.Transfer) (again bool, err error) {
	switch next := t.Todo(s.now(), resendEvery, askAgain); next {
	case transfer.Replan:
		return s.replan(ctx, t)
	case transfer.Sign:
		return s.sign(ctx, t)
	case transfer.Send:
		if s.asset.Sender == nil {
			return false, nil // the server sends it
		}
		return s.send(ctx, t)
	}
	return false, nil
}

func (s *spender) read(ctx context.Context, id string) (t *transfer.Transfer, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		t, err = tx.Transfer(id)
		return err
	})
	return t, err
}

// change runs one operation on a transfer under the lease. do sees it as it is
// in the database at that moment.
func (s *spender) change(ctx context.Context, id string, do func(tx *store.Tx, t *transfer.Transfer) error) error {
	var told []string
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		told = nil
		if err := tx.Fence(s.lease, s.token); err != nil {
			return err
		}
		t, err := tx.Transfer(id)
		if err != nil {
			return err
		}
		before := t.State
		if err := do(tx, t); err != nil {
			return err
		}
		if err := s.bookTransfer(tx, t, s.now()); err != nil {
			return err
		}
		if t.State != before {
			if told, err = s.transferMoved(tx, t, before, s.now()); err != nil {
				return err
			}
		}
		return tx.SetTransfer(t)
	})
	if err == nil {
		s.told = append(s.told, told...)
	}
	return err
}

// at is a named point of the way money takes, for tests that stop there.
func (a *App) at(step string) error {
	if a.Step == nil {
		return nil
	}
	return a.Step(step)
}
