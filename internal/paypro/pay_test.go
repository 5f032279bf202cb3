package paypro

import (
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	btcwire "github.com/btcsuite/btcd/wire"
	"github.com/google/go-cmp/cmp"

	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/wire"
)

func sandboxPay(inv *invoice.Invoice, amount uint64) sandbox.PayOptions {
	return sandbox.PayOptions{Outputs: []sandbox.Output{{Address: inv.Terms.Options[0].Address, Amount: amount}}}
}

// A payer who is hostile or whose wallet is wrong is told so, with the code that the
// protocol gives it, when the payment is looked at and when it is handed over; the
// invoice stays as it is, nothing reaches the network, and an honest payer can pay.
func TestAHostilePayerIsRefused(t *testing.T) {
	w := newWorld(t)
	other := w.invoice()
	cases := []struct {
		name  string
		code  int
		words string
		spoil func(inv *invoice.Invoice, tx *btcwire.MsgTx)
	}{
		{"no output to the invoice", 400, "no output", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut = tx.TxOut[1:] }},
		{"a payment of another invoice", 400, "no output", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxOut[0].PkScript = script(t, other.Terms.Options[0].Address)
		}},
		{"one satoshi too little", 400, "are due", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut[0].Value-- }},
		{"one satoshi too much", 400, "are due", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut[0].Value++ }},
		{"nothing", 400, "are due", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut[0].Value = 0 }},
		{"the amount in two outputs", 400, "more than one output", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxOut[0].Value = due / 2
			tx.AddTxOut(btcwire.NewTxOut(due/2, tx.TxOut[0].PkScript))
		}},
		{"the amount twice", 400, "more than one output", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxOut[1].Value -= due
			tx.AddTxOut(btcwire.NewTxOut(due, tx.TxOut[0].PkScript))
		}},
		{"the same key in another kind of output", 400, "no output", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			a, _ := btcutil.NewAddressPubKeyHash(tx.TxOut[0].PkScript[2:], &chaincfg.RegressionNetParams)
			tx.TxOut[0].PkScript, _ = txscript.PayToAddrScript(a)
		}},
		{"the same program in another version", 400, "no output", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxOut[0].PkScript = slices.Concat([]byte{txscript.OP_1}, tx.TxOut[0].PkScript[1:])
		}},
		{"something behind the script", 400, "no output", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxOut[0].PkScript = append(slices.Clone(tx.TxOut[0].PkScript), txscript.OP_NOP)
		}},
		{"a negative amount", 400, "negative", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut[1].Value = -1 }},
		{"outputs that overflow", 400, "more than there can be", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxOut[1].Value = 1<<63 - 1
		}},
		{"more than it spends", 400, "more than it spends", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut[1].Value = coin }},
		{"no fee", 400, "per byte are needed", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut[1].Value = coin - due }},
		{"a fee of half", 400, "per byte are needed", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxOut[1].Value = coin - due - 140 }},
		{"a coin twice", 400, "twice", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.AddTxIn(tx.TxIn[0]) }},
		{"no input", 400, "cannot be read", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxIn = nil }},
		{"a block's reward", 400, "reward", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxIn[0].PreviousOutPoint = btcwire.OutPoint{Index: 1<<32 - 1}
		}},
		{"a coin that is not there", 422, "not there", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxIn[0].PreviousOutPoint.Hash = chainhash.Hash{1} }},
		{"an output that is not there", 422, "not there", func(_ *invoice.Invoice, tx *btcwire.MsgTx) { tx.TxIn[0].PreviousOutPoint.Index = 4_000_000_000 }},
		{"a coin that waits", 422, "not confirmed", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.TxIn[0].PreviousOutPoint = w.fund(address(w), 1)[0]
		}},
		{"a coin that is spent elsewhere", 422, "another transaction", func(inv *invoice.Invoice, tx *btcwire.MsgTx) {
			elsewhere := tx.Copy()
			elsewhere.TxOut[0].PkScript = w.ours
			w.check(w.gate.Sender.Send(t.Context(), raw(w.sign(elsewhere))))
		}},
		{"a lock that has not opened", 400, "lock time", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			tx.LockTime, tx.TxIn[0].Sequence = 100_000, 0
		}},
		{"three hundred inputs", 400, "at most 250", func(_ *invoice.Invoice, tx *btcwire.MsgTx) {
			for i := range uint32(300) {
				tx.AddTxIn(btcwire.NewTxIn(&btcwire.OutPoint{Hash: chainhash.Hash{2}, Index: i}, nil, nil))
			}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if len(w.coins) == 0 {
				w.fund(address(w), 10)
				w.mine(1)
			}
			inv := w.invoice()
			tx := w.draft(inv)
			c.spoil(inv, tx)
			waiting, err := w.chain.Mempool(t.Context())
			w.check(err)
			before := w.record(inv)
			w.verify(inv, tx).refused(c.code, c.words)
			if len(tx.TxIn) > 0 && len(tx.TxIn) < 100 {
				w.sign(tx)
				w.pay(inv, tx).refused(c.code, c.words)
			}
			if diff := cmp.Diff(before, w.record(inv)); diff != "" {
				t.Error(diff)
			}
			if now, _ := w.chain.Mempool(t.Context()); len(now) != len(waiting) {
				t.Errorf("the network has %v, had %v", now, waiting)
			}
			w.pay(inv, w.signed(inv)).ok()
		})
	}
}

