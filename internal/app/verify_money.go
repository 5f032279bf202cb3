package app

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/settlement"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// eachTransfer visits every transfer.
func (v *verification) eachTransfer(f *Finding, visit func(tx *store.Tx, t *transfer.Transfer) (string, error)) error {
	f.Of = "transfers"
	return v.view(func(tx *store.Tx) error {
		return tx.EachTransfer(func(t *transfer.Transfer) error {
			f.Checked++
			why, err := visit(tx, t)
			if f.Breach == "" {
				f.Breach = why
			}
			return err
		})
	})
}

// attempts: no two signed attempts at one transfer can both confirm.
func (v *verification) attempts(f *Finding) error {
	return v.eachTransfer(f, func(_ *store.Tx, t *transfer.Transfer) (string, error) {
		for i := range t.Attempts {
			for j := range t.Attempts[:i] {
				if !t.Attempts[i].Conflicts(&t.Attempts[j]) && !t.Replanned() {
					return fmt.Sprintf("attempts %d and %d at transfer %s share no input: both could confirm", j+1, i+1, t.ID), nil
				}
			}
		}
		return "", nil
	})
}

// intents: what was sent is on record, byte for byte.
func (v *verification) intents(f *Finding) error {
	return v.eachTransfer(f, func(_ *store.Tx, t *transfer.Transfer) (string, error) {
		a := t.Attempt()
		switch t.State {
		case transfer.Signed, transfer.Sent, transfer.Confirmed:
			if a == nil || a.Txid == "" || len(a.Raw) == 0 && !a.Seen {
				return fmt.Sprintf("transfer %s is %s and its signed bytes are not on record", t.ID, t.State), nil
			}
		}
		return "", nil
	})
}

// exact: each attempt pays its orders to the unit, and an order is in one transfer.
func (v *verification) exact(f *Finding) error {
	paid := map[string]string{}
	return v.eachTransfer(f, func(_ *store.Tx, t *transfer.Transfer) (string, error) {
		for i := range t.Attempts {
			if !t.Pays(&t.Attempts[i]) {
				return fmt.Sprintf("attempt %d at transfer %s does not pay what its orders say", i+1, t.ID), nil
			}
		}
		if t.State == transfer.Dropped {
			return "", nil
		}
		for _, m := range t.Members {
			if other, twice := paid[m.Order]; twice {
				return fmt.Sprintf("order %s is in transfers %s and %s", m.Order, other, t.ID), nil
			}
			paid[m.Order] = t.ID
		}
		return "", nil
	})
}

// reserved: what the books hold for money on its way is what is on its way.
func (v *verification) reserved(f *Finding) error {
	f.Of = "reserves"
	return v.view(func(tx *store.Tx) error {
		want := map[string]money.Units{} // by merchant/asset
		add := func(merchantID, asset string, u money.Units) {
			key := merchantID + "/" + asset
			want[key], _ = want[key].Add(u) // parts of balances
		}
		err := tx.EachOpenOrder(func(o *transfer.Order, left bool) error {
			if !left {
				add(o.Merchant, o.Currency, o.Value)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := tx.EachHeld(add); err != nil {
			return err
		}
		accounts, err := tx.Accounts("")
		if err != nil {
			return err
		}
		have := map[string]money.Delta{}
		for _, acc := range accounts {
			if acc.Name == ledger.Reserved {
				have[acc.Merchant+"/"+acc.Asset] = acc.Balance.Neg()
			}
		}
		keys := slices.Sorted(maps.Keys(want))
		for k := range have {
			if _, ok := want[k]; !ok {
				keys = append(keys, k)
			}
		}
		for _, k := range keys {
			f.Checked++
			if have[k].Cmp(want[k].Delta()) != 0 && f.Breach == "" {
				f.Breach = fmt.Sprintf("%s are reserved in %s, and %s are on their way", have[k], k, want[k])
			}
		}
		return nil
	})
}

// refunds: no invoice gave back more than came in.
func (v *verification) refunds(f *Finding) error {
	f.Of = "refunded invoices"
	return v.view(func(tx *store.Tx) error {
		return tx.EachRefunded(func(invoiceID, asset string, back money.Units) error {
			f.Checked++
			inv, err := tx.Invoice(invoiceID)
			if err != nil {
				return err
			}
			var in money.Units
			for i := range inv.Credits {
				if c := &inv.Credits[i]; c.Asset == asset {
					in, _ = in.Add(c.Amount) // within the chain's supply
				}
			}
			if back.Cmp(in) > 0 && f.Breach == "" {
				f.Breach = fmt.Sprintf("invoice %s got %s %s and gave back %s", invoiceID, in, asset, back)
			}
			return nil
		})
	})
}

// settlements: opening balance, entries and withholdings of each add up to its
// total, its entries to their sum, and it begins where the one before ended.
func (v *verification) settlements(f *Finding) error {
	f.Of = "settlements"
	return v.view(func(tx *store.Tx) error {
		list, err := tx.ListSettlements(store.SettlementFilter{Limit: 1 << 40})
		if err != nil {
			return err
		}
		slices.SortFunc(list, func(a, b *settlement.Settlement) int { return cmp.Compare(a.Terms.To, b.Terms.To) })
		ended := map[string]int64{}
		for _, s := range list {
			f.Checked++
			ledgerID := s.Merchant + "/" + s.Currency
			why, err := uneven(tx, s, ended[ledgerID])
			if err != nil {
				return err
			}
			if ended[ledgerID] = s.Terms.To; f.Breach == "" {
				f.Breach = why
			}
		}
		return nil
	})
}

// uneven says what of a settlement does not add up; empty: all does.
func uneven(tx *store.Tx, s *settlement.Settlement, ended int64) (string, error) {
	t := &s.Terms
	lines, err := tx.PeriodLines(s.Merchant, s.Currency, t.From, t.To)
	var sum money.Delta
	for _, l := range lines {
		if sum, err = sum.Add(l.Amount); err != nil {
			break
		}
	}
	total, err1 := t.Balance.Add(t.Sum)
	total, err2 := total.Sub(t.Withheld().Delta())
	switch {
	case errors.Join(err, err1, err2) != nil:
		return "", errors.Join(err, err1, err2)
	case sum.Cmp(t.Sum) != 0:
		return fmt.Sprintf("settlement %s says that its entries add up to %s, and they do to %s", s.ID, t.Sum, sum), nil
	case total.Cmp(t.Total.Delta()) != 0:
		return fmt.Sprintf("settlement %s: %s and %s less %s are not %s", s.ID, t.Balance, t.Sum, t.Withheld(), t.Total), nil
	case t.From != ended:
		return fmt.Sprintf("settlement %s begins after entry %d, and the one before ended with %d", s.ID, t.From, ended), nil
	}
	return "", nil
}

// tenants: nothing about one merchant is in a queue of another.
func (v *verification) tenants(f *Finding) error {
	return v.view(func(tx *store.Tx) (err error) {
		f.Of = "deliveries"
		f.Checked, f.Breach, err = tx.StrayDeliveries()
		return err
	})
}

// once: a guid names one resource.
func (v *verification) once(f *Finding) error {
	return v.view(func(tx *store.Tx) (err error) {
		f.Of = "guids"
		f.Checked, f.Breach, err = tx.RepeatedGUIDs()
		return err
	})
}

// outbox: the events of each resource are numbered without a gap.
func (v *verification) outbox(f *Finding) error {
	return v.view(func(tx *store.Tx) (err error) {
		f.Of = "resources with events"
		f.Checked, f.Breach, err = tx.EventGaps()
		return err
	})
}
