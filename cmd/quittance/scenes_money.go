package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/wire"
)

// buyersWallet is where the tour's buyers and recipients are paid.
const buyersWallet = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// sold completes an invoice, so that there is money to speak of.
func (t *tour) sold(ctx context.Context, name, price string) (*wire.Invoice, error) {
	inv, err := t.order(ctx, wire.InvoiceRequest{Price: wire.Number(price), Currency: "USD", OrderID: name, BuyerEmail: "buyer@example.com"})
	if err != nil {
		return nil, err
	}
	if _, err := t.pay(ctx, name, inv, mustDue(inv)); err != nil {
		return nil, err
	}
	return inv, t.mine(ctx, name, 6)
}

func mustDue(inv *wire.Invoice) (due uint64) {
	_, _ = fmt.Sscan(string(inv.PaymentTotals["BTC"]), &due)
	return due
}

// until asks again and again until something is so.
func until(ctx context.Context, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		ok, err := so()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("it did not come to that in time")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// playRefund gives half of the price back to a buyer, who says where to.
func playRefund(ctx context.Context, t *tour, name string) error {
	inv, err := t.sold(ctx, name, "20.00")
	if err != nil {
		return err
	}
	a := t.program.app
	m, token, err := t.account(ctx)
	if err != nil {
		return err
	}
	r, err := a.CreateRefund(ctx, app.NewRefund{Merchant: m, Token: token, Invoice: inv.ID, Amount: "10.00", BuyerPays: true})
	if err != nil {
		return err
	}
	t.say(name, "the shop refunds 10.00 USD; the buyer is asked by mail where to")
	if _, err := a.ClaimRefund(ctx, r.ID, r.ClaimCode(r.State.Claims), buyersWallet); err != nil {
		return err
	}
	t.say(name, "the buyer confirms %.14s…", buyersWallet)
	state := func(want refund.Status) error {
		return until(ctx, func() (bool, error) {
			now, err := a.Refund(ctx, r.ID)
			return err == nil && now.Status == want, err
		})
	}
	if err := state(refund.Pending); err != nil {
		return err
	}
	if err := t.mine(ctx, name, 6); err != nil {
		return err
	}
	err = state(refund.Success)
	t.verdict(name, err == nil, "the refund is confirmed on the chain")
	return nil
}

// playPayouts pays a group of recipients with one transaction.
func playPayouts(ctx context.Context, t *tour, name string) error {
	if _, err := t.sold(ctx, name, "100.00"); err != nil {
		return err
	}
	a := t.program.app
	m, token, err := t.account(ctx)
	if err != nil {
		return err
	}
	var group []app.NewPayout
	for _, who := range []string{"ann", "bob", "eve"} {
		email := who + "@example.com"
		if err := t.proven(ctx, m, token, email); err != nil {
			return err
		}
		in := app.NewPayout{Email: email, Amount: "10.00"}
		in.Terms.Currency, in.Terms.LedgerCurrency, in.Terms.Reference = "USD", "USD", "salary of "+who
		group = append(group, in)
	}
	made, failed, err := a.CreatePayoutGroup(ctx, app.PayoutRequest{Merchant: m, Token: token}, group)
	if err != nil || len(failed) > 0 {
		return errors.Join(err, fmt.Errorf("%d of the payouts were refused", len(failed)))
	}
	t.say(name, "the shop pays three recipients 10.00 USD each")
	txids := map[string]bool{}
	settled := func(want string) error {
		return until(ctx, func() (bool, error) {
			for _, p := range made {
				now, err := a.Payout(ctx, "", p.ID)
				if err != nil || string(now.Status) != want {
					return false, err
				}
				txids[now.State.Txid] = true
			}
			return true, nil
		})
	}
	if err := settled("processing"); err != nil {
		return err
	}
	if err := t.mine(ctx, name, 6); err != nil {
		return err
	}
	err = settled("complete")
	t.verdict(name, err == nil && len(txids) == 1, "all three are paid, by %d transaction", len(txids))
	return nil
}

// proven invites a recipient whose address counts as proven: the tour has no
// other wallet to sign with.
func (t *tour) proven(ctx context.Context, m *merchant.Merchant, token *merchant.Token, email string) error {
	list, err := t.program.app.SubmitRecipients(ctx, app.NewRecipients{Merchant: m, Token: token, List: invitation(email)})
	if err != nil {
		return err
	}
	return t.program.store.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Recipient(list[0].ID)
		if err != nil {
			return err
		}
		prove(r, buyersWallet, t.program.clock.now())
		return tx.SetRecipient(r)
	})
}

// playSettlement closes the period and holds it against the ledger.
func playSettlement(ctx context.Context, t *tour, name string) error {
	m, _, err := t.account(ctx)
	if err != nil {
		return err
	}
	s, err := t.program.app.SettleNow(ctx, m, "USD")
	if err != nil {
		return err
	}
	if s == nil {
		return errors.New("there was nothing to settle")
	}
	row := t.program.front.Renderer.Settlement(s)
	sum, err := s.Terms.Balance.Add(s.Terms.Sum)
	if err != nil {
		return err
	}
	if sum, err = sum.Sub(s.Terms.Withheld().Delta()); err != nil {
		return err
	}
	t.verdict(name, s.Status == settlement.Completed && sum.Cmp(s.Terms.Total.Delta()) == 0,
		"%s + %s - %s = %s USD are settled", row.OpeningBalance, row.LedgerEntriesSum, row.WithholdingsSum, row.TotalAmount)
	return nil
}

// account is the tour's merchant and token as the operations know them.
func (t *tour) account(ctx context.Context) (*merchant.Merchant, *merchant.Token, error) {
	text, _ := t.client.Token(client.Merchant)
	token, m, err := t.program.app.Token(ctx, text)
	return m, token, err
}

// verdict says whether a scene ended as documented.
func (t *tour) verdict(name string, ok bool, format string, args ...any) {
	if !ok {
		t.wrong++
	}
	t.print(line{Scene: name, What: fmt.Sprintf(format, args...), OK: &ok})
}

// proveBooks evaluates every invariant at the end of the tour.
func (t *tour) proveBooks(ctx context.Context) error {
	breaches, err := t.program.app.Verify(ctx, app.VerifyOptions{Sources: t.program.sources(), Report: func(f app.Finding) {
		if t.json {
			ok := f.Breach == ""
			t.print(line{Scene: "verify", What: strings.TrimSpace(f.Name + " " + f.Breach), OK: &ok})
			return
		}
		printFinding(os.Stdout, f)
	}})
	t.wrong += breaches
	return err
}
func invitation(email string) []recipient.Invitation {
	return []recipient.Invitation{{Email: email, Label: email}}
}

// prove gives a recipient an address without asking anybody; for the tour only.
func prove(r *recipient.Recipient, address string, now time.Time) {
	r.Status = recipient.Active
	r.State.Addresses = append(r.State.Addresses, recipient.Address{
		Asset: "BTC", Address: address, Proof: recipient.Proof{Kind: recipient.ByTestAmount, Test: "tour"}, Given: now, From: now,
	})
}
