package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// What a settlement has to be worth at least, unless the merchant says otherwise:
// the two published figures.
const (
	leastSettlementCents = 2000      // 20 US dollars
	leastSettlementSat   = 1_000_000 // 0.01 bitcoin
)

// Settle closes the periods that have ended, of every merchant's ledgers. It may
// run in several processes at once: a period is closed once.
func (a *App) Settle(ctx context.Context) error {
	list, err := a.Merchants(ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		ledgers, lerr := a.Ledgers(ctx, m)
		err = errors.Join(err, lerr)
		for _, l := range ledgers {
			if l.Amount.Sign() <= 0 || m.Settings.SettlementRail == "off" {
				continue
			}
			if _, serr := a.settle(ctx, m, l.Currency, false); serr != nil {
				err = errors.Join(err, fmt.Errorf("ledger %s of %s: %w", l.Currency, m.ID, serr))
			}
		}
	}
	return err
}

// SettleNow closes the present period of a ledger at this moment, for an operator
// or a trial. It returns nil when there is nothing to settle.
func (a *App) SettleNow(ctx context.Context, m *merchant.Merchant, currency string) (*settlement.Settlement, error) {
	return a.settle(ctx, m, currency, true)
}

// settle closes the period of one ledger, at the last end of the schedule or now.
func (a *App) settle(ctx context.Context, m *merchant.Merchant, currency string, now bool) (*settlement.Settlement, error) {
	cur, ok := money.Lookup(currency)
	if !ok {
		return nil, fmt.Errorf("%q is not a currency", currency)
	}
	schedule, err := settlement.ParseSchedule(m.Settings.SettlementTime, !cur.IsFiat())
	if err != nil {
		return nil, err
	}
	at := a.now()
	until := schedule.Last(at)
	if now {
		until = at
	}
	least, err := a.leastSettlement(m, cur)
	if err != nil {
		return nil, err
	}
	id, err1 := a.newID()
	token, err2 := a.newResourceToken()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	var fees map[string]money.Units // of the rail that sends
	if settlement.Rail(m.Settings.SettlementRail) == settlement.Wallet {
		fees = a.networkFees(ctx)
	}
	var made *settlement.Settlement
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		made = nil
		s := &settlement.Settlement{ID: id, Merchant: m.ID, Token: token, Currency: cur.Code, Status: settlement.New, Created: at}
		if ok, err := a.closePeriod(tx, s, m, until, least); err != nil || !ok {
			return err
		}
		var wallet *merchant.Wallet
		if s.Terms.Rail == settlement.Wallet {
			if wallet, err = a.settleTo(tx, s, m, at); err != nil {
				return err
			}
			if err := a.chargeSettlement(tx, s, wallet, fees, until); err != nil {
				return err
			}
			if ok, err := a.closePeriod(tx, s, m, until, least); err != nil || !ok {
				return errors.Join(err, errNotWorth)
			}
		}
		if err := a.payOut(tx, s, wallet, at); err != nil {
			return err
		}
		made = s
		return tx.AddSettlement(s)
	})
	if errors.Is(err, store.ErrExists) || errors.Is(err, errNotWorth) {
		return nil, nil // another process closed it, or there is too little
	}
	if err == nil && made != nil {
		a.tellEvents(made.ID)
	}
	return made, err
}

// leastSettlement is the minimum in smallest units of a currency.
func (a *App) leastSettlement(m *merchant.Merchant, cur *money.Currency) (money.Units, error) {
	if cur.Code == "BTC" && m.Settings.SettlementMinimum == 0 {
		return money.NewUnits(leastSettlementSat), nil
	}
	cents := uint64(leastSettlementCents)
	if m.Settings.SettlementMinimum > 0 {
		cents = uint64(m.Settings.SettlementMinimum)
	}
	usd, _ := money.Lookup("USD")
	if cur.Code == usd.Code {
		return money.NewUnits(cents), nil
	}
	table, err := a.Rates.Current()
	if err != nil {
		return money.Units{}, err
	}
	return table.Convert(money.NewUnits(cents), usd, cur)
}

