package storetest

import (
	"fmt"
	"math/big"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// huge is an amount that fits no 64-bit integer: 2^200 + 1.
func huge(d *db) money.Units {
	d.t.Helper()
	n := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 200), big.NewInt(1))
	var u money.Units
	if err := u.Scan(n.String()); err != nil {
		d.t.Fatal(err)
	}
	return u
}

// full is an invoice in which every field has a value.
func full(d *db, id string) *invoice.Invoice {
	return &invoice.Invoice{
		ID: id, Merchant: "m1", APIToken: "t1", Token: "own " + id, GUID: "guid " + id, Status: invoice.New,
		Created: t0, Expires: t0.Add(15 * time.Minute),
		Terms: invoice.Terms{
			Order: invoice.Order{
				Price: huge(d), Currency: "USD", OrderID: "o1", ItemDesc: "é\n\"'", ItemCode: "c", PosData: `{"a":1}`,
				NotificationURL: "https://shop.example/", NotificationEmail: "a@shop.example", RedirectURL: "https://shop.example/r",
				CloseURL: "https://shop.example/c", AutoRedirect: true, Speed: invoice.Low, Full: true, Extended: true, Physical: true,
				Buyer:             &invoice.Buyer{Name: "n", Address1: "a", Address2: "b", Locality: "l", Region: "r", PostalCode: "p", Country: "DE", Email: "b@x.example", Phone: "1", Notify: true},
				PaymentCurrencies: []string{"BTC"}, Window: 900000, PresetCurrency: "BTC", PresetWallet: "electrum", MerchantName: "Shop",
				Items: []invoice.Item{{Amount: "-1.5", Description: "d", IsFee: true}}, JSONPayPro: true, BitpayID: true, Facade: "pos", HighValue: true,
			},
			Options: []invoice.Option{{Asset: "BTC", Chain: "BTC", Address: "addr " + id, Wallet: "w1", Index: 7, Subtotal: huge(d), Due: money.NewUnits(100), FeeRate: 3, Fee: money.NewUnits(1), FeeFiat: "0.1"}},
			Lock:    invoice.Lock{At: t0, Rates: map[string]map[string]string{"BTC": {"USD": "50000"}}, Sources: []string{"fixed"}},
		},
		State: invoice.State{
			Events: 3, Cancelled: t0.Add(time.Second), Email: "e@x.example", SMS: "+14155550123", SMSVerified: true, SMSCode: "h",
			SMSTries: 2, SMSSent: t0, Asset: "BTC", Wallet: "w", AutoVerify: true, Posted: []string{"txid"}, FeeRates: map[string]uint64{"BTC": 2000},
		},
	}
}

// small is an invoice with as little in it as possible.
func small(id string, age time.Duration) *invoice.Invoice {
	return &invoice.Invoice{
		ID: id, Merchant: "m1", APIToken: "t1", GUID: "guid " + id, Status: invoice.New, Created: t0.Add(age), Expires: t0.Add(age + 15*time.Minute),
	}
}

func (d *db) add(inv *invoice.Invoice) {
	d.t.Helper()
	d.update(func(tx *store.Tx) error { return tx.AddInvoice(inv, [][]byte{[]byte(inv.ID)}[:len(inv.Terms.Options)]) })
}

func (d *db) invoice(id string) *invoice.Invoice {
	d.t.Helper()
	return read(d, func(tx *store.Tx) (*invoice.Invoice, error) { return tx.Invoice(id) })
}

// change reads an invoice, changes it and stores it in one operation.
func (d *db) change(id string, do func(*invoice.Invoice)) {
	d.t.Helper()
	d.update(func(tx *store.Tx) error {
		inv, err := tx.Invoice(id)
		if err != nil {
			return err
		}
		do(inv)
		return tx.SetInvoice(inv)
	})
}

