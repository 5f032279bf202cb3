package watch

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/transfer"
)

// malleating is a network on which a payment arrives under another id: the signatures of
// an old kind of wallet are no part of what they sign, so what carries them can be
// changed on the way. The same is spent and paid.
type malleating struct {
	*sandbox.Chain
	w    *world
	from int // from this payment on, counted from 0
	sent [][]byte
}

func (m *malleating) Send(ctx context.Context, raw []byte) error {
	m.sent = append(m.sent, raw)
	if len(m.sent) > m.from {
		raw = m.w.malleated(raw)
	}
	return m.Chain.Send(ctx, raw)
}

// malleated carries other signatures than a transaction of the shop's, of another type.
func (w *world) malleated(raw []byte) []byte {
	w.t.Helper()
	tx, err := btcutil.NewTxFromBytes(raw)
	w.check(err)
	msg := tx.MsgTx()
	const hash = txscript.SigHashAll | txscript.SigHashAnyOneCanPay
	for i, in := range msg.TxIn {
		pushes, err := txscript.PushedData(in.SignatureScript)
		w.check(err)
		key := w.keyOf(pushes[1])
		address, err := btcutil.NewAddressPubKeyHash(btcutil.Hash160(pushes[1]), &chaincfg.RegressionNetParams)
		w.check(err)
		script, err := txscript.PayToAddrScript(address)
		w.check(err)
		in.SignatureScript, err = txscript.SignatureScript(msg, i, script, hash, key, true)
		w.check(err)
	}
	return serialized(w.t, msg)
}

func serialized(t testing.TB, tx *wire.MsgTx) []byte {
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// keyOf finds the private half of a key of the shop's wallet.
func (w *world) keyOf(public []byte) *btcec.PrivateKey {
	w.t.Helper()
	hard := uint32(hdkeychain.HardenedKeyStart)
	for _, branch := range []uint32{0, 1} {
		for index := range uint32(20) {
			key, err := hdkeychain.NewMaster(w.seed, &chaincfg.RegressionNetParams)
			w.check(err)
			for _, step := range []uint32{hard + 44, hard + 1, hard, branch, index} {
				key, err = key.Derive(step)
				w.check(err)
			}
			private, err := key.ECPrivKey()
			w.check(err)
			if bytes.Equal(private.PubKey().SerializeCompressed(), public) {
				return private
			}
		}
	}
	w.t.Fatal("it is none of the shop's keys")
	return nil
}

func newMalleableWorld(t *testing.T) (*world, *malleating) {
	m := &malleating{}
	w := newWorldOn(t, "", func(w *world) { w.kind = bitcoin.BIP44 })
	m.Chain, m.w = w.chain, w
	w.sender = m
	w.app.Assets[0].Sender = m
	w.tamper(`UPDATE wallet SET sealed_seed = '00'`) // hot: nobody else has the keys
	w.tamper(`UPDATE wallet SET sealed_seed = '00'`) // hot: nobody else has the keys
	w.pay(w.invoice(invoice.Medium), due+100_000)
	w.mine(6)
	w.sync()
	return w, m
}

// unlocked fails if something stops money out.
func (w *world) unlocked() {
	w.t.Helper()
	if locks, err := w.app.Locks(w.ctx); err != nil || len(locks) > 0 {
		w.t.Errorf("money out is locked: %+v, %v", locks, err)
	}
}

// A payment out that arrives under another id is the same payment: it is recognised by
// what it spends and pays, waiting or mined, its change can be spent, and nothing is paid
// again or locked.
func TestAPaymentOutThatArrivesUnderAnotherIDIsTheSame(t *testing.T) {
	for name, waits := range map[string]bool{"seen waiting": true, "seen in a block": false} {
		t.Run(name, func(t *testing.T) {
			w, _ := newMalleableWorld(t)
			w.order("a", stranger, 30_000)
			w.check(w.app.Spend(w.ctx))
			if waits {
				w.sync()
				w.check(w.app.Spend(w.ctx))
			}
			w.mine(1)
			w.sync()
			w.order("b", stranger, 20_000)
			w.check(w.app.Spend(w.ctx))
			w.mine(6)
			w.sync()
			w.clock.forward(resendAfter)
			w.check(w.app.Spend(w.ctx))
			w.mine(6)
			w.sync()
			for _, tr := range w.transfers() {
				if tr.State != transfer.Confirmed {
					t.Errorf("transfer %s is %s: %s", tr.ID, tr.State, tr.Problem)
				}
			}
			w.paidOnce()
		})
	}
}

func (w *world) paidOnce() {
	w.t.Helper()
	w.unlocked()
	if a, b := w.receipts(stranger, 30_000), w.receipts(stranger, 20_000); a != 1 || b != 1 {
		w.t.Errorf("paid %d and %d times", a, b)
	}
	w.solvent()
	w.verified()
}

// After a reorganisation another form of a payment is mined, and what was paid from its
// change has nothing to spend any more: that is paid anew, once.
func TestWhatWasPaidFromTheChangeOfAnotherFormIsPaidAnew(t *testing.T) {
	w, m := newMalleableWorld(t)
	m.from = 1000
	w.order("a", stranger, 30_000)
	w.check(w.app.Spend(w.ctx))
	w.mine(1)
	w.sync()
	w.order("b", stranger, 20_000)
	w.check(w.app.Spend(w.ctx))
	w.mine(1)
	w.sync()
	if n := len(w.transfers()); n != 2 {
		t.Fatalf("%d transfers", n)
	}
	first, err := btcutil.NewTxFromBytes(m.sent[0])
	w.check(err)
	w.reorg(2, sandbox.ReorgOptions{Drop: []string{first.Hash().String()}})
	w.check(w.chain.Send(w.ctx, w.malleated(m.sent[0])))
	w.mine(1)
	for range transfer.BuriedDepth + 8 {
		w.sync()
		w.clock.forward(resendAfter)
		w.check(w.app.Spend(w.ctx))
		w.mine(1)
	}
	w.sync()
	w.paidOnce()
}

// resendAfter is beyond the pause after which a payment that waits is sent again.
const resendAfter = 11 * time.Minute
