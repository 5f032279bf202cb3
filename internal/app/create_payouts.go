package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// NewPayout is a request to pay a recipient, who is named by one of Recipient,
// Shopper and Email.
type NewPayout struct {
	Recipient, Shopper, Email string
	Amount                    string // decimal, in Currency
	Terms                     payout.Terms
}

// Payee names whom a request is about, as it was written.
func (n *NewPayout) Payee() string {
	for _, s := range []string{n.Email, n.Recipient, n.Shopper} {
		if s != "" {
			return s
		}
	}
	return ""
}

// PayoutRequest is who asks. Signature is the request's own in its low-S form: the
// same signed request pays once.
type PayoutRequest struct {
	Merchant  *merchant.Merchant
	Token     *merchant.Token
	Signature string
}

// FailedPayout is a member of a group that was refused.
type FailedPayout struct {
	Payee   string
	Message string
}

// CreatePayout takes a payout in. The same content with the same reference within
// a day is the payout that was made first; without a reference it is a new one
// that waits for a release.
func (a *App) CreatePayout(ctx context.Context, by PayoutRequest, in NewPayout) (*payout.Payout, error) {
	list, failed, err := a.createPayouts(ctx, by, []NewPayout{in}, "")
	if err != nil {
		return nil, err
	}
	if len(failed) > 0 {
		return nil, failed[0].refusal
	}
	return list[0], nil
}

// CreatePayoutGroup takes many payouts in at once; those that cannot be made are
// told of, the others are made. Two equal members are two payouts.
func (a *App) CreatePayoutGroup(ctx context.Context, by PayoutRequest, in []NewPayout) ([]*payout.Payout, []FailedPayout, error) {
	switch {
	case len(in) == 0:
		return nil, nil, fault.Missing(fault.Missing0, "instructions")
	case len(in) > payout.MaxGroup:
		return nil, nil, fault.Invalid(fault.Invalid0, "instructions", "at most %d in one group; these are %d", payout.MaxGroup, len(in))
	}
	group, err := a.newID()
	if err != nil {
		return nil, nil, err
	}
	list, failed, err := a.createPayouts(ctx, by, in, group)
	out := make([]FailedPayout, len(failed))
	for i, f := range failed {
		out[i] = FailedPayout{f.payee, f.refusal.Message}
	}
	return list, out, err
}

type refusedPayout struct {
	payee   string
	refusal *fault.Error
}

// createPayouts makes the payouts of one request in one transaction.
func (a *App) createPayouts(ctx context.Context, by PayoutRequest, in []NewPayout, group string) (list []*payout.Payout, failed []refusedPayout, err error) {
	table, err := a.Rates.Current()
	if err != nil {
		return nil, nil, noRates(err)
	}
	now := a.now()
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		list, failed = nil, nil
		if err := tx.Alone("payouts/" + by.Merchant.ID); err != nil {
			return err
		}
		replayed, late, err := a.replayedPayouts(tx, by, now)
		if err != nil || replayed != nil {
			list = replayed
			return err
		}
		batch := &payoutBatch{App: a, tx: tx, by: by, group: group, table: table, now: now, late: late}
		for i := range in {
			p, err := batch.add(&in[i])
			if f, refused := fault.As(err); refused {
				failed = append(failed, refusedPayout{in[i].Payee(), f})
				continue
			}
			if err != nil {
				return err
			}
			list = append(list, p)
		}
		if len(list) == 0 {
			return errNoneMade
		}
		if by.Signature == "" || late {
			return nil
		}
		made := make([]string, len(list))
		for i, p := range list {
			made[i] = p.ID
		}
		return again(tx.AddMoneyRequest(store.MoneyRequest{Signature: by.Signature, Resources: made, At: now}))
	})
	if errors.Is(err, errNoneMade) {
		err = nil
	}
	for _, p := range list {
		a.tellEvents(p.ID)
	}
	return list, failed, err
}

// errNoneMade leaves no trace of a request all of which was refused.
var errNoneMade = errors.New("app: no payout was made")

