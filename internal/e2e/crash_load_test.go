package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/wire"
)

// book is what the server has acknowledged, as its clients wrote it down.
type book struct {
	mu       sync.Mutex
	orders   int
	invoices []*wire.Invoice // as first answered
	byGUID   map[string]*wire.Invoice
	paid     map[string]payment // by txid
	open     []string           // txids that are perhaps unconfirmed
	replaced map[string]bool    // txids that somebody tried to replace
	gone     map[string]bool    // ids whose cancellation was acknowledged
	resent   map[string]int     // ids to acknowledged resends
	unclear  int                // answers that never came
	faults   []string
}

type payment struct {
	invoice string
	amount  uint64
	known   time.Time // when the server had followed it, at the latest
}

func newBook() *book {
	return &book{byGUID: map[string]*wire.Invoice{}, paid: map[string]payment{}, replaced: map[string]bool{}, gone: map[string]bool{}, resent: map[string]int{}}
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("acknowledged: %d invoices, %d payments (%d of them to be replaced), %d cancellations; %d answers did not come",
		len(b.invoices), len(b.paid), len(b.replaced), len(b.gone), b.unclear)
}

func (b *book) fault(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

func (b *book) note(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// shopper does what merchants and buyers do, one thing after the other.
type shopper struct {
	*crash
	rng *rand.Rand
}

func (s *shopper) run(ctx context.Context) {
	acts := []struct {
		weight int
		do     func(context.Context)
	}{{40, s.create}, {8, s.repeat}, {30, s.pay}, {6, s.replace}, {6, s.mine}, {4, s.cancel}, {3, s.resend}, {1, s.reorg}}
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	for ctx.Err() == nil {
		n := s.rng.IntN(total)
		for _, a := range acts {
			if n -= a.weight; n < 0 {
				a.do(ctx)
				break
			}
		}
		moment(ctx, time.Duration(s.rng.IntN(16))*time.Millisecond)
	}
}

// create asks for an invoice. One with a guid is asked for until the answer is
// clear.
func (s *shopper) create(ctx context.Context) {
	n := 0
	s.book.note(func() { s.book.orders++; n = s.book.orders })
	r := wire.InvoiceRequest{
		Price: wire.Number(fmt.Sprintf("%d.%02d", 1+s.rng.IntN(30), s.rng.IntN(100))), Currency: []string{"USD", "EUR", "JPY"}[s.rng.IntN(3)],
		OrderID: fmt.Sprintf("order-%d", n), PosData: fmt.Sprintf(`{"n":%d}`, n), TransactionSpeed: []string{"high", "medium", "low"}[s.rng.IntN(3)],
		NotificationURL: fmt.Sprintf("%s/%d", s.shop.URL, n%200), ExtendedNotifications: true, BuyerEmail: "ada@example.com",
	}
	if r.Currency == "JPY" {
		r.Price = wire.Number(fmt.Sprint(100 + s.rng.IntN(3000)))
	}
	if s.rng.IntN(10) == 0 {
		r.AcceptanceWindow = "60000" // the least; it closes in long campaigns only
	}
	if s.rng.IntN(4) > 0 {
		r.GUID = fmt.Sprintf("guid-%d-%d", s.seed, n)
	}
	for ctx.Err() == nil {
		inv, err := s.api.CreateInvoice(ctx, client.Merchant, r)
		if err == nil {
			s.acknowledged(inv, r)
			return
		}
		if !s.unclear(ctx, "create", err) || r.GUID == "" {
			return
		}
	}
}

// acknowledged writes an invoice down, or holds it against what was answered
// under the same guid before.
func (s *shopper) acknowledged(inv *wire.Invoice, r wire.InvoiceRequest) {
	if inv.OrderID != r.OrderID || inv.PosData != r.PosData || r.GUID != "" && inv.GUID != r.GUID {
		s.book.fault("asked for order %s, guid %s and got %s, %s", r.OrderID, r.GUID, inv.OrderID, inv.GUID)
	}
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	if first, ok := s.book.byGUID[inv.GUID]; ok {
		if first.ID != inv.ID {
			s.book.faults = append(s.book.faults, fmt.Sprintf("guid %s is invoice %s and invoice %s", inv.GUID, first.ID, inv.ID))
		}
		return
	}
	s.book.byGUID[inv.GUID] = inv
	s.book.invoices = append(s.book.invoices, inv)
}

// unclear reports that an answer did not come, as while the server is down. A
// refusal is clear: nothing here may be refused, unless it is allowed.
func (s *shopper) unclear(ctx context.Context, what string, err error, allowed ...string) bool {
	var refused *client.Error
	if errors.As(err, &refused) {
		if !slices.Contains(allowed, refused.Code) {
			s.book.fault("%s: %v", what, err)
		}
		return false
	}
	s.book.note(func() { s.book.unclear++ })
	moment(ctx, 20*time.Millisecond)
	return true
}

// some picks an acknowledged invoice, a recent one mostly.
func (s *shopper) some() *wire.Invoice {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	n := len(s.book.invoices)
	if n == 0 {
		return nil
	}
	if s.rng.IntN(4) > 0 {
		return s.book.invoices[n-1-s.rng.IntN(min(n, 12))]
	}
	return s.book.invoices[s.rng.IntN(n)]
}

// repeat asks for an invoice again under the guid that it was made with.
func (s *shopper) repeat(ctx context.Context) {
	if inv := s.some(); inv != nil {
		r := wire.InvoiceRequest{Price: inv.Price, Currency: inv.Currency, GUID: inv.GUID, OrderID: inv.OrderID, PosData: inv.PosData}
		again, err := s.api.CreateInvoice(ctx, client.Merchant, r)
		if err != nil {
			s.unclear(ctx, "repeat", err)
			return
		}
		s.acknowledged(again, r)
	}
}

// pay sends all, a part or too much, sometimes twice.
func (s *shopper) pay(ctx context.Context) {
	inv := s.some()
	if inv == nil {
		return
	}
	var due uint64
	if _, err := fmt.Sscan(string(inv.PaymentTotals["BTC"]), &due); err != nil {
		s.book.fault("invoice %s asks for %q", inv.ID, inv.PaymentTotals["BTC"])
		return
	}
	amount := []uint64{due, due, due, due / 2, due/2 + 1, due + due/3, max(due/10, 600)}[s.rng.IntN(7)]
	for range 1 + s.rng.IntN(10)/8 {
		s.send(ctx, inv, "pay", max(amount, 600), control.Pay{Address: addressOf(inv), Amount: max(amount, 600), Replaceable: s.rng.IntN(2) == 0})
	}
}

func addressOf(inv *wire.Invoice) string {
	_, rest, _ := strings.Cut(inv.PaymentCodes["BTC"]["BIP21"], ":")
	address, _, _ := strings.Cut(rest, "?")
	return address
}

func (s *shopper) send(ctx context.Context, inv *wire.Invoice, what string, amount uint64, order any) {
	st, err := s.chain.Do(ctx, what, order)
	if err != nil {
		s.chainRefused(ctx, err)
		return
	}
	s.book.note(func() {
		s.book.paid[st.Txid] = payment{inv.ID, amount, time.Now()}
		s.book.open = append(s.book.open, st.Txid)
	})
}

// chainRefused is a step that the chain did not take: it is down, or has no
// coins until the next block.
func (s *shopper) chainRefused(ctx context.Context, err error) {
	if strings.Contains(err.Error(), "coins") {
		s.mine(ctx)
		return
	}
	moment(ctx, 20*time.Millisecond)
}

// replace takes an unconfirmed payment back, or pays the same invoice anew
// with the same coins.
func (s *shopper) replace(ctx context.Context) {
	var txid string
	var p payment
	s.book.note(func() {
		if n := len(s.book.open); n > 0 {
			txid = s.book.open[n-1-s.rng.IntN(min(n, 6))]
			p = s.book.paid[txid]
			s.book.replaced[txid] = true
		}
	})
	if txid == "" {
		return
	}
	r := control.Replace{Txid: txid}
	if s.rng.IntN(2) == 0 {
		inv := s.invoice(p.invoice)
		r.Address, r.Amount = addressOf(inv), p.amount
		s.send(ctx, inv, "replace", p.amount, r)
		return
	}
	what := "replace"
	if s.rng.IntN(3) == 0 {
		what = "doublespend"
	}
	if _, err := s.chain.Do(ctx, what, r); err != nil {
		s.chainRefused(ctx, err)
	}
}

func (s *shopper) invoice(id string) (found *wire.Invoice) {
	s.book.note(func() {
		for _, inv := range s.book.invoices {
			if inv.ID == id {
				found = inv
			}
		}
	})
	return found
}

func (s *shopper) mine(ctx context.Context) {
	if _, err := s.chain.Do(ctx, "mine", control.Mine{Blocks: 1 + s.rng.IntN(2)}); err != nil {
		moment(ctx, 20*time.Millisecond)
	}
}

func (s *shopper) reorg(ctx context.Context) {
	if _, err := s.chain.Do(ctx, "reorg", control.Reorg{Depth: 1 + s.rng.IntN(3), Keep: s.rng.IntN(2) == 0}); err != nil {
		moment(ctx, 20*time.Millisecond)
	}
}

// cancel withdraws an invoice. One that is over cannot be.
func (s *shopper) cancel(ctx context.Context) {
	inv := s.some()
	if inv == nil {
		return
	}
	_, err := s.api.CancelInvoice(ctx, inv.ID, s.rng.IntN(2) == 0)
	if err != nil {
		s.unclear(ctx, "cancel", err, "040107")
		return
	}
	s.book.note(func() { s.book.gone[inv.ID] = true })
}

func (s *shopper) resend(ctx context.Context) {
	inv := s.some()
	if inv == nil {
		return
	}
	if err := s.api.ResendInvoice(ctx, inv.ID); err != nil {
		s.unclear(ctx, "resend", err)
		return
	}
	s.book.note(func() { s.book.resent[inv.ID]++ })
}

// shop receives webhooks. Until it is healed some calls fail: it refuses, or
// hangs up before or after it took the message in.
type shop struct {
	*httptest.Server
	secret, token string
	healthy       atomic.Bool

	mu     sync.Mutex
	rng    *rand.Rand
	calls  []call
	faults []string
}

// call is one webhook as it came; taken says that it was answered with success.
type call struct {
	id, resource string
	code         int64
	taken        bool
}

func newShop(t *testing.T, seed uint64, secret, token string) *shop {
	s := &shop{secret: secret, token: token, rng: rand.New(rand.NewPCG(seed, 99))}
	s.Server = httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) heal() { s.healthy.Store(true) }

func (s *shop) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the server died while it spoke
	}
	var told struct {
		Event struct{ Code int64 }
		Data  struct{ ID string }
	}
	id, err := client.CheckWebhook(s.secret, r.Header, body, time.Now())
	if err = errors.Join(err, client.CheckSignature(s.token, r.Header, body), json.Unmarshal(body, &told)); err != nil {
		s.note(func() { s.faults = append(s.faults, fmt.Sprintf("webhook %s: %v", body, err)) })
	}
	fate := 9
	s.note(func() {
		if !s.healthy.Load() {
			fate = s.rng.IntN(40)
		}
		s.calls = append(s.calls, call{id, told.Data.ID, told.Event.Code, fate > 1})
	})
	switch fate {
	case 0:
		w.WriteHeader(http.StatusInternalServerError)
	case 1:
		panic(http.ErrAbortHandler)
	}
}

func (s *shop) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}
