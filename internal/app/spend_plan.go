package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// plan takes what waits in the wallet's queue into one transaction and returns
// the transfer's id, empty when nothing can leave now.
func (s *spender) plan(ctx context.Context) (string, error) {
	var orders []*transfer.Order
	var coins []*store.Coin
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if orders, err = tx.QueuedOrders(s.wallet.ID, s.now(), orderBatch); err != nil {
			return err
		}
		orders = orders[:transfer.Together(orders)]
		coins, err = s.lasting(tx)
		return err
	})
	if err != nil || len(orders) == 0 {
		return "", err
	}
	orders, err = s.price(ctx, orders)
	if err != nil || len(orders) == 0 {
		return "", err
	}
	if err := s.at("plan/before"); err != nil {
		return "", err
	}
	if err := s.checkSolvent(ctx); err != nil {
		return "", err
	}
	o, orders, err := s.fit(ctx, orders, coins)
	if err != nil || o == nil {
		return "", err
	}
	change, addr, err := s.newChange(ctx)
	if err != nil {
		return "", err
	}
	o.Change = change
	p, err := s.asset.Spending.Plan(*o)
	if err != nil {
		return "", err
	}
	id, err := s.newID()
	if err != nil {
		return "", err
	}
	if err := s.at("plan/chosen"); err != nil {
		return "", err
	}
	t := transfer.Plan(id, orders, s.token, s.now())
	if err := t.Add(p, change.Index); err != nil {
		return "", err
	}
	s.tellAddress(s.asset.Chain, addr)
	err = s.reserve(ctx, t, orders, store.ChangeAddress{
		Chain: s.asset.Chain, Destination: addr, Wallet: s.wallet.ID, Index: change.Index, Created: s.now(),
	})
	if errors.Is(err, errTaken) {
		return "", nil // somebody was faster; the next round sees what is left
	}
	if err != nil {
		return "", err
	}
	return id, s.at("plan/stored")
}

// lasting lists the coins that can be spent and will be there. Change that waits,
// of a transfer with several attempts, is not among them: another attempt may
// still be mined in place of the one that made it. Neither is what hurries a
// stranger's transaction along, which may be replaced.
func (s *spender) lasting(tx *store.Tx) ([]*store.Coin, error) {
	list, err := tx.SpendableCoins(s.wallet.ID)
	if err != nil {
		return nil, err
	}
	out := list[:0]
	for _, c := range list {
		if c.State == store.CoinGone {
			continue // something foreign took the place of what made it
		}
		if !c.Confirmed {
			t, err := tx.TransferOf(c.Chain, c.Txid)
			if errors.Is(err, store.ErrNotFound) || err == nil && (len(t.Attempts) > 1 || t.Lifts()) {
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// checkSolvent holds the wallet's coins against its account before anything
// leaves; if they differ, nothing leaves at all any more.
func (s *spender) checkSolvent(ctx context.Context) error {
	why := ""
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		why, err = s.insolvent(tx, s.wallet.Merchant, s.wallet.ID, s.wallet.Asset)
		return err
	})
	if err != nil || why == "" {
		return err
	}
	return errors.Join(s.Lock(ctx, "solvent", why), errors.New(why))
}

// errTaken means that a coin or an order that was planned with is not free any more.
var errTaken = errors.New("app: a coin or an order was taken meanwhile")

// reserve stores the transfer: its coins, its orders and where its change goes,
// in one transaction. A lock on money out is looked at in there too.
func (s *spender) reserve(ctx context.Context, t *transfer.Transfer, orders []*transfer.Order, change store.ChangeAddress) error {
	versions := make([]int64, len(orders))
	for i, o := range orders {
		versions[i] = o.Version
	}
	return s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.free(tx); err != nil {
			return err
		}
		for _, c := range t.Attempts[0].Inputs {
			if err := tx.ReserveCoin(t.Chain, c.Outpoint, t.ID); err != nil {
				return taken(err)
			}
		}
		for i, o := range orders {
			o.Version, o.State, o.Transfer, o.Problem = versions[i], transfer.Taken, t.ID, ""
			if err := tx.SetOrder(o); err != nil {
				return taken(err)
			}
		}
		if err := tx.AddChangeAddress(change); err != nil {
			return err
		}
		return tx.AddTransfer(t)
	})
}

