package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

const (
	// maxJoined is how many coins one consolidation spends at most: signers that are
	// small devices take long over more.
	maxJoined = 500
	// inputSize is how many virtual bytes an input has at most (P2PKH). A coin that is
	// worth less than these cost is left for cheaper times.
	inputSize = 148
)

// Consolidation asks for one coin in place of many.
type Consolidation struct {
	MaxFeeRate uint64 // that is cheap enough, in the smallest unit per 1,000 virtual bytes
	AtLeast    int    // coins, or it is not worth a transaction
	DryRun     bool   // find out only
}

// Consolidated is what came of it, or would.
type Consolidated struct {
	Wallet   string      `json:"wallet"`
	Asset    string      `json:"asset"`
	Coins    int         `json:"coins"`
	Amount   money.Units `json:"amount"` // that comes together, in smallest units
	Fee      money.Units `json:"fee"`
	VSize    int64       `json:"vsize"`
	FeeRate  uint64      `json:"feeRate"` // of the network now, per 1,000 virtual bytes
	Why      string      `json:"why,omitempty"`
	Transfer string      `json:"transfer,omitempty"` // empty: nothing was done
}

// Consolidate makes one coin of a wallet's many small ones while the network is
// cheap. The largest stays as it is, so that payments can go on from a coin that is
// confirmed. The transaction goes the way of every payment out: leased, journaled,
// recorded before it is sent; its cost is an expense.
func (a *App) Consolidate(ctx context.Context, walletID string, c Consolidation) (*Consolidated, error) {
	s, err := a.lease(ctx, walletID)
	if errors.Is(err, store.ErrFenced) {
		return nil, errors.New("the server works on this wallet at present: try again")
	}
	if err != nil {
		return nil, err
	}
	defer s.done(ctx)
	if s.asset.Sender == nil {
		return nil, errNoNode
	}
	return s.consolidate(ctx, c)
}

// joinedBySelf is how many coins make a consolidation worth while that nobody asked
// for at this moment.
const joinedBySelf = 50

// ConsolidateCheap consolidates the wallets of merchants that want it whenever the
// network is cheap: those that a signer of ours signs for, and that have nothing
// underway.
func (a *App) ConsolidateCheap(ctx context.Context) error {
	list, err := a.Merchants(ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Settings.ConsolidateBelow == 0 {
			continue
		}
		wallets, werr := a.Wallets(ctx, m.ID)
		err = errors.Join(err, werr)
		for _, w := range wallets {
			if werr := a.consolidateIdle(ctx, w, uint64(m.Settings.ConsolidateBelow)); werr != nil {
				err = errors.Join(err, fmt.Errorf("wallet %s: %w", w.ID, werr))
			}
		}
	}
	return err
}

func (a *App) consolidateIdle(ctx context.Context, w *merchant.Wallet, rate uint64) error {
	if locks, err := a.Locks(ctx); err != nil || len(locks) > 0 || w.Custody() == merchant.WatchOnly {
		return err
	}
	s, err := a.spenderOf(ctx, w.ID)
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
	idle := false
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.UnfinishedTransfers(w.ID)
		idle = len(list) == 0
		return err
	})
	if err == nil && idle {
		_, err = s.consolidate(ctx, Consolidation{MaxFeeRate: rate, AtLeast: joinedBySelf})
	}
	return err
}

func (s *spender) consolidate(ctx context.Context, c Consolidation) (*Consolidated, error) {
	out := &Consolidated{Wallet: s.wallet.ID, Asset: s.asset.Code}
	var err error
	if out.FeeRate, err = s.asset.Sender.FeeRate(ctx, confirmIn); err != nil {
		return nil, fmt.Errorf("estimate the network fee: %w", err)
	}
	if out.FeeRate > c.MaxFeeRate {
		out.Why = fmt.Sprintf("the network asks for %s satoshi per virtual byte now, and %s is the most that was allowed: nothing is done", perByte(out.FeeRate), perByte(c.MaxFeeRate))
		return out, nil
	}
	o, err := s.joinable(ctx, out, c)
	if err != nil || out.Why != "" || c.DryRun {
		return out, err
	}
	if err := errors.Join(s.mayLeave(ctx), s.checkSolvent(ctx)); err != nil {
		return nil, err
	}
	t, err := s.planJoin(ctx, o)
	if err != nil {
		return nil, err
	}
	out.Transfer = t.ID
	return out, s.advance(ctx, t.ID)
}

// perByte writes a fee rate as people say it, in satoshi per virtual byte.
func perByte(rate uint64) string {
	if rate%1000 == 0 {
		return fmt.Sprint(rate / 1000)
	}
	return fmt.Sprintf("%d.%03d", rate/1000, rate%1000)
}

// joinable finds the coins and what joining them costs. Change goes nowhere yet, see
// fit.
func (s *spender) joinable(ctx context.Context, out *Consolidated, c Consolidation) (*chain.Outlay, error) {
	coins, err := s.small(ctx, out.FeeRate)
	if err != nil {
		return nil, err
	}
	o := s.outlay(ctx)
	o.Change, o.FeeRate, o.MaxFee = chain.Path{Change: true}, out.FeeRate, s.asset.Spending.MaxFee(0)
	for n := min(len(coins), maxJoined); ; n /= 2 {
		if out.Coins = n; n < max(c.AtLeast, 2) {
			out.Why = fmt.Sprintf("%d coins could be joined, and fewer than %d are not worth a transaction: nothing is done", n, max(c.AtLeast, 2))
			return nil, nil
		}
		o.Must = coins[:n]
		p, err := s.asset.Spending.Plan(o)
		if errors.Is(err, chain.ErrFeeCap) {
			continue
		}
		if err != nil {
			return nil, errors.New(sentence(err))
		}
		for _, k := range o.Must {
			out.Amount, _ = out.Amount.Add(k.Amount) // within the chain's supply
		}
		out.Fee, out.VSize = p.Fee, p.VSize
		return &o, nil
	}
}

// small lists the confirmed coins that are worth spending at a fee rate, the smallest
// first, without the largest.
func (s *spender) small(ctx context.Context, rate uint64) (list []chain.Coin, err error) {
	var coins []*store.Coin
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		coins, err = s.lasting(tx)
		return err
	})
	least := money.NewUnits(rate * inputSize / 1000)
	for _, c := range coins {
		if c.Confirmed && c.Amount.Cmp(least) > 0 {
			list = append(list, c.Coin)
		}
	}
	slices.SortStableFunc(list, func(a, b chain.Coin) int { return a.Amount.Cmp(b.Amount) })
	if len(list) > 0 {
		list = list[:len(list)-1]
	}
	return list, err
}

func (s *spender) planJoin(ctx context.Context, o *chain.Outlay) (*transfer.Transfer, error) {
	change, addr, err := s.newChange(ctx)
	if err != nil {
		return nil, err
	}
	o.Change = change
	p, err := s.asset.Spending.Plan(*o)
	if err != nil {
		return nil, errors.New(sentence(err))
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	t := transfer.Join(id, s.wallet.Merchant, s.wallet.ID, s.wallet.Asset, s.asset.Chain, s.token, s.now())
	if err := t.Add(p, change.Index); err != nil {
		return nil, err
	}
	s.tellAddress(s.asset.Chain, addr)
	err = s.reserve(ctx, t, nil, store.ChangeAddress{Chain: t.Chain, Destination: addr, Wallet: s.wallet.ID, Index: change.Index, Created: s.now()})
	if errors.Is(err, errTaken) {
		err = errors.New("a coin was spent meanwhile, or money out is locked: try again")
	}
	return t, err
}
