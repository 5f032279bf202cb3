package e2e

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

// windowSlack is how long a closed window may go unnoticed: the chain is read
// once more first.
const windowSlack = 15 * time.Second

// record is what the database holds of one invoice, and of the refunds that give
// back what nobody asked for.
type record struct {
	*invoice.Invoice
	history
	refunds []history
	back    money.Units // what the refunds that were not withdrawn give
}

// history is what happened to one resource, and what was told of it.
type history struct {
	resource   string
	events     []store.Event
	deliveries []store.Delivery
	webhooks   map[string]int // deliveries to the shop, by event
}

func readHistory(tx *store.Tx, resource string) (h history, err error) {
	h.resource = resource
	if h.events, err = tx.EventsOf(resource, 0); err != nil {
		return h, err
	}
	if h.deliveries, err = tx.DeliveriesOf(resource); err != nil {
		return h, err
	}
	h.webhooks = map[string]int{}
	for _, d := range h.deliveries {
		lane, err := tx.Lane(d.Lane)
		if err != nil {
			return h, err
		}
		if lane.Kind == "webhook" {
			h.webhooks[d.Event]++
		}
	}
	return h, nil
}

// histories are those of the invoice and of its refunds.
func (r record) histories() []history { return append([]history{r.history}, r.refunds...) }

func (c *crash) records(ctx context.Context, st *store.Store) (out []record) {
	must(c.t, st.View(ctx, func(tx *store.Tx) error {
		out = nil
		merchants, err := tx.Merchants()
		if err != nil {
			return err
		}
		list, err := tx.ListInvoices(store.InvoiceFilter{Merchant: merchants[0].ID, Limit: 1_000_000})
		for _, inv := range list {
			r := record{Invoice: inv}
			if r.history, err = readHistory(tx, inv.ID); err != nil {
				return err
			}
			refunds, err := tx.RefundsOf(inv.ID)
			if err != nil {
				return err
			}
			for _, back := range refunds {
				h, err := readHistory(tx, back.ID)
				if err != nil {
					return err
				}
				r.refunds = append(r.refunds, h)
				if back.Status.Active() {
					r.back, _ = r.back.Add(back.Terms.Gross)
				}
			}
			out = append(out, r)
		}
		return err
	}))
	return out
}

