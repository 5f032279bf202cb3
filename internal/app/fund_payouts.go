package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// payoutVSize is the size in virtual bytes that one payout's share of a
// transaction is reckoned with: its output, and an input.
const payoutVSize = 110

// FundPayouts takes what is due out of the ledgers, as far as they cover it, and
// queues the payments. What is not covered waits.
func (a *App) FundPayouts(ctx context.Context) error {
	ids, err := a.payoutsDue(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	table, err := a.Rates.Current()
	if err != nil {
		return nil // without prices nothing is funded; it is tried again
	}
	fees := a.networkFees(ctx)
	var failed error
	for _, id := range ids {
		if err := a.fundPayout(ctx, id, table, fees); err != nil {
			failed = errors.Join(failed, fmt.Errorf("payout %s: %w", id, err))
		}
	}
	return failed
}

// payoutsDue lists the payouts whose time has come, of all merchants. Most of what
// waits does so for its day: that takes no transaction each, nor anybody's place.
func (a *App) payoutsDue(ctx context.Context) (ids []string, err error) {
	now := a.now()
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		ids = nil
		list, err := tx.NewPayouts()
		if err != nil {
			return err
		}
		merchants := map[string]*merchant.Merchant{}
		for _, p := range list {
			m := merchants[p.Merchant]
			if m == nil {
				if m, err = tx.Merchant(p.Merchant); err != nil {
					return err
				}
				merchants[p.Merchant] = m
			}
			if why, err := notYet(p, m, now); err != nil || why == notDue || why != "" && why == p.State.Problem {
				continue // one that cannot be read stands in nobody's way
			}
			ids = append(ids, p.ID)
		}
		return nil
	})
	return ids, err
}

// notYet says whether a payout is held, or waits for its day.
func notYet(p *payout.Payout, m *merchant.Merchant, now time.Time) (string, error) {
	if p.State.Held != "" {
		return "it is held: " + p.State.Held, nil
	}
	runs, err := payout.ParseRuns(m.Settings.PayoutRuns)
	if err != nil {
		return "", err
	}
	effective := p.Terms.Effective
	if len(runs) == 0 && effective.Format(time.DateOnly) == now.Format(time.DateOnly) {
		effective = p.Created // at once means today, before nine too
	}
	if !runs.Due(p.Created, effective, now) {
		return notDue, nil
	}
	return "", nil
}

// networkFees is what one payment's share of a transaction costs at present, by
// asset. One that cannot be estimated now is missing.
func (a *App) networkFees(ctx context.Context) map[string]money.Units {
	fees := map[string]money.Units{}
	for i := range a.Assets {
		if x := &a.Assets[i]; x.Sender != nil {
			rate, err := x.Sender.FeeRate(ctx, confirmIn)
			if err != nil {
				// Payouts in this asset wait; those in others go on.
				a.Log.Error("estimate the network fee; it is tried again", "asset", x.Code, "error", err)
				continue
			}
			fees[x.Code] = money.NewUnits((rate*payoutVSize + 999) / 1000)
		}
	}
	return fees
}

// funding is one payout being funded.
type funding struct {
	p      *payout.Payout
	m      *merchant.Merchant
	wallet *merchant.Wallet
	asset  *Asset
	to     string // the recipient's address
	dest   []byte
	value  money.Units // in the ledger's currency
	fee    money.Units // ours and the network's, in the ledger's currency
	share  money.Units // our part of the fee
}

func (a *App) fundPayout(ctx context.Context, id string, table *rate.Table, fees map[string]money.Units) error {
	now := a.now()
	waits := ""
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Payout(id)
		if err != nil || p.Status != payout.New {
			return err
		}
		f := &funding{p: p}
		if waits, err = a.fundable(tx, f, now); err != nil || waits != "" {
			return a.notePayout(tx, p, waits, err)
		}
		if waits, err = a.priceFunding(f, table, fees); err != nil || waits != "" {
			return a.notePayout(tx, p, waits, err)
		}
		return a.fund(tx, f, table, now)
	})
	var short *ledger.Insufficient
	if errors.As(err, &short) {
		cur, _ := money.Lookup(short.Asset)
		waits = fmt.Sprintf("the %s ledger has %s, and %s are needed", short.Asset, money.Format(cur, short.Have), money.Format(cur, short.Need))
		return a.Store.Update(ctx, func(tx *store.Tx) error {
			p, err := tx.Payout(id)
			if err != nil || p.Status != payout.New {
				return err
			}
			return a.notePayout(tx, p, waits, nil)
		})
	}
	if err == nil && waits == "" {
		a.tellEvents(id)
	}
	return err
}

// notDue is why most payouts wait; it is not worth a note.
const notDue = "it is not its time yet"

func (a *App) notePayout(tx *store.Tx, p *payout.Payout, why string, err error) error {
	if err != nil || why == notDue || p.State.Problem == why {
		return err
	}
	p.State.Problem = why
	return tx.SetPayout(p)
}

// fundable says what a payout still waits for.
func (a *App) fundable(tx *store.Tx, f *funding, now time.Time) (string, error) {
	var err error
	if f.m, err = tx.Merchant(f.p.Merchant); err != nil {
		return "", err
	}
	if why, err := notYet(f.p, f.m, now); err != nil || why != "" {
		return why, err
	}
	r, err := tx.Recipient(f.p.Terms.Recipient)
	if err != nil {
		return "", err
	}
	if r.Status != recipient.Active {
		return fmt.Sprintf("the recipient is %s and cannot be paid yet", r.Status), nil
	}
	wallets, err := tx.Wallets(f.p.Merchant)
	if err != nil {
		return "", err
	}
	for _, w := range wallets {
		asset, ok := a.Asset(w.Asset)
		if _, has := r.AddressAt(w.Asset, now); !ok || !has || asset.Spending == nil {
			continue
		}
		f.wallet, f.asset = w, asset
		if f.to, f.dest, err = a.PayoutAddress(r, w.Asset, now); err != nil {
			return "the recipient's address cannot be used: " + err.Error(), nil
		}
		return "", nil
	}
	return "the recipient has no address in anything that the merchant's wallets hold", nil
}

