package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// booked is an entry of two postings with a key of its own.
func booked(key string, sat uint64) *ledger.Entry {
	e := ledger.New(ledger.Receipt, key, "m1", t0).Debit(ledger.WalletAccount("w1"), "BTC", money.NewUnits(sat)).Credit(ledger.Unapplied, "BTC", money.NewUnits(sat))
	e.ID, e.Refs = "id-"+key, ledger.Refs{Invoice: "i1", Txid: "ff"}
	return e
}

func entries(d *db, merchantID string) (list []*ledger.Entry) {
	d.t.Helper()
	d.view(func(tx *store.Tx) error {
		list = nil
		return tx.Entries(merchantID, 0, 1000, func(e *ledger.Entry) error {
			list = append(list, e)
			return json.Unmarshal([]byte(e.StoredRefs), &e.Refs)
		})
	})
	return list
}

func balance(d *db, name, asset string) string {
	d.t.Helper()
	return read(d, func(tx *store.Tx) (money.Delta, error) { return tx.Balance("m1", name, asset) }).String()
}

func ledgerEntries(d *db) {
	first := booked("a", 15_000)
	second := ledger.New(ledger.Credit, "b", "m1", t0.Add(time.Second)).
		Debit(ledger.Unapplied, "BTC", money.NewUnits(15_000)).Credit(ledger.Exchange, "BTC", money.NewUnits(15_000)).
		Debit(ledger.Exchange, "USD", money.NewUnits(1000)).
		Line("USD", money.NewDelta(1000), ledger.Invoice, "order 7").Line("USD", money.NewDelta(-10), ledger.InvoiceFee, "").
		Credit(ledger.Fees, "USD", money.NewUnits(10))
	second.ID = "id-b"
	d.update(func(tx *store.Tx) error { return tx.Post(first, second) })
	got := entries(d, "m1")
	if len(got) != 2 {
		d.t.Fatalf("%d entries", len(got))
	}
	same(d, first, got[0])
	same(d, second, got[1])
	prev := ""
	for i, e := range got {
		if err := e.Verify(int64(i+1), prev); err != nil {
			d.t.Error(err)
		}
		prev = e.Hash
	}
	for account, want := range map[string]string{
		"wallet/w1 BTC": "15000", "unapplied BTC": "0", "exchange BTC": "-15000", "exchange USD": "1000", "merchant USD": "-990", "revenue/fees USD": "-10",
	} {
		var name, asset string
		_, _ = fmt.Sscan(account, &name, &asset)
		if got := balance(d, name, asset); got != want {
			d.t.Errorf("balance of %s is %s, want %s", account, got, want)
		}
	}
	lines := read(d, func(tx *store.Tx) ([]store.Line, error) {
		return tx.Lines(store.LineFilter{Merchant: "m1", Asset: "USD"})
	})
	if len(lines) != 2 || lines[0].Code != 1000 || lines[0].Amount.String() != "1000" || lines[0].Text != "order 7" || lines[1].Amount.String() != "-10" {
		d.t.Errorf("lines %+v", lines)
	}
}

func ledgerOnce(d *db) {
	d.update(func(tx *store.Tx) error { return tx.Post(booked("a", 5)) })
	again := booked("a", 5)
	again.ID = "another"
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.Post(again) })
	r := func(key string) *ledger.Entry {
		e := entries(d, "m1")[0].Reverse(key, t0)
		e.ID = "id-" + key
		return e
	}
	d.update(func(tx *store.Tx) error { return tx.Post(r("r1")) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.Post(r("r2")) })
	if n := len(entries(d, "m1")); n != 2 || balance(d, ledger.WalletAccount("w1"), "BTC") != "0" {
		d.t.Errorf("%d entries, wallet %s", n, balance(d, ledger.WalletAccount("w1"), "BTC"))
	}
}