// closePeriod fills in what the period brought. ok is false when there is not
// enough to settle: then the period goes on.
func (a *App) closePeriod(tx *store.Tx, s *settlement.Settlement, m *merchant.Merchant, until time.Time, least money.Units) (ok bool, err error) {
	t := &s.Terms
	t.Rail, t.Opening = settlement.Rail(m.Settings.SettlementRail), m.Created
	if t.Rail == "" {
		t.Rail = settlement.Book
	}
	last, err := tx.LastSettlement(m.ID, s.Currency)
	switch {
	case err == nil:
		t.From, t.Opening = last.Terms.To, last.Terms.Closing
		if t.Balance, err = last.Terms.Balance.Add(last.Terms.Sum); err != nil {
			return false, err
		}
	case !errors.Is(err, store.ErrNotFound):
		return false, err
	}
	if t.Sum, t.To, t.Closing, err = tx.PeriodSum(m.ID, s.Currency, t.From, until); err != nil || t.To == t.From {
		return false, err
	}
	if t.Withholdings, err = a.withheld(tx, m, s.Currency); err != nil {
		return false, err
	}
	if ok, err = t.Reckon(least); err != nil || !ok {
		return false, err
	}
	have, err := tx.Balance(m.ID, ledger.Merchant, s.Currency)
	if err != nil {
		return false, err
	}
	if have = have.Neg(); have.Cmp(t.Total.Delta()) >= 0 {
		return true, nil
	}
	// Less is left than at the end of the period: what was spent since is taken in.
	if t.Sum, t.To, t.Closing, err = tx.PeriodSum(m.ID, s.Currency, t.From, time.Time{}); err != nil {
		return false, err
	}
	return t.Reckon(least)
}

// withheld is what stays in the ledger for refunds that are promised.
func (a *App) withheld(tx *store.Tx, m *merchant.Merchant, currency string) ([]settlement.Withholding, error) {
	list, err := tx.OpenRefunds(m.ID)
	if err != nil {
		return nil, err
	}
	var sum money.Units
	for _, r := range list {
		if !r.Terms.FromCredit || r.State.Entry != "" {
			continue
		}
		inv, err := tx.Invoice(r.Invoice)
		if err != nil {
			return nil, err
		}
		if inv.State.Entry == "" {
			continue
		}
		cur, value, fee, err := a.refundValue(tx, r, inv)
		if err != nil {
			return nil, err
		}
		if cur != currency {
			continue
		}
		sum, _ = sum.Add(value)
		if !r.Terms.BuyerPays {
			sum, _ = sum.Add(fee)
		}
	}
	if sum.IsZero() {
		return nil, nil
	}
	return []settlement.Withholding{settlement.PendingRefunds(sum)}, nil
}

// errNotWorth means that too little is left once the network is paid.
var errNotWorth = errors.New("app: the network's cost leaves less than the minimum")

// payOut takes the money from the balance and puts it on its rail; wallet is that
// of the wallet rail.
func (a *App) payOut(tx *store.Tx, s *settlement.Settlement, wallet *merchant.Wallet, now time.Time) error {
	code, other := ledger.AccountSettlement, ledger.Reserved
	switch {
	case s.Terms.Rail == settlement.Book:
		other = ledger.Settled
	case wallet != nil && wallet.Network != "main":
		code = ledger.TestnetSettlement
	}
	e := ledger.New(ledger.Settlement, "settlement/"+s.ID, s.Merchant, now).
		Line(s.Currency, s.Terms.Total.Delta().Neg(), code, "Account Settlement "+s.ID).
		Credit(other, s.Currency, s.Terms.Total)
	e.Refs = ledger.Refs{Settlement: s.ID}
	if err := a.post(tx, e); err != nil {
		return err
	}
	s.State.Entry = e.ID
	switch s.Terms.Rail {
	case settlement.Book:
		return s.Move(settlement.Kept, now)
	case settlement.Manual:
		return nil
	}
	return a.queueSettlement(tx, s, wallet, now)
}

// chargeSettlement has the merchant bear the network's cost, as it is quoted now. It
// is the last entry of the period that ends.
func (a *App) chargeSettlement(tx *store.Tx, s *settlement.Settlement, w *merchant.Wallet, fees map[string]money.Units, end time.Time) error {
	fee, known := fees[w.Asset]
	if asset, ok := a.Asset(w.Asset); !known && ok && asset.Sender != nil {
		return fmt.Errorf("the network's fee for %s cannot be estimated at present", w.Asset)
	}
	cur := s.Currency
	if cur != w.Asset {
		fee, _ = a.worth(w.Asset, cur, fee)
	}
	if fee.IsZero() {
		return nil
	}
	e := ledger.New(ledger.Settlement, "settlement/"+s.ID+"/fee", s.Merchant, end).
		Line(cur, fee.Delta().Neg(), ledger.SettlementFee, "Account Settlement "+s.ID).Credit(ledger.NetworkCharged, cur, fee)
	e.Refs = ledger.Refs{Settlement: s.ID}
	return a.post(tx, e)
}