// replayedPayouts finds what the same signed request made before: within a day
// that is the answer. Later, or when all of that was withdrawn, what it makes now
// waits for a release.
func (a *App) replayedPayouts(tx *store.Tx, by PayoutRequest, now time.Time) (list []*payout.Payout, late bool, err error) {
	if by.Signature == "" {
		return nil, false, nil
	}
	before, err := tx.MoneyRequest(by.Signature)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil || now.Sub(before.At) >= payout.SameSignature {
		return nil, err == nil, err
	}
	for _, id := range before.Resources {
		p, err := tx.Payout(id)
		if err != nil {
			return nil, false, err
		}
		if p.Merchant == by.Merchant.ID {
			list = append(list, p)
		}
	}
	if !slices.ContainsFunc(list, func(p *payout.Payout) bool { return p.Status != payout.Cancelled && p.Status != payout.Failed }) {
		return nil, true, nil
	}
	return list, false, nil
}

// payoutBatch is one request being taken in.
type payoutBatch struct {
	*App
	tx    *store.Tx
	by    PayoutRequest
	group string
	table *rate.Table
	now   time.Time
	late  bool // the same signed request was here before, and that is no answer any more
	mine  []string
}

func (b *payoutBatch) add(in *NewPayout) (*payout.Payout, error) {
	terms, err := b.terms(in)
	if err != nil {
		return nil, err
	}
	p := &payout.Payout{Merchant: b.by.Merchant.ID, APIToken: b.by.Token.Token, Group: b.group, Status: payout.New, Created: b.now, Terms: *terms}
	if same, err := b.same(p); err != nil || same != nil {
		return same, err
	}
	if b.late {
		p.Hold("the same signed request was sent before", 1)
	}
	if err := b.limit(p); err != nil {
		return nil, err
	}
	var err1, err2 error
	p.ID, err1 = b.newID()
	p.Token, err2 = b.newResourceToken()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	b.mine = append(b.mine, p.ID)
	return p, b.tx.AddPayout(p)
}

// terms checks one request and finds its recipient.
func (b *payoutBatch) terms(in *NewPayout) (*payout.Terms, error) {
	t := in.Terms
	cur, ok := money.Lookup(t.Currency)
	if !ok || cur.Sanctioned {
		return nil, fault.Invalid(fault.Invalid0, "currency", "%q is not a currency that can be paid out", t.Currency)
	}
	t.Currency = cur.Code
	if t.LedgerCurrency == "" {
		t.LedgerCurrency = b.by.Merchant.Settings.LedgerCurrency()
	}
	led, ok := money.Lookup(t.LedgerCurrency)
	if !ok {
		return nil, fault.Invalid(fault.Invalid0, "ledgerCurrency", "%q is not a currency", t.LedgerCurrency)
	}
	t.LedgerCurrency = led.Code
	var err error
	if t.Amount, err = money.ParseDecimal(cur, in.Amount); err != nil {
		return nil, fault.Invalid(fault.Invalid0, "amount", "%v", err)
	}
	if err := t.Check(b.whyNotURL, invoice.WhyNotEmail); err != nil {
		return nil, err
	}
	if err := b.enough(&t, cur); err != nil {
		return nil, err
	}
	if t.Effective.IsZero() {
		t.Effective = b.now
	}
	day := t.Effective.UTC()
	t.Effective = time.Date(day.Year(), day.Month(), day.Day(), 9, 0, 0, 0, time.UTC)
	if t.Effective.Before(b.now.AddDate(0, 0, -1)) || t.Effective.After(b.now.AddDate(1, 0, 0)) {
		return nil, fault.Invalid(fault.Invalid0, "effectiveDate", "it has to be from today to a year from now")
	}
	r, err := b.payee(in)
	if err != nil {
		return nil, err
	}
	t.Recipient, t.Email, t.Shopper = r.ID, r.Email, r.State.ShopperID
	if t.NotificationURL == "" {
		t.NotificationURL = b.by.Merchant.Settings.PayoutIPN
	}
	return &t, nil
}

// enough holds an amount against the least that is paid out.
func (b *payoutBatch) enough(t *payout.Terms, cur *money.Currency) error {
	usd, _ := money.Lookup("USD")
	value, err := b.table.Convert(t.Amount, cur, usd)
	if err != nil {
		return noRates(err)
	}
	if value.Cmp(money.NewUnits(payout.LeastCents)) < 0 {
		return fault.Invalid(fault.Invalid0, "amount", "%s %s is below the minimum of 5 USD", money.Format(cur, t.Amount), cur.Code)
	}
	return nil
}