// taken keeps a plan that is out of date from being tried again as it is.
func taken(err error) error {
	if errors.Is(err, store.ErrChanged) {
		return errTaken
	}
	return err
}

// newChange takes a destination for the rest. It is not used twice, even if
// nothing comes of the plan.
func (s *spender) newChange(ctx context.Context) (p chain.Path, destination []byte, err error) {
	p.Change = true
	err = s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		p.Index, err = tx.NextChange(s.wallet.ID)
		return err
	})
	if err == nil {
		err = s.noteIndices(s.wallet.ID, 0, p.Index+1)
	}
	if err == nil {
		_, destination, err = s.asset.Spending.Own(s.account(), p)
	}
	return p, destination, err
}

func (s *spender) account() chain.Account {
	return chain.Account{XPub: s.wallet.XPub, Kind: s.wallet.Kind, Origin: s.wallet.Origin}
}

// outlay is what every transaction of the wallet has in common.
func (s *spender) outlay(ctx context.Context) chain.Outlay {
	return chain.Outlay{Account: s.account(), Origin: s.origins(ctx), Full: s.wallet.Custody() != merchant.InProcess}
}

// origins reads the transactions that made the wallet's coins, each once; nil where
// the back end cannot.
func (s *spender) origins(ctx context.Context) func(chain.Outpoint) ([]byte, error) {
	from, ok := s.asset.Sender.(chain.Origins)
	if !ok {
		return nil
	}
	known := map[string][]byte{}
	return func(o chain.Outpoint) ([]byte, error) {
		if raw := known[o.Txid]; raw != nil {
			return raw, nil
		}
		block := ""
		err := s.Store.View(ctx, func(tx *store.Tx) error {
			c, err := tx.Coin(s.asset.Chain, o)
			if err == nil {
				block = c.Block.Hash
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		raw, err := from.Origin(ctx, o.Txid, block)
		known[o.Txid] = raw
		return raw, err
	}
}

func outputs(orders []*transfer.Order) []chain.Output {
	out := make([]chain.Output, len(orders))
	for i, o := range orders {
		out[i] = chain.Output{To: o.To, Amount: o.Amount()}
	}
	return out
}

func sentence(err error) string {
	return strings.TrimPrefix(err.Error(), "chain: ")
}

// hold notes why orders wait.
func (s *spender) hold(ctx context.Context, orders []*transfer.Order, why string) error {
	orders = slices.DeleteFunc(slices.Clone(orders), func(o *transfer.Order) bool { return o.Problem == why })
	if len(orders) == 0 {
		return nil
	}
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		for _, o := range orders {
			now, err := tx.Order(o.ID)
			if err != nil {
				return err
			}
			if now.State != transfer.Queued {
				continue
			}
			now.Problem = why
			if err := tx.SetOrder(now); err != nil {
				return err
			}
		}
		return nil
	})
	s.Log.Warn("payments out wait", "wallet", s.wallet.ID, "orders", len(orders), "why", why)
	return err
}

// price fixes what each order is in the asset, at the rate of now. Orders that
// have no price at present wait.
func (s *spender) price(ctx context.Context, orders []*transfer.Order) ([]*transfer.Order, error) {
	if !slices.ContainsFunc(orders, func(o *transfer.Order) bool { return !o.Fixed() }) {
		return orders, nil
	}
	table, err := s.Rates.Current()
	if err != nil {
		return nil, s.hold(ctx, orders, "it waits for a trustworthy exchange rate: "+err.Error())
	}
	asset, _ := money.Lookup(s.asset.Code)
	ready := orders[:0:0]
	for _, o := range orders {
		if o.Fixed() {
			ready = append(ready, o)
			continue
		}
		value, code := o.Value, o.Currency
		if o.PriceCurrency != "" {
			value, code = o.Price, o.PriceCurrency
		}
		cur, ok := money.Lookup(code)
		if !ok {
			return nil, fmt.Errorf("order %s: %q is not a currency", o.ID, code)
		}
		if o.Gross, err = table.Convert(value, cur, asset); err != nil {
			if err := s.hold(ctx, []*transfer.Order{o}, "it waits for an exchange rate: "+err.Error()); err != nil {
				return nil, err
			}
			continue
		}
		o.Rates = s.quoted.rates(table, asset.Code, cur.Code)
		ready = append(ready, o)
	}
	return ready, nil
}