func credit(d *db, txid string, vout uint32) invoice.Credit {
	return invoice.Credit{
		Chain: "BTC", Outpoint: chain.Outpoint{Txid: txid, Vout: vout}, Asset: "BTC", Amount: huge(d), State: invoice.Mined,
		FirstSeen: t0.Add(time.Second), Received: t0.Add(2 * time.Second), BlockHash: "b1", Height: 9, LowFee: true, Score: 40, Doubts: []string{"it can be replaced", "“slow”"},
		Spends: []chain.Outpoint{{Txid: "in", Vout: 4294967295}}, Settled: true,
	}
}

func invoiceFields(d *db) {
	inv := full(d, "i1")
	d.add(inv)
	same(d, inv, d.invoice("i1"))
	inv.Status, inv.Expires = invoice.Paid, t0.Add(time.Hour)
	inv.State = invoice.State{Events: 9}
	inv.Credits = []invoice.Credit{credit(d, "tx", 0), credit(d, "tx", 1)}
	inv.Credits[1].State, inv.Credits[1].BlockHash, inv.Credits[1].Settled, inv.Credits[1].Spends = invoice.Pending, "", false, nil
	d.update(func(tx *store.Tx) error { return tx.SetInvoice(inv) })
	same(d, inv, d.invoice("i1"))
	if inv.Version != 1 {
		d.t.Errorf("version %d", inv.Version)
	}
	same(d, inv, read(d, func(tx *store.Tx) (*invoice.Invoice, error) { return tx.InvoiceByGUID("t1", "guid i1") }))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Invoice("i2"); return err })
	// The terms never change, whatever is written into them.
	changed := d.invoice("i1")
	changed.Terms.Order.Price = money.NewUnits(1)
	d.update(func(tx *store.Tx) error { return tx.SetInvoice(changed) })
	same(d, inv.Terms, d.invoice("i1").Terms)
}

func guids(d *db) {
	d.add(small("i1", 0))
	twin, other := small("i2", 0), small("i3", time.Second)
	twin.GUID, other.GUID, other.APIToken = "guid i1", "guid i1", "t2"
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddInvoice(twin, nil) })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Invoice("i2"); return err })
	d.add(other)
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.InvoiceByGUID("t3", "guid i1"); return err })
	// Across a merchant's tokens it is the newest.
	for _, token := range []string{"t1", "t2"} {
		d.update(func(tx *store.Tx) error {
			return tx.AddToken(&merchant.Token{Token: token, Merchant: "m1", State: merchant.Active, Created: t0})
		})
	}
	same(d, "i3", read(d, func(tx *store.Tx) (string, error) {
		inv, err := tx.InvoiceByMerchantGUID("m1", "guid i1")
		if err != nil {
			return "", err
		}
		return inv.ID, nil
	}))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.InvoiceByMerchantGUID("m2", "guid i1"); return err })
}

func addresses(d *db) {
	one, two := full(d, "i1"), full(d, "i2")
	two.Terms.Options[0].Index = 8
	d.update(func(tx *store.Tx) error { return tx.AddInvoice(one, [][]byte{{0, 1, 255}}) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddInvoice(two, [][]byte{{0, 1, 255}}) })
	two.Terms.Options[0].Index = 7
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddInvoice(two, [][]byte{{2}}) })
	two.Terms.Options[0].Index, two.Created = 8, t0.Add(time.Minute)
	d.update(func(tx *store.Tx) error { return tx.AddInvoice(two, [][]byte{{2}}) })
	owner := read(d, func(tx *store.Tx) (store.AddressOwner, error) { return tx.Address("BTC", []byte{0, 1, 255}) })
	same(d, store.AddressOwner{Invoice: "i1", Asset: "BTC", Wallet: "w1", Index: 7}, owner)
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Address("LTC", []byte{2}); return err })
	for from, want := range map[time.Time]int{{}: 2, t0: 2, t0.Add(time.Minute): 1, t0.Add(time.Hour): 0} {
		n := 0
		d.view(func(tx *store.Tx) error { return tx.Addresses("BTC", from, func(string) { n++ }) })
		if n != want {
			d.t.Errorf("%d addresses since %v, want %d", n, from, want)
		}
	}
}

