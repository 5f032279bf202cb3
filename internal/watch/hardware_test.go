package watch

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending/devicetest"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// imports opens a shop whose wallet is an account of a device, brought in by its
// descriptor.
func (w *world) imports(kind bitcoin.Kind) *devicetest.Device {
	w.t.Helper()
	acc, err := bitcoin.AccountFromSeed(w.seed, kind, bitcoin.Regtest, 3)
	w.check(err)
	in, err := bitcoin.Import(acc.BothDescriptor(), "", bitcoin.Regtest)
	w.check(err)
	w.shop, _, err = w.app.CreateMerchant(w.ctx, "Cold", merchant.Settings{})
	w.check(err)
	_, err = w.app.OpenWallet(w.ctx, "BTC", merchant.Wallet{Merchant: w.shop.ID, Kind: string(in.Kind()), XPub: in.XPub(), Origin: in.Origin()})
	w.check(err)
	w.token = &merchant.Token{Token: "t" + w.shop.ID, Merchant: w.shop.ID, Facade: merchant.POS, State: merchant.Active, Created: w.clock.now()}
	w.check(w.store.Update(w.ctx, func(tx *store.Tx) error { return tx.AddToken(w.token) }))
	w.signer = nil
	return devicetest.New(w.t, w.seed)
}

// A device that has only its master seed pays out of an imported account of each kind:
// it finds its keys by fingerprint and path, tells the change from the payment, and
// what it signs is sent and confirmed.
func TestAHardwareSignerPaysOutOfAnImportedWallet(t *testing.T) {
	for _, kind := range []bitcoin.Kind{bitcoin.BIP84, bitcoin.BIP86, bitcoin.BIP49, bitcoin.BIP44} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t)
			d := w.imports(kind)
			for range 2 {
				w.pay(w.invoice(invoice.Medium), due+20_000)
			}
			w.mine(6)
			w.sync()
			w.order("a", stranger, 40_000) // needs both coins
			w.check(w.app.Spend(w.ctx))
			packet, err := w.app.ExportPacket(w.ctx, w.only().ID)
			w.check(err)
			signed, s, err := d.Sign(packet)
			w.check(err)
			to, err := bitcoin.AddressScript(stranger, bitcoin.Regtest)
			w.check(err)
			fee, _ := w.only().Attempts[0].Fee.Uint64()
			if len(s.Payments) != 1 || s.Payments[string(to)] != 40_000 || s.Fee != int64(fee) || w.only().Attempts[0].Change < 0 {
				t.Errorf("the device shows %v and a fee of %d", s.Payments, s.Fee)
			}
			if _, _, err := devicetest.New(t, bytes.Repeat([]byte{9}, 32)).Sign(packet); err == nil {
				t.Error("a device with another seed signed")
			}
			_, err = w.app.ImportPacket(w.ctx, []byte(base64.StdEncoding.EncodeToString(signed)))
			w.check(err)
			w.sync()
			w.mine(6)
			w.sync()
			if got := w.only(); got.State != transfer.Confirmed || w.receipts(stranger, 40_000) != 1 {
				t.Errorf("it is %s: %s", got.State, got.Problem)
			}
			w.verified()
			w.solvent()
		})
	}
}