func ledgerRules(d *db) {
	d.update(func(tx *store.Tx) error { return tx.Post(booked("a", 100)) })
	take := func(key string, sat uint64) *ledger.Entry {
		e := ledger.New(ledger.Reserve, key, "m1", t0).Debit(ledger.Unapplied, "BTC", money.NewUnits(sat)).Credit(ledger.Reserved, "BTC", money.NewUnits(sat))
		e.ID = "id-" + key
		return e
	}
	var short *ledger.Insufficient
	err := d.s.Update(d.t.Context(), func(tx *store.Tx) error { return tx.Post(take("b", 101)) })
	if !errors.As(err, &short) || short.Account != ledger.Unapplied || short.Have.String() != "100" || short.Need.String() != "101" {
		d.t.Errorf("got %v", err)
	}
	deficit := take("c", 150)
	deficit.AllowDeficit = true
	d.update(func(tx *store.Tx) error { return tx.Post(deficit) })
	// An overdrawn account may be filled up again, not drawn further.
	d.update(func(tx *store.Tx) error { return tx.Post(booked("d", 10)) })
	if err := d.s.Update(d.t.Context(), func(tx *store.Tx) error { return tx.Post(take("e", 1)) }); !errors.As(err, &short) {
		d.t.Errorf("an overdrawn account was drawn further: %v", err)
	}
	crooked := booked("f", 1)
	crooked.Postings[0].Amount = money.NewDelta(2)
	d.refused(ledger.ErrUnbalanced, func(tx *store.Tx) error { return tx.Post(crooked) })
}

// Two who look at the same balance at once never both spend it.
func ledgerRace(d *db) {
	const each, all = 10, 100
	d.update(func(tx *store.Tx) error { return tx.Post(booked("in", all)) })
	var group sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for i := range 32 {
		group.Go(func() {
			err := d.s.Update(d.t.Context(), func(tx *store.Tx) error {
				e := ledger.New(ledger.Reserve, fmt.Sprint("out", i), "m1", t0).
					Debit(ledger.Unapplied, "BTC", money.NewUnits(each)).Credit(ledger.Reserved, "BTC", money.NewUnits(each))
				e.ID = fmt.Sprint("id-out", i)
				return tx.Post(e)
			})
			var short *ledger.Insufficient
			if err != nil && !errors.As(err, &short) {
				d.t.Error(err)
			}
			if err == nil {
				mu.Lock()
				passed++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if passed != all/each || balance(d, ledger.Unapplied, "BTC") != "0" {
		d.t.Errorf("%d of 32 passed, %s is left", passed, balance(d, ledger.Unapplied, "BTC"))
	}
	prev := ""
	for i, e := range entries(d, "m1") {
		if err := e.Verify(int64(i+1), prev); err != nil {
			d.t.Error(err)
		}
		prev = e.Hash
	}
}

func ledgerBulk(d *db) {
	var list []*ledger.Entry
	for i := range 2500 {
		list = append(list, booked(fmt.Sprint(i), uint64(i+1)))
	}
	d.update(func(tx *store.Tx) error { return tx.Post(list...) })
	if got := balance(d, ledger.WalletAccount("w1"), "BTC"); got != "3126250" {
		d.t.Errorf("wallet %s", got)
	}
}

// Final checks that the database itself refuses to change what was booked. exec
// runs a statement past the store.
func Final(t *testing.T, s *store.Store, exec func(string) error) {
	d := &db{t: t, s: s}
	d.update(func(tx *store.Tx) error { return tx.Post(booked("a", 5)) })
	statements := []string{
		`UPDATE ledger_entry SET kind = 'x'`, `DELETE FROM ledger_entry`, `UPDATE ledger_posting SET amount = '6'`, `DELETE FROM ledger_posting`,
	}
	if s.Engine() == "postgres" {
		statements = append(statements, `TRUNCATE ledger_entry`, `TRUNCATE ledger_posting`)
	}
	for _, q := range statements {
		if err := exec(q); err == nil {
			t.Errorf("%s was carried out", q)
		}
	}
	if list := entries(d, "m1"); len(list) != 1 || list[0].Verify(1, "") != nil {
		t.Errorf("entries %+v", list)
	}
}