func address(w *world) string {
	a, _ := btcutil.NewAddressWitnessPubKeyHash(w.ours[2:], &chaincfg.RegressionNetParams)
	return a.EncodeAddress()
}

func raw(tx *btcwire.MsgTx) []byte {
	d, _ := hex.DecodeString(text(tx))
	return d
}

// A payment that is well formed and that the network does not take leaves the invoice
// as it was, and the next one is taken.
func TestARefusedBroadcastLeavesTheInvoiceAsItWas(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.db = database(t) })
			inv := w.invoice()
			good := w.signed(inv)
			bad := good.Copy()
			bad.TxIn[0].Witness[0][10] ^= 1
			unsigned := good.Copy()
			unsigned.TxIn[0].Witness = nil
			w.pay(inv, unsigned).refused(400, "not signed")
			for range 2 {
				w.pay(inv, bad).refused(500, "does not take")
				w.is(inv, invoice.New, 0)
				if got := w.read(inv); len(got.State.Posted) != 0 {
					t.Errorf("posted %v", got.State.Posted)
				}
			}
			w.ask(inv, wire.PaymentOptionsType, "").ok()
			w.verify(inv, good).ok()
			w.pay(inv, good).ok()
			w.is(inv, invoice.Paid, due)
		})
	}
}

// Two wallets pay one invoice at the same moment, again and again, and each sends its
// payment twice: one payment is taken, and the other wallet is told to pay no more.
func TestOfTwoWalletsOneIsTold(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.db = database(t) })
			for range 4 {
				inv := w.invoice()
				var answers [4]answer
				var all sync.WaitGroup
				first, second := payment(text(w.signed(inv))), payment(text(w.signed(inv)))
				for i, body := range []string{first, second, first, second} {
					all.Go(func() { answers[i] = w.ask(inv, wire.PaymentType, body) })
				}
				all.Wait()
				if (answers[0].Code == 200) == (answers[1].Code == 200) || answers[0].Code != answers[2].Code || answers[1].Code != answers[3].Code {
					t.Errorf("answered %v %v %v %v", answers[0].Body, answers[1].Body, answers[2].Body, answers[3].Body)
				}
				w.sync()
				w.is(inv, invoice.Paid, due)
				waiting, err := w.chain.Mempool(t.Context())
				w.check(err)
				if len(waiting) != 1 {
					t.Errorf("the network has %d payments", len(waiting))
				}
				w.mine(1)
				w.sync()
			}
		})
	}
}

// The server ends after the payment was stored, or after it was sent: it is sent when
// the server is back, and counts once.
func TestACrashLosesNoPayment(t *testing.T) {
	for name, database := range engines {
		for _, at := range []string{"posted/kept", "posted/sent"} {
			t.Run(name+" "+at, func(t *testing.T) {
				w := newWorld(t, func(w *world) { w.db = database(t) })
				inv := w.invoice()
				tx := w.signed(inv)
				w.step = func(name string) error {
					if name == at {
						return errCrash
					}
					return nil
				}
				if got := w.pay(inv, tx); got.Code != 500 {
					t.Errorf("answered %d", got.Code)
				}
				w.step = nil
				w.pay(inv, w.signed(inv)).refused(400, "Another payment")
				w.on()
				w.pass(time.Minute)
				for range 2 {
					w.check(w.app.SendKeptPayments(t.Context()))
				}
				w.is(inv, invoice.Paid, due)
				w.pay(inv, tx).ok()
				w.mine(6)
				w.sync()
				w.is(inv, invoice.Complete, due)
				if n := len(w.read(inv).Credits); n != 1 {
					t.Errorf("it counts %d times", n)
				}
			})
		}
	}
}

// A wallet whose server ended tries again before the server does: the payment is taken
// once. One whose invoice is over by then is not sent late.
func TestAKeptPaymentIsSentInTimeOrNotAtAll(t *testing.T) {
	w := newWorld(t)
	again, late := w.invoice(), w.invoice()
	txs := []*btcwire.MsgTx{w.signed(again), w.signed(late)}
	w.step = func(name string) error { return errCrash }
	w.pay(again, txs[0])
	w.pay(late, txs[1])
	w.step = nil
	w.on()
	w.pay(again, txs[0]).ok()
	w.is(again, invoice.Paid, due)
	w.pass(16 * time.Minute)
	w.check(w.app.SendKeptPayments(t.Context()))
	waiting, err := w.chain.Mempool(t.Context())
	w.check(err)
	if len(waiting) != 1 {
		t.Errorf("the network has %v", waiting)
	}
	w.pay(late, txs[1]).refused(400, "expired")
}