// settleTo finds the wallet and the address that a settlement is sent from and to.
func (a *App) settleTo(tx *store.Tx, s *settlement.Settlement, m *merchant.Merchant, now time.Time) (*merchant.Wallet, error) {
	address := m.Settings.PayTo(now)
	if address == "" {
		return nil, errors.New("the merchant has no confirmed address to settle to: `quittance settlement address` sets one, and it counts 24 hours after it was confirmed")
	}
	wallets, err := tx.Wallets(m.ID)
	if err != nil {
		return nil, err
	}
	for _, w := range wallets {
		if asset, ok := a.Asset(w.Asset); ok && asset.Spending != nil {
			if _, err := asset.Spending.Destination(address); err == nil {
				s.Terms.Address, s.Terms.Asset = address, w.Asset
				return w, nil
			}
		}
	}
	return nil, fmt.Errorf("none of the merchant's wallets can send to %s", address)
}

func (a *App) queueSettlement(tx *store.Tx, s *settlement.Settlement, w *merchant.Wallet, now time.Time) error {
	asset, _ := a.Asset(w.Asset)
	to, err := asset.Spending.Destination(s.Terms.Address)
	if err != nil {
		return err
	}
	id, err := a.newID()
	if err != nil {
		return err
	}
	o := &transfer.Order{
		ID: id, Merchant: s.Merchant, Wallet: w.ID, Asset: w.Asset, Chain: asset.Chain, Kind: transfer.Settlement, Resource: s.ID,
		Address: s.Terms.Address, To: to, Currency: s.Currency, Value: s.Terms.Total, State: transfer.Queued, Created: now,
	}
	if s.Currency == w.Asset {
		o.Gross = s.Terms.Total
	}
	s.State.Order = id
	return tx.AddOrder(o)
}

// settlementMoved follows the transaction that pays a settlement.
func (a *App) settlementMoved(tx *store.Tx, o *transfer.Order, t *transfer.Transfer, now time.Time) error {
	s, err := tx.Settlement(o.Resource)
	if err != nil {
		return err
	}
	before := s.Status
	switch {
	case t.State == transfer.Sent && s.Status == settlement.New:
		err = s.Move(settlement.Sent, now)
	case t.State == transfer.Sent && s.Status == settlement.Completed:
		err = s.Move(settlement.Unconfirmed, now)
	case t.State == transfer.Confirmed && s.Status == settlement.Processing:
		err = s.Move(settlement.Confirmed, now)
	case t.State == transfer.Dropped && s.Status == settlement.New:
		err = a.rejectSettlement(tx, s, t.Problem, now)
	}
	if err != nil || s.Status == before {
		return err
	}
	if att := t.Attempt(); att != nil && att.Txid != "" {
		s.State.Txid = att.Txid
	}
	return tx.SetSettlement(s)
}

// rejectSettlement gives the money back to the balance.
func (a *App) rejectSettlement(tx *store.Tx, s *settlement.Settlement, why string, now time.Time) error {
	if err := s.Move(settlement.Failed, now); err != nil {
		return err
	}
	s.State.Problem = why
	e := ledger.New(ledger.Release, "settlement/"+s.ID+"/rejected", s.Merchant, now).
		Debit(ledger.Reserved, s.Currency, s.Terms.Total).
		Line(s.Currency, s.Terms.Total.Delta(), ledger.SettlementReversal, "Account Settlement "+s.ID)
	e.Refs = ledger.Refs{Settlement: s.ID}
	return a.post(tx, e)
}

// MarkSettlement is the operator's word about a settlement by bank: paid, with
// what the bank took, or come back.
func (a *App) MarkSettlement(ctx context.Context, id string, paid bool, fee money.Units, why string) (s *settlement.Settlement, err error) {
	now := a.now()
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if s, err = tx.Settlement(id); errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("no settlement has the id %q: `quittance settlement list` shows them", id)
		}
		if err != nil {
			return err
		}
		if s.Terms.Rail != settlement.Manual {
			return fmt.Errorf("settlement %s is by %s: only one by bank is marked by hand", id, s.Terms.Rail)
		}
		if !paid {
			if err := a.rejectSettlement(tx, s, why, now); err != nil {
				return fmt.Errorf("settlement %s is %s: %w", id, s.Status, err)
			}
			return tx.SetSettlement(s)
		}
		if err := s.Move(settlement.Paid, now); err != nil {
			return fmt.Errorf("settlement %s is %s already", id, s.Status)
		}
		e := ledger.New(ledger.Settlement, "settlement/"+s.ID+"/paid", s.Merchant, now).
			Debit(ledger.Reserved, s.Currency, s.Terms.Total).Credit(ledger.Settled, s.Currency, s.Terms.Total).
			Line(s.Currency, fee.Delta().Neg(), ledger.WireFee, "").Credit(ledger.Settled, s.Currency, fee)
		e.Refs = ledger.Refs{Settlement: s.ID}
		if err := a.post(tx, e); err != nil {
			return err
		}
		return tx.SetSettlement(s)
	})
	return s, err
}
