package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

func shop(id string) *merchant.Merchant {
	return &merchant.Merchant{
		ID: id, Name: "Shop " + id + " \"é\"", KeyHash: "hash of " + id, WebhookSecret: "whsec_" + id, Created: t0,
		Settings: merchant.Settings{TransactionSpeed: "low", NotificationURL: "https://shop.example/", NotificationEmail: "a@shop.example", MinPriceUSD: 1, MaxPriceUSD: 2, HighValueUSD: 3},
	}
}

func wallet(id, owner, xpub string) *merchant.Wallet {
	return &merchant.Wallet{ID: id, Merchant: owner, Asset: "BTC", Network: "regtest", Kind: "bip84", XPub: xpub, SealedSeed: "sealed", NextIndex: 5, Created: t0}
}

func merchants(d *db) {
	one, two := shop("m1"), shop("m2")
	two.Created = t0.Add(time.Second)
	d.update(func(tx *store.Tx) error { return tx.AddMerchant(two) })
	d.update(func(tx *store.Tx) error { return tx.AddMerchant(one) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddMerchant(one) })
	same(d, one, read(d, func(tx *store.Tx) (*merchant.Merchant, error) { return tx.Merchant("m1") }))
	same(d, two, read(d, func(tx *store.Tx) (*merchant.Merchant, error) { return tx.MerchantByKey("hash of m2") }))
	one.Name, one.KeyHash, one.Settings = "Other", "new hash", merchant.Settings{}
	d.update(func(tx *store.Tx) error { return tx.SetMerchant(one) })
	same(d, []*merchant.Merchant{one, two}, read(d, (*store.Tx).Merchants))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Merchant("m3"); return err })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.SetMerchant(shop("m3")) })

	w := wallet("w1", "m1", "xpub1")
	w.SealedSeed, w.Signer = "", "unix:///run/signer.sock"
	w.Origin, w.Birth = "[d34db33f/84h/1h/0h]", merchant.Birthday{Height: 7, At: t0}
	d.update(func(tx *store.Tx) error { return tx.AddWallet(w) })
	same(d, w, read(d, func(tx *store.Tx) (*merchant.Wallet, error) { return tx.Wallet("w1") }))
	w.Signer = ""
	d.update(func(tx *store.Tx) error { return tx.SetWalletSigner("w1", "") })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.SetWalletSigner("w9", "") })
	w.Origin, w.Birth = "[d34db33f/84h/1h/1h]", merchant.Birthday{Height: 9}
	d.update(func(tx *store.Tx) error { return tx.SetWalletOrigin("w1", w.Origin) })
	d.update(func(tx *store.Tx) error { return tx.SetWalletBirth("w1", w.Birth) })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.SetWalletOrigin("w9", "") })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.SetWalletBirth("w9", w.Birth) })
	same(d, w, read(d, func(tx *store.Tx) (*merchant.Wallet, error) { return tx.WalletByKey("xpub1") }))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.WalletByKey("xpub9"); return err })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Wallet("w9"); return err })
	d.update(func(tx *store.Tx) error { return tx.AddWallet(wallet("w2", "m2", "xpub2")) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddWallet(wallet("w3", "m1", "xpub3")) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddWallet(wallet("w3", "m2", "xpub1")) })
	same(d, []*merchant.Wallet{w}, read(d, func(tx *store.Tx) ([]*merchant.Wallet, error) { return tx.Wallets("m1") }))
	if all := read(d, func(tx *store.Tx) ([]*merchant.Wallet, error) { return tx.Wallets("") }); len(all) != 2 {
		d.t.Errorf("%d wallets of everybody", len(all))
	}
}

func reservedIndices(d *db) {
	d.update(func(tx *store.Tx) error { return tx.AddMerchant(shop("m1")) })
	d.update(func(tx *store.Tx) error { return tx.AddWallet(wallet("w1", "m1", "xpub1")) })
	var mu sync.Mutex
	var first []int64
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			var n int64
			err := d.s.Update(d.t.Context(), func(tx *store.Tx) (err error) {
				n, err = tx.ReserveIndices("w1", 20)
				return err
			})
			if err != nil {
				d.t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			first = append(first, n)
		})
	}
	group.Wait()
	slices.Sort(first)
	for i, n := range first {
		if n != int64(5+20*i) {
			d.t.Fatalf("reservations start at %v", first)
		}
	}
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.ReserveIndices("w9", 1); return err })
}

