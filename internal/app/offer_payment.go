package app

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

// WalletOption is one way in which a wallet can pay an invoice through the JSON
// payment protocol.
type WalletOption struct {
	*invoice.Option
	Network  string
	Rest     money.Units // what is still to be paid
	FeeRate  uint64      // what the network has to be paid at least, in the smallest unit per 1,000 virtual bytes
	Selected bool
}

// badPayment is a refusal that the wallet's user reads.
func badPayment(format string, args ...any) error {
	return fault.Access(http.StatusBadRequest, format, args...)
}

// WalletOptions lists the ways in which a wallet can pay an invoice. It changes
// nothing.
func (a *App) WalletOptions(ctx context.Context, id string) (Shown, []WalletOption, error) {
	s, err := a.walletInvoice(ctx, id)
	if err != nil {
		return s, nil, err
	}
	var list []WalletOption
	for i := range s.Terms.Options {
		o := &s.Terms.Options[i]
		asset, ok := a.handsOver(o.Asset)
		if paid := s.PaymentAsset(); !ok || paid != "" && paid != o.Asset {
			continue
		}
		w, err := a.walletOption(ctx, s.Invoice, o, asset)
		if err != nil {
			// A chain that does not answer keeps nobody from paying on another.
			a.Log.Warn("no fee is known: wallets are not offered the chain", "asset", o.Asset, "error", err)
			continue
		}
		list = append(list, w)
	}
	if len(list) == 0 {
		return s, nil, badPayment("This invoice cannot be paid by the payment protocol at present. Scan the plain code on its page instead")
	}
	return s, list, nil
}

// ChooseWalletOption is what a wallet is to pay an invoice with. It becomes the
// invoice's choice, and the network fee that it names stays.
func (a *App) ChooseWalletOption(ctx context.Context, id, chainName, currency string) (Shown, WalletOption, error) {
	s, err := a.walletInvoice(ctx, id)
	if err != nil {
		return s, WalletOption{}, err
	}
	o, asset, err := a.chosenOption(s.Invoice, chainName, currency)
	if err != nil {
		return s, WalletOption{}, err
	}
	w, err := a.walletOption(ctx, s.Invoice, o, asset)
	if err != nil || w.Selected && s.State.FeeRates[o.Asset] != 0 {
		return s, w, err
	}
	s, err = a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
		if err := takesPayments(inv, a.now()); err != nil {
			return nil, err
		}
		if inv.PaymentAsset() == "" {
			inv.State.Asset = o.Asset
		}
		if told := inv.State.FeeRates[o.Asset]; told != 0 {
			w.FeeRate = told // another wallet asked meanwhile
			return nil, nil
		}
		rates := map[string]uint64{o.Asset: w.FeeRate}
		for k, v := range inv.State.FeeRates {
			rates[k] = v
		}
		inv.State.FeeRates = rates
		return nil, nil
	})
	w.Selected = true
	return s, w, err
}

// walletInvoice reads an invoice that a wallet may pay now.
func (a *App) walletInvoice(ctx context.Context, id string) (Shown, error) {
	s, err := a.Invoice(ctx, id)
	if err == nil {
		err = takesPayments(s.Invoice, a.now())
	}
	if err == nil {
		err = a.CheckAddresses(ctx, s.Invoice)
	}
	return s, err
}

// takesPayments refuses an invoice that nothing more is to be paid to.
func takesPayments(inv *invoice.Invoice, now time.Time) error {
	switch {
	case inv.IsCancelled():
		return badPayment("This invoice was cancelled and no longer takes payments. Ask the shop for a new one")
	case inv.Status == invoice.Expired || inv.Status == invoice.New && now.After(inv.Expires):
		return badPayment("This invoice expired at %s and no longer takes payments. Ask the shop for a new one", inv.Expires.UTC().Format(time.RFC3339))
	case inv.Status != invoice.New:
		return badPayment("This invoice is %s already and no longer takes payments", inv.Status)
	}
	return nil
}

// handsOver finds an asset of which wallets can hand over payments.
func (a *App) handsOver(code string) (*Asset, bool) {
	asset, ok := a.Asset(code)
	return asset, ok && asset.HandsOver()
}

// HandsOver reports whether wallets can hand over payments in the asset.
func (a *Asset) HandsOver() bool {
	return a.Sender != nil && a.Inspector != nil && a.Spending != nil
}

// chosenOption finds the way to pay that a wallet names; without a currency it is
// the chain's own.
func (a *App) chosenOption(inv *invoice.Invoice, chainName, currency string) (*invoice.Option, *Asset, error) {
	if currency == "" {
		currency = chainName
	}
	o, offered := inv.Option(currency)
	if !offered || o.Chain != chainName {
		return nil, nil, badPayment("This invoice cannot be paid in %.20q on the chain %.20q: ask for its payment options", currency, chainName)
	}
	asset, ok := a.handsOver(o.Asset)
	if !ok {
		return nil, nil, badPayment("This server takes no %s payments by the payment protocol at present. Scan the plain code on the invoice's page instead", o.Asset)
	}
	if paid := inv.PaymentAsset(); paid != "" && paid != o.Asset {
		return nil, nil, badPayment("This invoice is being paid in %s already, and cannot be paid in %s as well", paid, o.Asset)
	}
	return o, asset, nil
}

func (a *App) walletOption(ctx context.Context, inv *invoice.Invoice, o *invoice.Option, asset *Asset) (WalletOption, error) {
	rate, err := a.requiredFee(ctx, inv, asset)
	return WalletOption{Option: o, Network: asset.Network, Rest: inv.Rest(o), FeeRate: rate, Selected: inv.State.Asset == o.Asset}, err
}

// requiredFee is what a payment has to pay the network: what was told once, else
// what confirms soon enough for the speed that the merchant asked for.
func (a *App) requiredFee(ctx context.Context, inv *invoice.Invoice, asset *Asset) (uint64, error) {
	if told := inv.State.FeeRates[asset.Code]; told != 0 {
		return told, nil
	}
	blocks := map[invoice.Speed]int{invoice.High: 1, invoice.Low: 6}[inv.Terms.Order.Speed]
	if blocks == 0 {
		blocks = 3
	}
	return a.fees.rate(ctx, asset, blocks, a.now())
}

// feeRates remembers estimates for a moment: anybody may ask for them.
type feeRates struct {
	mu    sync.Mutex
	known map[string]feeRate // by asset and blocks
}

type feeRate struct {
	rate uint64
	at   time.Time
}

const feeRateHolds = 10 * time.Second

func (f *feeRates) rate(ctx context.Context, asset *Asset, blocks int, now time.Time) (uint64, error) {
	key := fmt.Sprint(asset.Code, "/", blocks)
	f.mu.Lock()
	k, ok := f.known[key]
	f.mu.Unlock()
	if age := now.Sub(k.at); ok && age >= 0 && age < feeRateHolds {
		return k.rate, nil
	}
	rate, err := asset.Sender.FeeRate(ctx, blocks)
	if err != nil {
		return 0, fmt.Errorf("estimate the network fee of %s: %w", asset.Code, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = map[string]feeRate{}
	}
	f.known[key] = feeRate{rate, now}
	return rate, nil
}