func outpoints(d *db) {
	d.add(small("i1", 0))
	d.add(small("i2", 0))
	d.change("i1", func(inv *invoice.Invoice) { inv.Credits = append(inv.Credits, credit(d, "tx", 0)) })
	d.refused(store.ErrExists, func(tx *store.Tx) error {
		inv, err := tx.Invoice("i2")
		if err != nil {
			return err
		}
		inv.Credits = append(inv.Credits, credit(d, "tx", 0))
		return tx.SetInvoice(inv)
	})
	if got := d.invoice("i2"); len(got.Credits) != 0 || got.Version != 0 {
		d.t.Errorf("the second invoice has %+v", got)
	}
	d.change("i1", func(inv *invoice.Invoice) { inv.Credits[0].State, inv.Credits[0].BlockHash = invoice.Pending, "" })
	if got := d.invoice("i1"); len(got.Credits) != 1 || got.Credits[0].State != invoice.Pending {
		d.t.Errorf("credits %+v", got.Credits)
	}
}

func waiting(d *db) {
	ids := func(fn func(tx *store.Tx) ([]string, error)) []string { d.t.Helper(); return read(d, fn) }
	for i, id := range []string{"new", "paid", "done", "gone"} {
		d.add(small(id, time.Duration(i)*time.Minute))
	}
	put := func(id string, s invoice.Status, c invoice.Credit) {
		d.change(id, func(inv *invoice.Invoice) { inv.Status, inv.Credits = s, []invoice.Credit{c} })
	}
	pending, mined, settled, gone := credit(d, "p", 0), credit(d, "m", 0), credit(d, "s", 0), credit(d, "g", 0)
	pending.State, pending.BlockHash, pending.Settled = invoice.Pending, "", false
	mined.Settled, mined.Entry, settled.BlockHash, gone.State, gone.BlockHash = false, "e1", "b2", invoice.Gone, ""
	put("paid", invoice.Paid, pending)
	put("done", invoice.Complete, mined)
	put("gone", invoice.Expired, settled)
	same(d, []string{"new"}, ids(func(tx *store.Tx) ([]string, error) { return tx.DueForExpiry(t0.Add(time.Hour), 9, 0) }))
	same(d, nil, ids(func(tx *store.Tx) ([]string, error) { return tx.DueForExpiry(t0.Add(15*time.Minute), 9, 0) }))
	same(d, []string{"paid"}, ids(func(tx *store.Tx) ([]string, error) { return tx.InvoicesWaitingSince(t0.Add(time.Minute)) }))
	same(d, nil, ids(func(tx *store.Tx) ([]string, error) { return tx.InvoicesWaitingSince(t0) }))
	same(d, []string{"paid"}, ids(func(tx *store.Tx) ([]string, error) { return tx.InvoicesAwaitingDepth("BTC") }))
	same(d, []string{"done"}, ids(func(tx *store.Tx) ([]string, error) { return tx.InvoicesInBlock("BTC", "b1") }))
	same(d, []string{"paid"}, ids(func(tx *store.Tx) ([]string, error) { return tx.InvoicesOfTx("BTC", "p") }))
	same(d, nil, ids(func(tx *store.Tx) ([]string, error) { return tx.InvoicesOfTx("LTC", "p") }))
	open := ids(func(tx *store.Tx) ([]string, error) { return tx.InvoicesWithOpenCredits("BTC") })
	if len(open) != 2 {
		d.t.Errorf("open credits of %v", open)
	}
	d.update(func(tx *store.Tx) error { return tx.SettleCredits("BTC", 8) })
	if d.invoice("done").Credits[0].Settled {
		d.t.Error("settled above the height")
	}
	d.update(func(tx *store.Tx) error { return tx.SettleCredits("BTC", 9) })
	if !d.invoice("done").Credits[0].Settled || d.invoice("paid").Credits[0].Settled {
		d.t.Error("settled what waits, or not what is deep")
	}
	want := []store.PendingTx{{Txid: "p", Spends: pending.Spends}}
	same(d, want, read(d, func(tx *store.Tx) ([]store.PendingTx, error) { return tx.PendingTxs("BTC") }))
}