func tokens(d *db) {
	waiting := &merchant.Token{Token: "t1", Facade: merchant.Full, Label: "Node", State: merchant.Inactive, RequireSIN: true,
		SINs: []string{"A", "B"}, Code: "abcdefg", CodeExpiry: t0.Add(time.Hour), GUID: "g", Created: t0}
	open := &merchant.Token{Token: "t2", Merchant: "m1", Facade: merchant.POS, State: merchant.Active, Created: t0.Add(time.Second)}
	third := &merchant.Token{Token: "t3", Merchant: "m1", Facade: merchant.POS, State: merchant.Active, SINs: []string{"B"}, Created: t0.Add(2 * time.Second)}
	for _, t := range []*merchant.Token{open, third, waiting} {
		d.update(func(tx *store.Tx) error { return tx.AddToken(t) })
	}
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddToken(open) })
	same(d, waiting, read(d, func(tx *store.Tx) (*merchant.Token, error) { return tx.Token("t1") }))
	same(d, waiting, read(d, func(tx *store.Tx) (*merchant.Token, error) { return tx.TokenByCode("abcdefg") }))
	same(d, []*merchant.Token{open, third}, read(d, func(tx *store.Tx) ([]*merchant.Token, error) { return tx.TokensOf("m1") }))
	same(d, []*merchant.Token{waiting, third}, read(d, func(tx *store.Tx) ([]*merchant.Token, error) { return tx.TokensBySIN("B") }))
	same(d, []*merchant.Token{waiting}, read(d, func(tx *store.Tx) ([]*merchant.Token, error) { return tx.PendingRequests(t0) }))
	same(d, nil, read(d, func(tx *store.Tx) ([]*merchant.Token, error) { return tx.PendingRequests(t0.Add(time.Hour)) }))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.TokenByCode(""); return err })
}

func tokenStates(d *db) {
	t := &merchant.Token{Token: "t1", Facade: merchant.Full, State: merchant.Inactive, SINs: []string{"A"}, Code: "abcdefg", CodeExpiry: t0, Created: t0}
	d.update(func(tx *store.Tx) error { return tx.AddToken(t) })
	t.Merchant, t.State, t.Code, t.CodeExpiry, t.SINs = "m1", merchant.Active, "", time.Time{}, []string{"A", "C"}
	d.update(func(tx *store.Tx) error { return tx.SetToken(t, merchant.Inactive) })
	same(d, t, read(d, func(tx *store.Tx) (*merchant.Token, error) { return tx.Token("t1") }))
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.SetToken(t, merchant.Inactive) })
	// Used codes are no codes, however many there are.
	d.update(func(tx *store.Tx) error {
		return tx.AddToken(&merchant.Token{Token: "t2", State: merchant.Active, Created: t0})
	})
}

func sessions(d *db) {
	s := store.Session{ID: "s1", LastUsed: t0}
	d.update(func(tx *store.Tx) error { return tx.AddSession(s, t0.Add(-time.Hour)) })
	was := s.LastNumber
	s.SIN, s.LastNumber, s.LastUsed = "A", 1, t0.Add(time.Second)
	d.update(func(tx *store.Tx) error { return tx.SetSession(s, was) })
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.SetSession(s, was) })
	same(d, s, read(d, func(tx *store.Tx) (store.Session, error) { return tx.Session("s1") }))
	reply := store.Reply{SIN: "A", Status: 200, Body: `{"data":"é"}`}
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Reply("s1", 1); return err })
	d.update(func(tx *store.Tx) error { return tx.SetReply("s1", 1, reply) })
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.SetReply("s1", 1, reply) })
	same(d, reply, read(d, func(tx *store.Tx) (store.Reply, error) { return tx.Reply("s1", 1) }))
	// A new session forgets the idle ones with their answers.
	d.update(func(tx *store.Tx) error {
		return tx.AddSession(store.Session{ID: "s2", LastUsed: t0}, t0.Add(time.Minute))
	})
	for _, id := range []string{"s1"} {
		d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Session(id); return err })
	}
	same(d, "s2", read(d, func(tx *store.Tx) (string, error) { s, err := tx.Session("s2"); return s.ID, err }))
}

func eventNumbers(d *db) {
	e := store.Event{ID: "e1", Merchant: "m1", Kind: "invoice", Resource: "i1", Seq: 1, Code: 1003, Name: "invoice_paidInFull", Status: "paid", Detail: "d", At: t0}
	next := e
	next.ID, next.Seq = "e2", 2
	d.update(func(tx *store.Tx) error { return tx.AddEvent(e) })
	d.update(func(tx *store.Tx) error { return tx.AddEvent(next) })
	again := e
	again.ID = "e3"
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddEvent(again) })
	same(d, e, read(d, func(tx *store.Tx) (store.Event, error) { return tx.Event("e1") }))
	same(d, []store.Event{e, next}, read(d, func(tx *store.Tx) ([]store.Event, error) { return tx.EventsOf("i1", 0) }))
	same(d, []store.Event{next}, read(d, func(tx *store.Tx) ([]store.Event, error) { return tx.EventsOf("i1", 1) }))
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Event("e9"); return err })
}

