package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// payees is how many are paid in the measured run.
const payees = 1000

// nowhere takes every transaction: the run is measured up to the record of the
// signed bytes and not the network.
type nowhere struct{}

func (nowhere) Send(context.Context, []byte) error           { return nil }
func (nowhere) FeeRate(context.Context, int) (uint64, error) { return 2000, nil }
func (nowhere) Cost(context.Context, string) (chain.Cost, error) {
	return chain.Cost{}, chain.ErrNotFound
}
func (nowhere) Unspent(_ context.Context, l []chain.Outpoint) ([]chain.Outpoint, error) {
	return l, nil
}

type oneSigner struct{ s chain.Signer }

func (o oneSigner) Signer(*merchant.Wallet) (chain.Signer, bool) { return o.s, true }

// payouts measures a run of 1,000 payments: planned, signed and recorded.
func (b *bench) payouts(ctx context.Context) error {
	st, err := store.Open(ctx, "", filepath.Join(b.dir, "payouts"))
	if err != nil {
		return err
	}
	defer st.Close()
	out := spending.New(bitcoin.Regtest)
	signer, err := hot.New(hot.Config{Chain: bitcoin.Regtest, Kind: "bip84", Seed: hot.NewSeed(make([]byte, 32))})
	if err != nil {
		return err
	}
	a := app.New(app.Config{
		Store: st, Rates: feed.Static(rate.Fixed(time.Now())), Signers: oneSigner{signer},
		Assets: []app.Asset{{Code: "BTC", Chain: "BTC", Network: "regtest", Keys: bitcoin.NewKeys(bitcoin.Regtest), Spending: out, Sender: nowhere{}}},
	})
	m, _, err := a.CreateMerchant(ctx, "Bench", merchant.Settings{})
	if err != nil {
		return err
	}
	w, err := a.AddWallet(ctx, m.ID, "BTC", "bip84", signer.XPub(), "")
	if err != nil {
		return err
	}
	if err := fill(ctx, st, out, m.ID, w); err != nil {
		return err
	}
	begun := time.Now()
	if err := a.Spend(ctx); err != nil {
		return err
	}
	took := time.Since(begun)
	var left []*transfer.Order
	err = st.View(ctx, func(tx *store.Tx) (err error) {
		left, err = tx.QueuedOrders(w.ID, time.Now(), payees)
		return err
	})
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%d of %d payments are not on record: %s", len(left), payees, left[0].Problem)
	}
	b.add(row{what: "1000 payouts planned, signed and recorded", ours: fmt.Sprintf("%d ms", took.Milliseconds()), target: "≤ 5 s", ok: took <= 5*time.Second})
	return nil
}

// fill gives the wallet coins and its queue the payments.
func fill(ctx context.Context, st *store.Store, out *spending.Spending, merchantID string, w *merchant.Wallet) error {
	_, to, err := out.Own(chain.Account{XPub: w.XPub, Kind: w.Kind}, chain.Path{})
	if err != nil {
		return err
	}
	now, each := time.Now(), money.NewUnits(100_000)
	return st.Update(ctx, func(tx *store.Tx) error {
		in := ledger.New(ledger.Deposit, "bench", merchantID, now).Debit(ledger.WalletAccount(w.ID), "BTC", money.NewUnits(2*payees*100_000)).
			Credit(ledger.Unapplied, "BTC", money.NewUnits(2*payees*100_000))
		in.ID = "in"
		held := ledger.New(ledger.Reserve, "bench/held", merchantID, now).Debit(ledger.Unapplied, "BTC", money.NewUnits(payees*100_000)).
			Credit(ledger.Reserved, "BTC", money.NewUnits(payees*100_000))
		held.ID = "held"
		if err := tx.Post(in, held); err != nil {
			return err
		}
		for i := range payees {
			c := &store.Coin{
				Coin:  chain.Coin{Outpoint: chain.Outpoint{Txid: fmt.Sprintf("%064x", i+1)}, Amount: money.NewUnits(200_000), To: to},
				Chain: "BTC", Merchant: merchantID, Wallet: w.ID, Asset: "BTC", State: store.CoinMined, In: true, Created: now,
			}
			o := &transfer.Order{
				ID: fmt.Sprint(i), Merchant: merchantID, Wallet: w.ID, Asset: "BTC", Chain: "BTC", Kind: transfer.Proof, Resource: fmt.Sprint(i), To: to,
				Currency: "BTC", Value: each, Gross: each, State: transfer.Queued, Created: now,
			}
			if err := tx.AddCoin(c); err != nil {
				return err
			}
			if err := tx.AddOrder(o); err != nil {
				return err
			}
		}
		return nil
	})
}