// priceFunding reckons what the ledger pays.
func (a *App) priceFunding(f *funding, table *rate.Table, fees map[string]money.Units) (string, error) {
	t := &f.p.Terms
	from, _ := money.Lookup(t.Currency)
	led, _ := money.Lookup(t.LedgerCurrency)
	asset, _ := money.Lookup(f.asset.Code)
	var err error
	if f.value = t.Amount; from.Code != led.Code {
		if f.value, err = table.Due(t.Amount, from, led); err != nil {
			return "it waits for an exchange rate: " + err.Error(), nil
		}
	}
	network, known := fees[asset.Code]
	if !known && f.asset.Sender != nil {
		return "the network's fee cannot be estimated at present", nil
	}
	if asset.Code != led.Code && !network.IsZero() {
		if network, err = table.Due(network, asset, led); err != nil {
			return "it waits for an exchange rate: " + err.Error(), nil
		}
	}
	if f.share, err = share(f.value, uint64(f.m.Settings.PayoutFeeBasisPoints)); err != nil {
		return "", err
	}
	f.fee, err = f.share.Add(network)
	if err != nil {
		return "", err
	}
	gross, err := table.Convert(t.Amount, from, asset)
	if err != nil {
		return "it waits for an exchange rate: " + err.Error(), nil
	}
	least := f.asset.Keys.Dust(f.dest)
	if three, err := least.Add(least); err == nil {
		least, _ = three.Add(least)
	}
	if gross.Cmp(least) < 0 {
		return "it is worth less than the network carries", nil
	}
	return "", nil
}

// fund takes the money from the ledger and queues the payment.
func (a *App) fund(tx *store.Tx, f *funding, table *rate.Table, now time.Time) error {
	p, cur := f.p, f.p.Terms.LedgerCurrency
	if err := a.cover(tx, f, table, now); err != nil {
		return err
	}
	network, err := f.fee.Sub(f.share)
	if err != nil {
		return err
	}
	e := ledger.New(ledger.Reserve, "payout/"+p.ID, p.Merchant, now).
		Line(cur, f.value.Delta().Neg(), ledger.PayoutFunding, "PayoutRequest "+p.ID).Credit(ledger.Reserved, cur, f.value).
		Line(cur, f.fee.Delta().Neg(), ledger.PayoutFee, "").Credit(ledger.Fees, cur, f.share).Credit(ledger.NetworkCharged, cur, network)
	e.Refs = ledger.Refs{Payout: p.ID}
	if err := a.post(tx, e); err != nil {
		return err
	}
	id, err := a.newID()
	if err != nil {
		return err
	}
	o := &transfer.Order{
		ID: id, Merchant: p.Merchant, Wallet: f.wallet.ID, Asset: f.asset.Code, Chain: f.asset.Chain, Kind: transfer.Payout, Resource: p.ID,
		Address: f.to, To: f.dest, Currency: cur, Value: f.value, State: transfer.Queued, Created: now,
	}
	switch p.Terms.Currency {
	case f.asset.Code:
		o.Gross = p.Terms.Amount
	case cur:
	default:
		o.Price, o.PriceCurrency = p.Terms.Amount, p.Terms.Currency
	}
	if err := tx.AddOrder(o); err != nil {
		return err
	}
	p.State.Entry, p.State.Order, p.State.Asset, p.State.Problem = e.ID, id, f.asset.Code, ""
	if err := p.Move(payout.Fund, now); err != nil {
		return err
	}
	return a.savePayout(tx, p, now)
}

// cover fills up the ledger from another one of the merchant's that has enough,
// at the rate of now, if the one that is to pay has not.
func (a *App) cover(tx *store.Tx, f *funding, table *rate.Table, now time.Time) error {
	cur := f.p.Terms.LedgerCurrency
	need, err := f.value.Add(f.fee)
	if err != nil {
		return err
	}
	have, err := tx.Balance(f.p.Merchant, ledger.Merchant, cur)
	if err != nil {
		return err
	}
	lack, err := need.Delta().Add(have) // the balance is a credit: negative
	if err != nil || lack.Sign() <= 0 {
		return err
	}
	accounts, err := tx.Accounts(f.p.Merchant)
	if err != nil {
		return err
	}
	to, _ := money.Lookup(cur)
	for _, acc := range accounts {
		from, ok := money.Lookup(acc.Asset)
		if !ok || acc.Name != ledger.Merchant || acc.Asset == cur || acc.Balance.Sign() >= 0 {
			continue
		}
		cost, err := table.Due(lack.Abs(), to, from)
		if err != nil || acc.Balance.Abs().Cmp(cost) < 0 {
			continue
		}
		e := ledger.New(ledger.Adjustment, "payout/"+f.p.ID+"/cover", f.p.Merchant, now).
			Line(from.Code, cost.Delta().Neg(), ledger.PayoffNegative, "").Credit(ledger.Exchange, from.Code, cost).
			Debit(ledger.Exchange, cur, lack.Abs()).Line(cur, lack, ledger.PayoffNegative, "")
		e.Refs = ledger.Refs{Payout: f.p.ID}
		return a.post(tx, e)
	}
	return nil // the entry itself says what is missing
}