func lanes(d *db) {
	l := store.Lane{ID: "l1", Kind: "webhook", Endpoint: "https://shop.example/", Merchant: "m1"}
	for i := range 3 {
		d.update(func(tx *store.Tx) error {
			return tx.Enqueue(l, store.Delivery{ID: fmt.Sprintf("d%d", i), Event: fmt.Sprintf("e%d", i), Resource: fmt.Sprintf("i%d", i), RunAt: t0, Created: t0})
		})
	}
	due := read(d, func(tx *store.Tx) ([]store.Lane, error) { return tx.DueLanes(t0, 10, store.SkipLanes{}) })
	if len(due) != 1 || due[0].Waiting != 3 || due[0].Endpoint != l.Endpoint {
		d.t.Fatalf("due lanes %+v", due)
	}
	d.update(func(tx *store.Tx) error { return tx.LeaseLane("l1", "me", t0, t0.Add(time.Minute)) })
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.LeaseLane("l1", "you", t0, t0.Add(time.Minute)) })
	if left := read(d, func(tx *store.Tx) ([]store.Lane, error) { return tx.DueLanes(t0, 10, store.SkipLanes{}) }); len(left) != 0 {
		d.t.Errorf("a leased lane is due: %+v", left)
	}
	list := read(d, func(tx *store.Tx) ([]store.Delivery, error) { return tx.WaitingIn("l1", 2) })
	if len(list) != 2 || list[0].ID != "d0" || list[0].Ord != 1 || list[1].ID != "d1" || list[1].Ord != 2 {
		d.t.Fatalf("the first two of the lane: %+v", list)
	}
	attempt := func(n int64, why string) store.Attempt {
		return store.Attempt{Delivery: "d0", N: n, At: t0, Duration: 42 * time.Millisecond, Status: 500, Answer: "no", Error: why}
	}
	d.update(func(tx *store.Tx) error {
		return tx.RecordAttempt(attempt(1, "refused"), store.Waiting, t0.Add(time.Hour))
	})
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.RecordAttempt(attempt(1, "refused"), store.Done, t0) })
	if n := read(d, func(tx *store.Tx) (int64, error) { return tx.Refusals(store.Delivery{ID: "d0"}) }); n != 1 {
		d.t.Errorf("%d refusals", n)
	}
	var next time.Time
	d.update(func(tx *store.Tx) (err error) { next, err = tx.LeaveLane("l1", "me"); return err })
	same(d, t0.Add(time.Hour), next)
	same(d, t0.Add(time.Hour), read(d, (*store.Tx).NextLane))
	d.update(func(tx *store.Tx) error { return tx.RecordAttempt(attempt(2, ""), store.Done, t0) })
	same(d, []store.Attempt{attempt(1, "refused"), attempt(2, "")}, read(d, func(tx *store.Tx) ([]store.Attempt, error) { return tx.Attempts("d0") }))
	if one := read(d, func(tx *store.Tx) (store.Lane, error) { return tx.Lane("l1") }); one.Waiting != 2 {
		d.t.Errorf("%d wait after one is done", one.Waiting)
	}
	d.update(func(tx *store.Tx) error { return tx.Redeliver("d0", t0) })
	d.update(func(tx *store.Tx) error { return tx.Redeliver("d1", t0) })
	d.update(func(tx *store.Tx) error { return tx.SetAside("d1") })
	if list := read(d, func(tx *store.Tx) ([]store.Delivery, error) { return tx.AsideIn("l1", t0, 5) }); len(list) != 2 {
		d.t.Errorf("set aside: %+v", list)
	}
	if list := read(d, func(tx *store.Tx) ([]store.Delivery, error) { return tx.DeliveriesOf("i2") }); len(list) != 1 || list[0].State != store.Waiting {
		d.t.Errorf("deliveries about i2: %+v", list)
	}
	d.update(func(tx *store.Tx) error { return tx.LeaseLane("l1", "me", t0, t0.Add(time.Minute)) })
	d.update(func(tx *store.Tx) error { return tx.ReleaseLanes("me") })
	d.update(func(tx *store.Tx) error { return tx.LeaseLane("l1", "you", t0, t0.Add(time.Minute)) })
	m := store.Mail{ID: "m1", Sent: t0, Recipient: "a@shop.example", Subject: "s", Text: "t", HTML: "h"}
	d.update(func(tx *store.Tx) error { return tx.AddMail(m) })
	same(d, []store.Mail{m}, read(d, func(tx *store.Tx) ([]store.Mail, error) { return tx.Mails(5) }))
}
