package storetest

import (
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

func coinLabels(d *db) {
	one, two := chain.Outpoint{Txid: "aa", Vout: 1}, chain.Outpoint{Txid: "aa", Vout: 0}
	set := func(o chain.Outpoint, label string) {
		d.update(func(tx *store.Tx) error { return tx.SetCoinLabel("BTC", o, label, t0) })
	}
	labels := func(chainName string) map[chain.Outpoint]string {
		return read(d, func(tx *store.Tx) (map[chain.Outpoint]string, error) { return tx.CoinLabels(chainName) })
	}
	set(one, "Größe \"1\"")
	set(two, "two")
	same(d, map[chain.Outpoint]string{one: "Größe \"1\"", two: "two"}, labels("BTC"))
	set(one, "changed")
	set(two, "")
	set(two, "")
	same(d, map[chain.Outpoint]string{one: "changed"}, labels("BTC"))
	same(d, map[chain.Outpoint]string{}, labels("LTC"))
}

func sweeps(d *db) {
	s := &store.Sweep{
		Chain: "BTC", Txid: "aa", Merchant: "m1", Wallet: "w1", Address: "bcrt1q", Amount: money.NewUnits(90), Fee: money.NewUnits(10), Inputs: 2,
		Raw: []byte{1, 2}, State: store.SweepKept, Tried: t0, Created: t0,
	}
	d.update(func(tx *store.Tx) error { return tx.AddSweep(s) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddSweep(s) })
	same(d, s, read(d, func(tx *store.Tx) (*store.Sweep, error) { return tx.Sweep("BTC", "aa") }))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Sweep("LTC", "aa"); return err })
	open := func(before time.Time) []*store.Sweep {
		return read(d, func(tx *store.Tx) ([]*store.Sweep, error) { return tx.OpenSweeps(before, 10) })
	}
	same(d, nil, open(t0.Add(-time.Second)))
	s.State, s.Problem, s.Tried = store.SweepSent, "why", t0.Add(time.Minute)
	d.update(func(tx *store.Tx) error { return tx.SetSweep(s) })
	same(d, []*store.Sweep{s}, open(t0.Add(time.Minute)))
	for _, over := range []store.SweepState{store.SweepMined, store.SweepRefused} {
		s.State = over
		d.update(func(tx *store.Tx) error { return tx.SetSweep(s) })
		same(d, nil, open(t0.Add(time.Hour)))
	}
	s.Txid = "bb"
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.SetSweep(s) })
}
