package app

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// TestAmount is a small payment to an address that is to be proven. ID names it:
// however often it is handed over, it is to be paid once.
type TestAmount struct {
	ID        string
	Merchant  string
	Recipient string
	Asset     string
	Address   string
	Amount    money.Units // smallest units
}

// The bounds of a test amount above the dust limit, in smallest units.
const testLeast, testSpan = 1_000, 9_000

// StartTestAmount sends a random small amount to the address that was given. The
// amount is stored before it is sent; asking again hands over the same payment.
func (a *App) StartTestAmount(ctx context.Context, link, nonce string) (*recipient.Recipient, error) {
	if a.TestAmount == nil {
		return nil, fault.New(fault.Invalid0, "A test amount is not available on this server. Sign the text with your wallet instead")
	}
	id, err := a.newID()
	if err != nil {
		return nil, err
	}
	extra, err := rand.Int(a.Rand, big.NewInt(testSpan))
	if err != nil {
		return nil, err
	}
	var t TestAmount
	r, err := a.byLink(ctx, link, func(_ *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		c, err := r.Pending(nonce)
		if err != nil {
			return nil, err
		}
		amount, err := a.testAmount(c, extra.Uint64())
		if err != nil {
			return nil, err
		}
		test, err := r.StartTest(id, amount)
		if err != nil {
			return nil, err
		}
		t = TestAmount{ID: test.ID, Merchant: r.Merchant, Recipient: r.ID, Asset: c.Asset, Address: c.Address, Amount: test.Amount}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	if err := a.TestAmount(ctx, t); err != nil {
		a.Log.Error("a test amount could not be handed over", "recipient", t.Recipient, "test", t.ID, "error", err)
		return r, fault.New(fault.Invalid0, "The test amount could not be sent now. Try again later, or sign the text instead")
	}
	return r, nil
}

// testAmount is random and large enough for the network to carry.
func (a *App) testAmount(c *recipient.Candidate, extra uint64) (money.Units, error) {
	x, ok := a.Asset(c.Asset)
	if !ok || x.Spending == nil {
		return money.Units{}, fault.New(fault.Invalid0, "%s cannot be sent from this server", c.Asset)
	}
	destination, err := x.Spending.Destination(c.Address)
	if err != nil {
		return money.Units{}, err
	}
	return x.Keys.Dust(destination).Add(money.NewUnits(testLeast + extra))
}

// ReadTestAmount takes the address over if the amount is the one that was sent.
// amount is in the asset, such as 0.00001234, or in its smallest units.
func (a *App) ReadTestAmount(ctx context.Context, link, nonce, amount string) (*recipient.Recipient, error) {
	return a.byLink(ctx, link, func(tx *store.Tx, r *recipient.Recipient) ([]recipient.Change, error) {
		c, err := r.Pending(nonce)
		if err != nil {
			return nil, err
		}
		units, err := parseTest(c.Asset, amount)
		if err != nil {
			return nil, err
		}
		test := c.Test
		if err := r.ReadTest(units); err != nil {
			return nil, &counted{err}
		}
		return a.prove(tx, r, recipient.Proof{Kind: recipient.ByTestAmount, Test: test.ID})
	})
}

func parseTest(asset, amount string) (money.Units, error) {
	s := strings.Replace(strings.TrimSpace(amount), ",", ".", 1)
	cur, ok := money.Lookup(asset)
	var u money.Units
	var err error
	if ok && strings.Contains(s, ".") {
		u, err = money.ParseDecimal(cur, s)
	} else {
		u, err = money.ParseUnits(s)
	}
	if err != nil {
		return u, fault.Invalid(fault.Invalid0, "amount", "%.40q is not an amount such as 0.00001234", amount)
	}
	return u, nil
}