// payee finds who is to be paid. An e-mail address that nobody has is invited;
// the payout waits until its recipient can be paid.
func (b *payoutBatch) payee(in *NewPayout) (*recipient.Recipient, error) {
	var r *recipient.Recipient
	var err error
	switch {
	case in.Recipient != "":
		r, err = b.tx.Recipient(in.Recipient)
	case in.Shopper != "":
		r, err = b.tx.RecipientByShopper(b.by.Merchant.ID, in.Shopper)
	case in.Email != "":
		r, err = b.tx.RecipientByEmail(b.by.Merchant.ID, in.Email)
		if errors.Is(err, store.ErrNotFound) {
			return b.inviteePayee(in.Email)
		}
	default:
		return nil, fault.Missing(fault.Missing0, "recipientId, shopperId or email")
	}
	missing := fault.New(fault.NotFound, "Recipient not found: %.60q", in.Payee())
	if err != nil {
		return nil, refine(err, missing)
	}
	switch {
	case r.Merchant != b.by.Merchant.ID:
		return nil, missing
	case r.Status == recipient.Paused || r.Status == recipient.Removed:
		return nil, fault.New(fault.Invalid0, "Invalid recipient: %s is %s and cannot be paid", r.Email, r.Status)
	}
	return r, nil
}

func (b *payoutBatch) inviteePayee(email string) (*recipient.Recipient, error) {
	who := recipient.Invitation{Email: email}
	if err := b.checkInvitations([]recipient.Invitation{who}); err != nil {
		return nil, fault.Invalid(fault.Invalid0, "email", "%.100q is not an e-mail address", email)
	}
	list, err := b.invite(b.tx, NewRecipients{Merchant: b.by.Merchant, Token: b.by.Token, List: []recipient.Invitation{who}})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// same finds the payout that this one repeats, or holds it. Members of one
// request do not repeat one another.
func (b *payoutBatch) same(p *payout.Payout) (*payout.Payout, error) {
	window := payout.SameContent
	if p.Terms.Reference != "" {
		window = payout.SameReference
	}
	list, err := b.tx.PayoutsLike(p.Merchant, p.Terms.Digest(), b.now.Add(-window))
	if err != nil {
		return nil, err
	}
	for _, first := range list {
		if b.isMine(first.ID) {
			continue
		}
		if p.Terms.Reference != "" {
			return first, nil
		}
		p.Hold("payout "+first.ID+" of a few minutes ago has the same content and neither has a reference", 1)
		return nil, nil
	}
	return nil, nil
}

func (b *payoutBatch) isMine(id string) bool {
	return slices.Contains(b.mine, id)
}

// limit holds what is so much that two people have to agree.
func (b *payoutBatch) limit(p *payout.Payout) error {
	above := b.by.Merchant.Settings.PayoutApproveAbove
	if above == 0 {
		return nil
	}
	cur, _ := money.Lookup(p.Terms.Currency)
	usd, _ := money.Lookup("USD")
	value, err := b.table.Convert(p.Terms.Amount, cur, usd)
	if err != nil {
		return noRates(err)
	}
	if value.Cmp(money.NewUnits(uint64(above))) >= 0 {
		p.Hold(fmt.Sprintf("it is worth %s USD or more, so two people have to release it", money.Format(usd, money.NewUnits(uint64(above)))), 2)
	}
	return nil
}

// Payout reads a merchant's payout; somebody else's does not exist.
func (a *App) Payout(ctx context.Context, merchantID, id string) (p *payout.Payout, err error) {
	missing := fault.New(fault.NotFound, "Payout not found")
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		p, err = tx.Payout(id)
		return refine(err, missing)
	})
	if err == nil && merchantID != "" && p.Merchant != merchantID {
		return nil, missing
	}
	return p, err
}

// Payouts returns one page, newest first.
func (a *App) Payouts(ctx context.Context, f store.PayoutFilter) (list []*payout.Payout, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.ListPayouts(f)
		return err
	})
	return list, err
}
