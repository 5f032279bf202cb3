package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"os"
	"strings"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/wire"
)

// tour drives a server from outside: as a shop through the API, as buyers
// through the sandbox's control.
type tour struct {
	program *program
	client  *client.Client
	chain   *control.Client
	shop    *shop
	json    bool
	start   time.Time
	wrong   int
}

func newTour(ctx context.Context, p *program, asJSON bool) (*tour, error) {
	key, err := client.NewKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &tour{program: p, client: client.New(p.publicURL, key), chain: &control.Client{URL: p.controlURL}, json: asJSON, start: time.Now()}
	list, err := p.app.Merchants(ctx)
	if err != nil || len(list) == 0 {
		return nil, fmt.Errorf("the demo's server has no merchant: %w", err)
	}
	token, err := t.client.RequestToken(ctx, client.Merchant, "demo shop")
	if err != nil {
		return nil, err
	}
	if _, err := p.app.ApprovePairing(ctx, token.PairingCode, list[0].ID); err != nil {
		return nil, err
	}
	_, err = p.app.ChangeMerchant(ctx, list[0].ID, func(m *merchant.Merchant) error {
		m.Settings.PayoutRuns = "now"
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.shop, err = openShop(list[0].WebhookSecret, token.Token, p.app.Now)
	return t, err
}

func (t *tour) close() { t.shop.close() }

func (t *tour) order(ctx context.Context, r wire.InvoiceRequest) (*wire.Invoice, error) {
	r.NotificationURL, r.ExtendedNotifications = t.shop.url, true
	return t.client.CreateInvoice(ctx, client.Merchant, r)
}

// address is where the invoice is paid, as the buyer's wallet reads it.
func address(inv *wire.Invoice) string {
	uri := strings.TrimPrefix(inv.PaymentCodes["BTC"]["BIP21"], "bitcoin:")
	addr, _, _ := strings.Cut(uri, "?")
	return addr
}

// line is one thing that happened.
type line struct {
	Seconds float64 `json:"seconds"`
	Scene   string  `json:"scene"`
	What    string  `json:"what"`
	OK      *bool   `json:"ok,omitempty"`
}

func (t *tour) say(scene, format string, args ...any) {
	t.print(line{Scene: scene, What: fmt.Sprintf(format, args...)})
}

func (t *tour) print(l line) {
	l.Seconds = float64(time.Since(t.start).Milliseconds()) / 1000
	if t.json {
		_ = json.NewEncoder(os.Stdout).Encode(l)
		return
	}
	mark := "│"
	if l.OK != nil {
		mark = "✓"
		if !*l.OK {
			mark = "✗"
		}
	}
	fmt.Fprintf(os.Stdout, "%6.2fs  %-9s %s %s\n", l.Seconds, l.Scene, mark, l.What)
}

// expect reads the invoice and holds it against what is documented.
func (t *tour) expect(ctx context.Context, scene, id, status, exception string, hooks ...int64) error {
	inv, err := t.client.Invoice(ctx, client.Merchant, id)
	if err != nil {
		return err
	}
	got := t.shop.await(ctx, id, hooks)
	ok := inv.Status == status && string(inv.ExceptionStatus) == exception && equal(got, hooks)
	what := fmt.Sprintf("invoice is %s%s, webhooks %v", inv.Status, note(string(inv.ExceptionStatus)), got)
	if !ok {
		t.wrong++
		what += fmt.Sprintf(" — expected %s%s, webhooks %v", status, note(exception), hooks)
	}
	t.print(line{Scene: scene, What: what, OK: &ok})
	return nil
}

func note(exception string) string {
	if exception == "" {
		return ""
	}
	return " (" + exception + ")"
}

func equal(a, b []int64) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// check plays every scene and fails when one did not end as documented.
func (t *tour) check(ctx context.Context) error {
	for _, scene := range scenes {
		if err := scene.play(ctx, t, scene.name); err != nil {
			return fmt.Errorf("%s: %w", scene.name, err)
		}
	}
	if err := t.proveBooks(ctx); err != nil {
		return err
	}
	if bad := t.shop.refused(); bad > 0 {
		t.wrong++
		t.say("end", "%d webhooks had a wrong signature", bad)
	}
	if t.wrong > 0 {
		t.say("end", "%d of the scenes did not end as documented", t.wrong)
		return exitStatus(1)
	}
	ok := true
	t.print(line{Scene: "end", What: fmt.Sprintf("all %d scenes ended as documented, every webhook's signature was right, and the books add up", len(scenes)), OK: &ok})
	return nil
}
