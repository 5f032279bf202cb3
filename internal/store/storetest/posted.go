package storetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quittance/quittance/internal/store"
)

func posted(txid, invoice string) store.PostedPayment {
	return store.PostedPayment{Chain: "BTC", Txid: txid, Invoice: invoice, Raw: []byte{1, 2}, State: store.Kept, At: t0}
}

func postedPayments(d *db) {
	first, second := posted("a", "i1"), posted("b", "i1")
	d.update(func(tx *store.Tx) error { return tx.KeepPosted(first) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.KeepPosted(second) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.KeepPosted(first) })
	d.update(func(tx *store.Tx) error { return tx.KeepPosted(posted("a", "i2")) })
	kept := read(d, func(tx *store.Tx) ([]store.PostedPayment, error) { return tx.KeptPayments(t0.Add(time.Second), 10) })
	if diff := cmp.Diff([]store.PostedPayment{first, posted("a", "i2")}, slices.SortedFunc(slices.Values(kept), func(a, b store.PostedPayment) int {
		return int(a.Invoice[1]) - int(b.Invoice[1])
	})); diff != "" {
		d.t.Error(diff)
	}
	if young := read(d, func(tx *store.Tx) ([]store.PostedPayment, error) { return tx.KeptPayments(t0, 10) }); len(young) != 0 {
		d.t.Errorf("%d payments are as old as they are not", len(young))
	}
	d.update(func(tx *store.Tx) error { return tx.EndPosted(first, store.Refused) })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.EndPosted(first, store.Sent) })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.TakenPayment("i1"); return err })
	d.update(func(tx *store.Tx) error { return tx.KeepPosted(second) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.KeepPosted(first) })
	d.update(func(tx *store.Tx) error { return tx.EndPosted(second, store.Sent) })
	taken := read(d, func(tx *store.Tx) (store.PostedPayment, error) { return tx.TakenPayment("i1") })
	again := read(d, func(tx *store.Tx) (store.PostedPayment, error) { return tx.PostedPayment("BTC", "b", "i1") })
	second.State, second.Raw = store.Sent, []byte{}
	if diff := cmp.Diff([]store.PostedPayment{second, second}, []store.PostedPayment{taken, again}); diff != "" {
		d.t.Error(diff)
	}
}

func signingKeys(d *db) {
	k := store.SigningKey{Identity: "m1", Public: "02ab", Created: t0, From: t0.Add(time.Hour), Expires: t0.Add(24 * time.Hour)}
	later := k
	later.Identity, later.Created = "a2", t0.Add(time.Millisecond)
	d.update(func(tx *store.Tx) error { return tx.AddSigningKey(later) })
	d.update(func(tx *store.Tx) error { return tx.AddSigningKey(k) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddSigningKey(k) })
	d.update(func(tx *store.Tx) error { return tx.RetireSigningKey("m1", t0.Add(time.Minute)) })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.RetireSigningKey("m1", t0) })
	k.Retired = t0.Add(time.Minute)
	if diff := cmp.Diff([]store.SigningKey{k, later}, read(d, (*store.Tx).SigningKeys)); diff != "" {
		d.t.Error(diff)
	}
}
