package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/store"
)

// HandedOver is what a wallet sends: transactions of one chain, in hex.
type HandedOver struct {
	Chain        string
	Currency     string // empty: the chain's own
	Transactions []HandedTx
}

// HandedTx is one of them. Size is the wallet's estimate of the signed size in
// bytes; 0 is none.
type HandedTx struct {
	Hex  string
	Size int64
}

// maxHandedInputs bounds how many outputs are looked up for a stranger.
const maxHandedInputs = 250

// offered is a transaction from a wallet and what it is held against.
type offered struct {
	*chain.Draft
	asset  *Asset
	option *invoice.Option
	pays   *chain.Payment // the one output that goes to the invoice
	size   int64          // the wallet's estimate of the signed size
}

// VerifyPayment says whether a payment would be taken if it were signed. It changes
// nothing.
func (a *App) VerifyPayment(ctx context.Context, id string, h HandedOver) error {
	s, err := a.walletInvoice(ctx, id)
	if err != nil {
		return err
	}
	p, err := a.readPayment(s.Invoice, h)
	if err != nil {
		return err
	}
	if err := p.exact(s.Invoice); err != nil {
		return err
	}
	if err := a.oneAtATime(ctx, id, p.ID); err != nil {
		return err
	}
	return a.inspect(ctx, s.Invoice, p, false)
}

// oneAtATime refuses a payment of an invoice that has taken another one.
func (a *App) oneAtATime(ctx context.Context, id, txid string) error {
	return a.Store.View(ctx, func(tx *store.Tx) error { return otherTaken(tx, id, txid) })
}

func otherTaken(tx *store.Tx, id, txid string) error {
	other, err := tx.TakenPayment(id)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && other.Txid == txid:
		return nil
	case err != nil:
		return err
	}
	return badPayment("Another payment of this invoice was taken already (transaction %s). Pay it once only", other.Txid)
}

// readPayment takes the wallet's transaction apart and finds what it pays to the
// invoice, without asking the chain.
func (a *App) readPayment(inv *invoice.Invoice, h HandedOver) (*offered, error) {
	o, asset, err := a.chosenOption(inv, h.Chain, h.Currency)
	if err != nil {
		return nil, err
	}
	if len(h.Transactions) != 1 {
		return nil, badPayment("Send exactly one transaction, not %d", len(h.Transactions))
	}
	raw, err := hex.DecodeString(h.Transactions[0].Hex)
	if err != nil || len(raw) == 0 {
		return nil, badPayment("The transaction is not written in hexadecimal digits")
	}
	d, err := asset.Inspector.Read(raw)
	if err != nil {
		return nil, badPayment("The transaction cannot be read: %v", err)
	}
	if len(d.Spends) > maxHandedInputs {
		return nil, badPayment("The transaction has %d inputs; at most %d are taken. Gather your coins in a transaction to yourself first", len(d.Spends), maxHandedInputs)
	}
	dest, err := asset.Spending.Destination(o.Address)
	if err != nil {
		return nil, err
	}
	p := &offered{Draft: d, asset: asset, option: o, size: h.Transactions[0].Size}
	for i := range d.Payments {
		if !bytes.Equal(d.Payments[i].To, dest) {
			continue
		}
		if p.pays != nil {
			return nil, badPayment("The transaction pays to %s in more than one output; pay in one", o.Address)
		}
		p.pays = &d.Payments[i]
	}
	if p.pays == nil {
		return nil, badPayment("The transaction has no output to this invoice's address %s", o.Address)
	}
	return p, nil
}

// exact holds the amount against what is still due.
func (p *offered) exact(inv *invoice.Invoice) error {
	if due := inv.Rest(p.option); p.pays.Amount.Cmp(due) != 0 {
		return badPayment("The transaction pays %s to this invoice and %s %s are due (in the smallest unit)", p.pays.Amount, due, p.option.Asset)
	}
	return nil
}

// inspect asks the chain what the transaction spends, and holds that against the
// rules. What the network has already is its own proof.
func (a *App) inspect(ctx context.Context, inv *invoice.Invoice, p *offered, signed bool) error {
	found, err := p.asset.Inspector.Inspect(ctx, p.Draft)
	if errors.Is(err, chain.ErrNoMempool) {
		return nil // the network has the only word
	}
	if err != nil {
		return fmt.Errorf("look up what transaction %s spends: %w", p.ID, err)
	}
	if found.Held {
		return nil
	}
	if !found.Final {
		return badPayment("The transaction's lock time keeps it out of the next block")
	}
	if err := a.checkInputs(ctx, p, found.Inputs); err != nil {
		return err
	}
	size := p.VSize
	if !signed {
		// Signing makes it longer. What the wallet expects counts where it cannot be
		// told from what is spent.
		if found.Size > 0 {
			size = found.Size
		}
		if found.Size == 0 && p.size > size {
			size = p.size
		}
	}
	return a.checkFee(ctx, inv, p, found.Inputs, size)
}

// checkInputs refuses what cannot be spent, or is not the wallet's to spend.
func (a *App) checkInputs(ctx context.Context, p *offered, inputs []chain.Input) error {
	for _, in := range inputs {
		why := ""
		switch {
		case !in.Known:
			why = "is not there, or is spent"
		case in.SpentBy != "" && in.SpentBy != p.ID:
			why = "is spent by another transaction that waits"
		case !in.Confirmed:
			why = "is not confirmed yet; wait for a block, or pay with other coins"
		default:
			continue
		}
		return fault.Access(http.StatusUnprocessableEntity, "An input of the transaction cannot be spent: output %s:%d %s", in.Txid, in.Vout, why)
	}
	return a.Store.View(ctx, func(tx *store.Tx) error {
		for _, in := range inputs {
			_, err := tx.Coin(p.asset.Chain, in.Outpoint)
			if err == nil {
				return badPayment("The transaction spends a coin that this server received (output %s:%d); pay with coins of your own", in.Txid, in.Vout)
			}
			if !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

// checkFee holds what is left for the network against what it has to be paid.
func (a *App) checkFee(ctx context.Context, inv *invoice.Invoice, p *offered, inputs []chain.Input, size int64) error {
	in, out := new(big.Int), new(big.Int)
	for i := range inputs {
		in.Add(in, inputs[i].Amount.Big())
	}
	for i := range p.Payments {
		out.Add(out, p.Payments[i].Amount.Big())
	}
	fee := in.Sub(in, out)
	if fee.Sign() < 0 {
		return badPayment("The transaction pays out more than it spends")
	}
	rate, err := a.requiredFee(ctx, inv, p.asset)
	if err != nil {
		return err
	}
	need := new(big.Int).Mul(big.NewInt(size), new(big.Int).SetUint64(rate))
	if new(big.Int).Mul(fee, big.NewInt(1000)).Cmp(need) < 0 {
		return badPayment("The transaction pays the network %s for %d bytes, and %s per byte are needed: ask for the payment again and pay at least requiredFeeRate", fee, size, PerByte(rate))
	}
	// What is known of the fee goes with the payment when it is recorded.
	if size > 0 {
		f, _ := new(big.Rat).SetFrac(fee, big.NewInt(size)).Float64()
		p.FeeRate = f
	}
	return nil
}

// PerByte writes a rate per 1,000 bytes as a decimal number per byte.
func PerByte(rate uint64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%03d", rate/1000, rate%1000), "0"), ".")
}