// hurry has what waits delivered now, if asked, and tells what is left to be
// done.
func (c *crash) hurry(ctx context.Context, st *store.Store, push bool) (left []string) {
	var waiting []string
	for _, r := range c.records(ctx, st) {
		if want := r.due(time.Now()); r.Status != want {
			left = append(left, fmt.Sprintf("invoice %s is %s, to become %s", r.ID, r.Status, want))
		}
		for _, h := range r.histories() {
			for _, d := range h.deliveries {
				if d.State == store.Waiting {
					waiting = append(waiting, d.ID)
					left = append(left, fmt.Sprintf("delivery %s about %s of invoice %s after %d tries", d.ID, h.resource, r.ID, d.Attempts))
				}
			}
		}
	}
	must(c.t, st.View(ctx, func(tx *store.Tx) error {
		undecided, err := tx.UndecidedPayments(1000)
		for _, u := range undecided {
			left = append(left, fmt.Sprintf("a decision about %s %s of invoice %s", u.Amount, u.Asset, u.Invoice))
		}
		return err
	}))
	if push {
		must(c.t, st.Update(ctx, func(tx *store.Tx) error {
			for _, id := range waiting {
				if err := tx.Redeliver(id, time.Now()); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return left
}

// due is the status that follows from an invoice's payments once they are all
// deep in the chain. It is found in another way than the program's own.
func (r record) due(now time.Time) invoice.Status {
	if r.waits() {
		return r.Status
	}
	var got, want money.Units
	for _, o := range r.Terms.Options {
		want = o.Due
	}
	for _, c := range r.Credits {
		inTime := !c.FirstSeen.After(r.Expires) && (r.State.Cancelled.IsZero() || c.FirstSeen.Before(r.State.Cancelled))
		if c.State != invoice.Gone && inTime {
			got, _ = got.Add(c.Amount)
		}
	}
	was := func(codes ...int64) bool {
		return slices.ContainsFunc(r.events, func(e store.Event) bool { return slices.Contains(codes, e.Code) })
	}
	switch {
	case was(invoice.DeclinedNotice.Code):
		return invoice.Declined
	case got.Cmp(want) >= 0:
		return invoice.Complete
	case was(invoice.PaidInFull.Code, invoice.ConfirmedNotice.Code, invoice.Completed.Code):
		return invoice.Invalid
	case r.State.Cancelled.IsZero() && r.Status == invoice.New && now.Before(r.Expires.Add(windowSlack)):
		return invoice.New
	case !r.State.Cancelled.IsZero() || r.Expires.Before(now):
		return invoice.Expired
	}
	return invoice.New
}

// waits reports that a payment waits for a block. Once the mempool is empty that
// is one which was evicted with the transaction it built upon; the program gives
// it up later.
func (r record) waits() bool {
	return slices.ContainsFunc(r.Credits, func(c invoice.Credit) bool { return c.State == invoice.Pending })
}

// compare holds the API's answers against those that were written down.
func (c *crash) compare(ctx context.Context) {
	for _, first := range c.book.invoices {
		now, err := c.api.Invoice(ctx, client.Merchant, first.ID)
		if err != nil {
			c.t.Errorf("invoice %s (guid %s) was acknowledged and is lost: %v", first.ID, first.GUID, err)
			continue
		}
		if was, is := fixed(first), fixed(now); was != is {
			c.t.Errorf("invoice %s was acknowledged as\n%s and is\n%s", first.ID, was, is)
		}
		if c.book.gone[first.ID] && !now.IsCancelled {
			c.t.Errorf("the cancellation of invoice %s was acknowledged and is lost", first.ID)
		}
	}
}

// fixed is the part of an invoice that never changes.
func fixed(i *wire.Invoice) string {
	return fmt.Sprint(i.URL, i.ID, i.GUID, i.OrderID, i.PosData, i.Price, i.Currency, i.InvoiceTime, i.ExpirationTime,
		i.TransactionSpeed, i.PaymentTotals, i.PaymentSubtotals, addressOf(i), i.ExchangeRates, i.Token, i.BuyerProvidedEmail)
}

// audit reads the stopped server's database and chain.
func (c *crash) audit() {
	ctx := c.t.Context()
	st := c.database()
	defer st.Close()
	list := c.records(ctx, st)
	paid, mined := c.recount(ctx)
	addresses, indices := map[string]string{}, map[string]string{}
	events := 0
	for _, r := range list {
		for _, o := range r.Terms.Options {
			c.unique(addresses, o.Address, r.ID)
			c.unique(indices, fmt.Sprint(o.Wallet, "/", o.Index), r.ID)
		}
		c.auditCredits(r, paid, mined)
		c.auditEvents(r)
		for _, h := range r.histories() {
			c.auditDeliveries(h)
		}
		if want := r.due(c.stopped); r.Status != want {
			c.t.Errorf("invoice %s is %s, its payments make it %s", r.ID, r.Status, want)
		}
		c.auditRefunds(r)
		for _, h := range r.histories() {
			events += len(h.events)
		}
	}
	c.auditPayments(list, mined)
	c.auditCalls(list)
	c.t.Logf("found: %d invoices, %d events, %d webhook calls", len(list), events, len(c.shop.calls))
}

func (c *crash) unique(seen map[string]string, key, id string) {
	if other, ok := seen[key]; ok {
		c.t.Errorf("invoices %s and %s share %s", other, id, key)
	}
	seen[key] = id
}

// recount reads all payments from the best chain, by script. Nothing may be
// left in the mempool.
func (c *crash) recount(ctx context.Context) (paid payments, mined map[string]bool) {
	src, err := sandbox.Open(sandbox.Config{Dir: filepath.Join(c.s.data, "sandbox")})
	must(c.t, err)
	defer src.Close()
	if ids, err := src.Mempool(ctx); err != nil || len(ids) > 0 {
		c.t.Errorf("%d transactions still wait (%v)", len(ids), err)
	}
	tip, err := src.Tip(ctx)
	must(c.t, err)
	paid, mined = payments{}, map[string]bool{}
	for h := int64(1); h <= tip.Height; h++ {
		hash, err := src.HashAt(ctx, h)
		must(c.t, err)
		b, err := src.Block(ctx, hash)
		must(c.t, err)
		for _, tx := range b.Txs {
			mined[tx.ID] = true
			for _, p := range tx.Payments {
				to := hex.EncodeToString(p.To)
				if paid[to] == nil {
					paid[to] = map[chain.Outpoint]invoice.Credit{}
				}
				paid[to][chain.Outpoint{Txid: tx.ID, Vout: p.Vout}] = invoice.Credit{Amount: p.Amount, BlockHash: hash, Height: h}
			}
		}
	}
	return paid, mined
}

// payments are those on the chain, by output script.
type payments map[string]map[chain.Outpoint]invoice.Credit

// evicted reports that a payment built upon a transaction that was replaced.
func evicted(c invoice.Credit, mined map[string]bool) bool {
	return slices.ContainsFunc(c.Spends, func(o chain.Outpoint) bool { return !mined[o.Txid] })
}

// auditCredits holds an invoice's payments against the chain's.
func (c *crash) auditCredits(r record, paid payments, mined map[string]bool) {
	script, err := bitcoin.AddressScript(r.Terms.Options[0].Address, bitcoin.Regtest)
	must(c.t, err)
	there := paid[hex.EncodeToString(script)]
	found := 0
	for _, cr := range r.Credits {
		p, ok := there[cr.Outpoint]
		switch {
		case cr.State == invoice.Gone && !ok:
		case cr.State == invoice.Pending && !ok && evicted(cr, mined):
		case !ok || cr.State != invoice.Mined:
			c.t.Errorf("invoice %s counts %v as %s; on the chain: %v", r.ID, cr.Outpoint, cr.State, ok)
		case p.Amount != cr.Amount || p.BlockHash != cr.BlockHash || p.Height != cr.Height:
			c.t.Errorf("invoice %s has %v in block %d with %s satoshi, the chain in block %d with %s", r.ID, cr.Outpoint, cr.Height, cr.Amount, p.Height, p.Amount)
		default:
			found++
		}
	}
	if found != len(there) {
		c.t.Errorf("invoice %s counts %d of the %d payments on the chain", r.ID, found, len(there))
	}
}

// auditEvents checks the numbering, and that the steps told lead from new to
// where the invoice is.
func (c *crash) auditEvents(r record) {
	status := invoice.New
	resent := 0
	for i, e := range r.events {
		if e.Seq != int64(i+1) {
			c.t.Errorf("invoice %s: event %d has the number %d", r.ID, i+1, e.Seq)
		}
		if e.Code == invoice.ManuallyNotified.Code {
			resent++
		}
		if e.Detail == "" {
			continue
		}
		next, err := invoice.Step(status, invoice.Event(e.Detail))
		if err != nil || string(next) != e.Status {
			c.t.Errorf("invoice %s: event %d leads from %s to %s by %q (%v)", r.ID, e.Seq, status, e.Status, e.Detail, err)
		}
		status = invoice.Status(e.Status)
	}
	if status != r.Status || r.State.Events != int64(len(r.events)) {
		c.t.Errorf("invoice %s is %s after %d events; they lead to %s and are %d", r.ID, r.Status, r.State.Events, status, len(r.events))
	}
	if resent < c.book.resent[r.ID] {
		c.t.Errorf("invoice %s: %d resends were acknowledged, %d are known", r.ID, c.book.resent[r.ID], resent)
	}
}

// auditRefunds checks that what nobody asked for goes back once: all refunds
// together never give more than the live payments brought.
func (c *crash) auditRefunds(r record) {
	for _, h := range r.refunds {
		for i, e := range h.events {
			if e.Seq != int64(i+1) {
				c.t.Errorf("refund %s: event %d has the number %d", h.resource, i+1, e.Seq)
			}
		}
	}
	if got := r.Received(); r.back.Cmp(got) > 0 {
		c.t.Errorf("invoice %s got %s satoshi and gives back %s", r.ID, got, r.back)
	}
}

// auditDeliveries checks that each event the merchant is told of has one
// delivery to the shop, and that all were made.
func (c *crash) auditDeliveries(h history) {
	for _, d := range h.deliveries {
		if d.State != store.Done {
			c.t.Errorf("%s: delivery %s is %s after %d tries", h.resource, d.ID, d.State, d.Attempts)
		}
	}
	for _, e := range h.events {
		want := 0
		if e.Code != 0 {
			want = 1
		}
		if h.webhooks[e.ID] != want {
			c.t.Errorf("%s: event %d (%s) has %d deliveries, want %d", h.resource, e.Seq, e.Name, h.webhooks[e.ID], want)
		}
	}
}

// auditPayments holds the acknowledged payments against the chain and the
// time at which the server knew of them.
func (c *crash) auditPayments(list []record, mined map[string]bool) {
	credited := map[string]invoice.Credit{}
	for _, r := range list {
		for _, cr := range r.Credits {
			credited[cr.Outpoint.Txid+r.ID] = cr
		}
	}
	for txid, p := range c.book.paid {
		cr, ok := credited[txid+p.invoice]
		switch {
		case !ok:
			c.t.Errorf("payment %s to invoice %s was followed and is not known", txid, p.invoice)
		case cr.FirstSeen.After(p.known):
			c.t.Errorf("payment %s was followed at %s and counts from %s", txid, p.known, cr.FirstSeen)
		case !mined[txid] && !c.book.replaced[txid] && !evicted(cr, mined):
			c.t.Errorf("the chain lost payment %s", txid)
		}
	}
}

// auditCalls checks what the shop got: each event at least once with success,
// none that the database does not know, and none before all earlier ones of
// its resource were taken in.
func (c *crash) auditCalls(list []record) {
	byID := map[string]store.Event{}
	for _, r := range list {
		for _, h := range r.histories() {
			for _, e := range h.events {
				byID[e.ID] = e
			}
		}
	}
	taken := map[string]bool{}
	reached := map[string]int64{} // per resource, the last event that came
	for _, call := range c.shop.calls {
		e, ok := byID[call.id]
		if !ok || e.Resource != call.resource || e.Code != call.code {
			c.t.Errorf("webhook %s (%d) about %s came; the database knows %+v", call.id, call.code, call.resource, e)
			continue
		}
		if e.Seq > reached[e.Resource] {
			for id, other := range byID {
				if other.Resource == e.Resource && other.Seq < e.Seq && other.Code != 0 && !taken[id] {
					c.t.Errorf("%s: event %d came before event %d was taken", e.Resource, e.Seq, other.Seq)
				}
			}
			reached[e.Resource] = e.Seq
		}
		taken[call.id] = taken[call.id] || call.taken
	}
	for id, e := range byID {
		if e.Code != 0 && !taken[id] {
			c.t.Errorf("%s: event %d (%s) was never taken in", e.Resource, e.Seq, e.Name)
		}
	}
}