// Nobody knows whether the network has a payment: the wallet is told to send the same
// one again, no other payment is taken meanwhile, and it counts once.
func TestAnAnswerThatWasLostCountsOnce(t *testing.T) {
	lost := errors.New("connection reset")
	for _, arrived := range []bool{false, true} {
		w := newWorld(t)
		inv := w.invoice()
		tx := w.signed(inv)
		if w.gate.before = lost; arrived {
			w.gate.before, w.gate.after = nil, lost
		}
		w.pay(inv, tx).refused(500, "Send this same transaction again")
		w.pay(inv, w.signed(inv)).refused(400, "Another payment")
		w.gate.before, w.gate.after = nil, nil
		w.sync()
		w.pay(inv, tx).ok()
		w.sync()
		w.is(inv, invoice.Paid, due)
	}
}

// A wallet that sends its payment to the network itself, and then hands it over, is
// thanked; a payment whose coins were spent elsewhere meanwhile is not.
func TestAPaymentThatTheNetworkHasIsTaken(t *testing.T) {
	w := newWorld(t)
	inv, seen := w.invoice(), w.invoice()
	tx := w.signed(inv)
	w.check(w.chain.Send(t.Context(), raw(tx)))
	w.pay(inv, tx).ok()
	w.is(inv, invoice.Paid, due)
	tx = w.draft(seen)
	tx.TxIn[0].Sequence = btcwire.MaxTxInSequenceNum - 2 // it signals replacement, as most do
	tx.LockTime = uint32(w.height())                     // and cannot be put into an earlier block
	w.pay(seen, w.sign(tx)).ok()
	w.sync()
	w.is(seen, invoice.Paid, due)
	elsewhere := tx.Copy()
	elsewhere.TxOut = []*btcwire.TxOut{btcwire.NewTxOut(coin-20_000, w.ours)}
	w.check(w.chain.Send(t.Context(), raw(w.sign(elsewhere))))
	w.sync()
	w.is(seen, invoice.Invalid, 0)
	w.pay(seen, tx).refused(400, "since spent its coins")
}

func (w *world) height() int64 {
	tip, err := w.chain.Tip(w.t.Context())
	w.check(err)
	return tip.Height
}

// A coin that this server received cannot pay one of its invoices.
func TestOurOwnCoinsPayNothing(t *testing.T) {
	w := newWorld(t)
	first, inv := w.invoice(), w.invoice()
	txid, err := w.chain.Pay(t.Context(), sandboxPay(first, 2*due))
	w.check(err)
	w.mine(6)
	w.sync()
	hash, err := chainhash.NewHashFromStr(txid)
	w.check(err)
	tx := w.draft(inv)
	tx.TxIn[0].PreviousOutPoint = btcwire.OutPoint{Hash: *hash}
	tx.TxOut[1].Value = due - 2000
	w.verify(inv, tx).refused(400, "this server received")
}

// Where only blocks are seen, what can be checked is checked, the network has the word
// about the rest, and the payment counts once it is in a block.
func TestWhereOnlyBlocksAreSeen(t *testing.T) {
	w := newWorld(t, func(w *world) { w.noPool = true })
	inv := w.invoice()
	tx := w.draft(inv)
	tx.TxOut[0].Value--
	w.verify(inv, tx).refused(400, "are due")
	tx.TxOut[0].Value++
	w.verify(inv, tx).ok()
	w.pay(inv, w.sign(tx)).ok()
	w.pay(inv, tx).ok()
	w.pay(inv, w.signed(inv)).refused(400, "Another payment")
	w.is(inv, invoice.New, 0)
	w.mine(1)
	w.sync()
	w.is(inv, invoice.Confirmed, due)
}

// How large a payment will be is known from what it spends, whatever the wallet says;
// what it says counts where that cannot be told.
func TestTheSignedSizeIsWhatTheFeeIsHeldAgainst(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice()
	tx := w.draft(inv)
	tx.TxOut[1].Value = coin - due - 284 // 142 virtual bytes at 2
	body := func(size string) string {
		return `{"chain":"BTC","transactions":[{"tx":"` + text(tx) + `","weightedSize":` + size + `}]}`
	}
	w.ask(inv, wire.PaymentVerificationType, body("0")).ok()
	w.ask(inv, wire.PaymentVerificationType, body("561")).ok() // its weight, not its bytes
	tx.TxOut[1].Value += 10
	w.ask(inv, wire.PaymentVerificationType, body("1")).refused(400, "per byte")

	multi, err := btcutil.NewAddressScriptHash([]byte{txscript.OP_1}, &chaincfg.RegressionNetParams)
	w.check(err)
	coins := w.fund(multi.EncodeAddress(), 1)
	w.mine(1)
	tx.TxIn[0].PreviousOutPoint, tx.TxOut[1].Value = coins[0], coin-due-600
	w.ask(inv, wire.PaymentVerificationType, body("300")).ok()
	w.ask(inv, wire.PaymentVerificationType, body("301")).refused(400, "for 301 bytes")
}
