package storetest

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

func someRecipient(id, merchantID, email string, created time.Time) *recipient.Recipient {
	r, _ := recipient.Invite(id, merchantID, "api", "own-"+id, recipient.Invitation{Email: email, Label: "L " + id, NotificationURL: "https://x.de"}, created)
	return r
}

func (d *db) addRecipients(list ...*recipient.Recipient) {
	d.t.Helper()
	d.update(func(tx *store.Tx) error {
		for _, r := range list {
			if err := tx.AddRecipient(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func recipientFields(d *db) {
	r := someRecipient("r1", "m1", "Alice@Email.com", t0)
	d.addRecipients(r)
	r.Status, r.State.Events, r.State.ShopperID, r.State.PausedFrom = recipient.Paused, 7, "shopper", recipient.Active
	r.State.Addresses = []recipient.Address{
		{Asset: "BTC", Address: "one", Proof: recipient.Proof{Kind: recipient.BySignature, Text: "t", Signature: "s"}, Given: t0, From: t0},
		{Asset: "BTC", Address: "two", Proof: recipient.Proof{Kind: recipient.ByTestAmount, Test: "t1"}, Given: t0, From: t0.Add(time.Hour), Void: t0},
	}
	r.State.Candidate = &recipient.Candidate{Asset: "BTC", Address: "three", Nonce: "n", Test: &recipient.Test{ID: "t2", Amount: money.NewUnits(1234), Tries: 2}}
	r.State.Tests = 2
	stale := *r
	d.update(func(tx *store.Tx) error { return tx.SetRecipient(r) })
	same(d, r, read(d, func(tx *store.Tx) (*recipient.Recipient, error) { return tx.Recipient("r1") }))
	same(d, r, read(d, func(tx *store.Tx) (*recipient.Recipient, error) { return tx.RecipientByEmail("m1", "aLICE@email.COM") }))
	same(d, r, read(d, func(tx *store.Tx) (*recipient.Recipient, error) { return tx.RecipientByShopper("m1", "shopper") }))
	d.refused(store.ErrChanged, func(tx *store.Tx) error { return tx.SetRecipient(&stale) })
	for _, find := range []func(tx *store.Tx) error{
		func(tx *store.Tx) error { _, err := tx.Recipient("r2"); return err },
		func(tx *store.Tx) error { _, err := tx.RecipientByEmail("m2", "alice@email.com"); return err },
		func(tx *store.Tx) error { _, err := tx.RecipientByShopper("m2", "shopper"); return err },
	} {
		d.refused(store.ErrNotFound, find)
	}
}

func recipientEmails(d *db) {
	r := someRecipient("r1", "m1", "a@x.de", t0)
	d.addRecipients(r, someRecipient("r2", "m2", "a@x.de", t0))
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddRecipient(someRecipient("r3", "m1", "A@X.de", t0)) })
	r.Status = recipient.Removed
	d.update(func(tx *store.Tx) error { return tx.SetRecipient(r) })
	d.addRecipients(someRecipient("r3", "m1", "A@X.de", t0))
	if got := read(d, func(tx *store.Tx) (*recipient.Recipient, error) { return tx.RecipientByEmail("m1", "a@x.de") }); got.ID != "r3" {
		d.t.Errorf("found %s", got.ID)
	}
	if n := read(d, func(tx *store.Tx) (int64, error) { return tx.CountRecipients("m1") }); n != 1 {
		d.t.Errorf("%d recipients are counted", n)
	}
}

func recipientPages(d *db) {
	for i := range 5 {
		r := someRecipient(fmt.Sprintf("r%d", i), "m1", fmt.Sprintf("p%d@x.de", i), t0.Add(time.Duration(i)*time.Second))
		if i == 2 {
			r.Status = recipient.Removed
		}
		d.addRecipients(r)
	}
	d.addRecipients(someRecipient("other", "m2", "p1@x.de", t0))
	for _, c := range []struct {
		f    store.RecipientFilter
		want string
	}{
		{store.RecipientFilter{Merchant: "m1", Limit: 10}, "[r4 r3 r1 r0]"},
		{store.RecipientFilter{Merchant: "m1", Limit: 2, Offset: 1}, "[r3 r1]"},
		{store.RecipientFilter{Merchant: "m1", Limit: 10, Status: recipient.Removed}, "[r2]"},
		{store.RecipientFilter{Merchant: "m1", Limit: 10, Status: recipient.Active}, "[]"},
		{store.RecipientFilter{Limit: 10, Status: recipient.Invited}, "[r4 r3 r1 r0 other]"},
	} {
		var ids []string
		for _, r := range read(d, func(tx *store.Tx) ([]*recipient.Recipient, error) { return tx.ListRecipients(c.f) }) {
			ids = append(ids, r.ID)
		}
		// r0 and other were made in the same moment; their order is by id.
		if got := fmt.Sprint(ids); got != c.want {
			d.t.Errorf("%+v lists %s, want %s", c.f, got, c.want)
		}
	}
}

func submissions(d *db) {
	s := store.Submission{Merchant: "m1", GUID: "g", BodyHash: "h", Recipients: []string{"b", "a"}, At: t0}
	d.update(func(tx *store.Tx) error { return tx.AddSubmission(s) })
	same(d, s, read(d, func(tx *store.Tx) (store.Submission, error) { return tx.Submission("m1", "g") }))
	d.refused(store.ErrExists, func(tx *store.Tx) error { return tx.AddSubmission(s) })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Submission("m2", "g"); return err })
}

func recipientLinks(d *db) {
	d.addRecipients(someRecipient("r1", "m1", "a@x.de", t0), someRecipient("r2", "m1", "b@x.de", t0))
	link := func(hash, of, event string, expires time.Time) recipient.Link {
		return recipient.Link{Hash: hash, Recipient: of, Event: event, Created: t0, Expires: expires}
	}
	old, first, again, other := link("h0", "r1", "e0", t0), link("h1", "r1", "e1", t0.Add(time.Hour)), link("h2", "r1", "e1", t0.Add(time.Hour)), link("h3", "r2", "e2", t0)
	d.update(func(tx *store.Tx) error {
		for _, l := range []recipient.Link{old, first, again, other} {
			if err := tx.AddLink(l); err != nil {
				return err
			}
		}
		return tx.UseLinks("r1", "e1")
	})
	old.Used = true
	for _, l := range []recipient.Link{old, first, again, other} {
		same(d, l, read(d, func(tx *store.Tx) (recipient.Link, error) { return tx.Link(l.Hash) }))
	}
	d.update(func(tx *store.Tx) error { return tx.UseLinks("r1", "") })
	first.Used = true
	same(d, first, read(d, func(tx *store.Tx) (recipient.Link, error) { return tx.Link("h1") }))
	d.update(func(tx *store.Tx) error { return tx.ForgetLinks("r1", t0.Add(time.Minute)) })
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { _, err := tx.Link("h0"); return err })
	same(d, first, read(d, func(tx *store.Tx) (recipient.Link, error) { return tx.Link("h1") }))
	same(d, other, read(d, func(tx *store.Tx) (recipient.Link, error) { return tx.Link("h3") }))
}