func pages(d *db) {
	for i := range 6 {
		inv := small(fmt.Sprintf("i%d", i), time.Duration(i)*time.Minute)
		if i%2 == 1 {
			inv.Status, inv.Terms.Order.OrderID = invoice.Paid, "odd"
		}
		d.add(inv)
	}
	foreign := small("f", 0)
	foreign.Merchant = "m2"
	d.add(foreign)
	for want, f := range map[string]store.InvoiceFilter{
		"[i5 i4]":       {Limit: 2},
		"[i3 i2]":       {Limit: 2, Offset: 2},
		"[i5 i3 i1]":    {Limit: 9, Status: invoice.Paid},
		"[i3]":          {Limit: 1, Offset: 1, OrderID: "odd"},
		"[i2 i1]":       {Limit: 9, From: t0.Add(time.Minute), To: t0.Add(2 * time.Minute)},
		"[i4]":          {Limit: 9, From: t0.Add(4 * time.Minute), Status: invoice.New},
		"[]":            {Limit: 9, From: t0.Add(time.Hour)},
		"[i5 i4 i3 i2]": {Limit: 4},
	} {
		f.Merchant = "m1"
		got := []string{}
		for _, inv := range read(d, func(tx *store.Tx) ([]*invoice.Invoice, error) { return tx.ListInvoices(f) }) {
			got = append(got, inv.ID)
		}
		if fmt.Sprint(got) != want {
			d.t.Errorf("%+v gives %v, want %s", f, got, want)
		}
	}
}

func ref(height int64, branch string) chain.Ref {
	return chain.Ref{Hash: fmt.Sprintf("%s%d", branch, height), Height: height}
}

func cursors(d *db) {
	c := store.Cursor{Chain: "BTC", Network: "regtest", Genesis: "g", Block: ref(100, "a"), At: t0}
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Cursor("BTC"); return err })
	d.update(func(tx *store.Tx) error { return tx.StartCursor(c) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.StartCursor(c) })
	same(d, c, read(d, func(tx *store.Tx) (store.Cursor, error) { return tx.Cursor("BTC") }))
	d.update(func(tx *store.Tx) error { return tx.MoveCursor("BTC", ref(100, "a"), ref(101, "a"), t0) })
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.MoveCursor("BTC", ref(100, "a"), ref(101, "b"), t0) })
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.MoveCursor("BTC", ref(101, "b"), ref(102, "b"), t0) })
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.MoveCursor("LTC", ref(101, "a"), ref(102, "a"), t0) })
	same(d, map[string]int64{"BTC": 101}, read(d, (*store.Tx).Tips))
}

func blocks(d *db) {
	d.update(func(tx *store.Tx) error {
		return tx.StartCursor(store.Cursor{Chain: "BTC", Block: ref(1, "a"), At: t0})
	})
	move := func(from, to chain.Ref) {
		d.t.Helper()
		d.update(func(tx *store.Tx) error { return tx.MoveCursor("BTC", from, to, t0) })
	}
	move(ref(1, "a"), ref(2, "a"))
	move(ref(2, "a"), ref(3, "a"))
	move(ref(3, "a"), ref(1, "a")) // a reorganisation
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.BlockAt("BTC", 2); return err })
	move(ref(1, "a"), ref(2, "b"))
	same(d, ref(2, "b"), read(d, func(tx *store.Tx) (chain.Ref, error) { return tx.BlockAt("BTC", 2) }))
	same(d, ref(1, "a"), read(d, func(tx *store.Tx) (chain.Ref, error) { return tx.BlockAt("BTC", 1) }))
	d.update(func(tx *store.Tx) error {
		for at := int64(2); at < 1010; at++ {
			if err := tx.MoveCursor("BTC", ref(at, "b"), ref(at+1, "b"), t0); err != nil {
				return err
			}
		}
		return nil
	})
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.BlockAt("BTC", 9); return err })
	same(d, ref(10, "b"), read(d, func(tx *store.Tx) (chain.Ref, error) { return tx.BlockAt("BTC", 10) }))
}
