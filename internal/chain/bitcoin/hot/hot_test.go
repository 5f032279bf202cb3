package hot

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
)

var kinds = []string{"bip84", "bip86"}

func TestWhatThePolicyAllowsIsSigned(t *testing.T) {
	for _, kind := range kinds {
		w := newWorld(t, kind, Policy{MaxPayment: 50_000, MaxDay: 100_000, MaxFee: 5_000, Allow: []string{payee}})
		p := w.plan(50_000, w.coin(1, 40_000), w.coin(2, 70_000))
		w.signs("t1", p)
		w.signs("t1", p) // asking again changes nothing
		if n := len(w.file.Records()); n != 1 {
			t.Errorf("%s: %d records of one signature", kind, n)
		}
	}
}

func TestTheBoundsHold(t *testing.T) {
	for _, c := range []struct {
		name, says string
		policy     Policy
		final      bool
	}{
		{"one payment", "above the wallet's limit of 29999 for one payment", Policy{MaxPayment: 29_999}, true},
		{"the fee", "the network fee of", Policy{MaxFee: 100}, true},
		{"the day, for ever", "within 24 hours", Policy{MaxDay: 30_000}, true},
		{"the list", "is not on the wallet's list", Policy{Allow: []string{"bcrt1qother"}}, true},
		{"the delay", "waits 1h0m0s before", Policy{Delay: time.Hour}, false},
		{"approvals", "two people have to approve: run `quittance signer approve", Policy{ApproveAbove: 30_000, Approvers: people(person("ann"), person("bob"))}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "bip84", c.policy)
			w.refuses("t1", w.plan(30_000, w.coin(1, 90_000)).Packet, c.final, c.says)
		})
	}
}

// The day's sum is the wallet's memory, so a restart keeps it; attempts of which
// only one can confirm count once.
func TestTheDaySurvivesARestart(t *testing.T) {
	w := newWorld(t, "bip84", Policy{MaxDay: 100_000})
	first := w.plan(60_000, w.coin(1, 90_000))
	w.signs("t1", first)
	w.start()
	w.refuses("t2", w.plan(60_000, w.coin(2, 90_000)).Packet, false, "would leave within 24 hours")
	w.signs("t1", w.plan(61_000, w.coin(1, 90_000)))
	w.refuses("t1", w.plan(60_000, w.coin(3, 90_000)).Packet, false, "within 24 hours") // the name alone is not believed
	w.now = w.now.Add(day)
	w.signs("t2", w.plan(60_000, w.coin(2, 90_000)))
}

func TestTheDelayRunsFromTheFirstTimeItIsAskedFor(t *testing.T) {
	w := newWorld(t, "bip84", Policy{Delay: time.Hour})
	p := w.plan(30_000, w.coin(1, 90_000))
	w.refuses("t1", p.Packet, false, "waits 1h0m0s")
	w.now = w.now.Add(59 * time.Minute)
	w.start()
	w.refuses("t1", p.Packet, false, "waits 1m0s")
	w.refuses("t1", w.plan(31_000, w.coin(1, 90_000)).Packet, false, "waits 1h0m0s")
	w.now = w.now.Add(time.Minute)
	w.signs("t1", p)
}

// What a hostile host may change about a real packet, and what comes of it.
func TestTamperedPacketsAreNotSigned(t *testing.T) {
	for _, kind := range kinds {
		w := newWorld(t, kind, Policy{MaxPayment: 30_000, MaxDay: 80_000, MaxFee: 1_000})
		good := w.plan(30_000, w.coin(1, 45_000), w.coin(2, 45_000))
		back := good.Change
		for _, c := range []struct {
			name, says string
			change     func(pk *psbt.Packet)
		}{
			{"the change goes elsewhere", "above the wallet's limit of 30000 for one payment", func(pk *psbt.Packet) { pk.UnsignedTx.TxOut[back].PkScript = w.foreign(3) }},
			{"the change names another index", "for one payment", func(pk *psbt.Packet) { setPath(&pk.Outputs[back], 1, 4) }},
			{"the change names the payers' chain", "for one payment", func(pk *psbt.Packet) { setPath(&pk.Outputs[back], 0, 3) }},
			{"the change names nothing", "for one payment", func(pk *psbt.Packet) {
				pk.Outputs[back].Bip32Derivation, pk.Outputs[back].TaprootBip32Derivation = nil, nil
			}},
			{"the fee takes the change", "the network fee of", func(pk *psbt.Packet) { pk.UnsignedTx.TxOut[back].Value = 1_000 }},
			{"an output is negative", "not one that exists", func(pk *psbt.Packet) { pk.UnsignedTx.TxOut[0].Value = -1 }},
			{"outputs that would wrap around", "not one that exists", func(pk *psbt.Packet) {
				pk.UnsignedTx.TxOut[0].Value, pk.UnsignedTx.TxOut[1].Value = math.MaxInt64, math.MaxInt64
			}},
			{"an input that does not exist in such a size", "not one that exists", func(pk *psbt.Packet) { pk.Inputs[0].WitnessUtxo.Value = math.MaxInt64 }},
			{"more leaves than is spent", "pays more than it spends", func(pk *psbt.Packet) { pk.Inputs[0].WitnessUtxo.Value = 1 }},
			{"an input is not described", "does not say what input 0 spends", func(pk *psbt.Packet) { pk.Inputs[0].WitnessUtxo = nil }},
			{"an input is somebody else's", "input 1 is not the wallet's", func(pk *psbt.Packet) { pk.Inputs[1].WitnessUtxo.PkScript = w.foreign(1) }},
			{"an input names no key", "which of the wallet's keys", func(pk *psbt.Packet) {
				pk.Inputs[0].Bip32Derivation, pk.Inputs[0].TaprootBip32Derivation = nil, nil
			}},
			{"an output pays a script without an address", "pays no address", func(pk *psbt.Packet) { pk.UnsignedTx.TxOut[0].PkScript = []byte{txscript.OP_TRUE} }},
			{"a signature for one output only", "does not cover the whole transaction", func(pk *psbt.Packet) { pk.Inputs[0].SighashType = txscript.SigHashSingle }},
			{"a signature that others may add inputs to", "does not cover", func(pk *psbt.Packet) { pk.Inputs[1].SighashType = txscript.SigHashAll | txscript.SigHashAnyOneCanPay }},
			{"a signature for no output", "does not cover", func(pk *psbt.Packet) { pk.Inputs[1].SighashType = txscript.SigHashNone }},
			{"the transaction before is another", "not what the transaction that made it says", func(pk *psbt.Packet) { pk.Inputs[0].NonWitnessUtxo = earlier(pk.Inputs[0].WitnessUtxo) }},
			{"an input twice", "twice", func(pk *psbt.Packet) {
				pk.UnsignedTx.TxIn[1].PreviousOutPoint = pk.UnsignedTx.TxIn[0].PreviousOutPoint
			}},
		} {
			t.Run(kind+"/"+c.name, func(t *testing.T) {
				inner := *w
				inner.T = t
				inner.refuses("t1", w.altered(good.Packet, c.change), true, c.says)
				if n := len(w.file.Records()); n != 0 {
					t.Errorf("%d records of something that was refused", n)
				}
			})
		}
		w.signs("t1", good)
	}
}

func setPath(o *psbt.POutput, branch, index uint32) {
	for _, d := range o.Bip32Derivation {
		d.Bip32Path = []uint32{branch, index}
	}
	for _, d := range o.TaprootBip32Derivation {
		d.Bip32Path = []uint32{branch, index}
	}
}

// earlier is a transaction with one output.
func earlier(out *wire.TxOut) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{})
	tx.AddTxOut(out)
	return tx
}

func TestTheTransactionBeforeProvesTheAmount(t *testing.T) {
	w := newWorld(t, "bip84", Policy{})
	c := w.coin(1, 90_000)
	before := earlier(wire.NewTxOut(90_000, c.To))
	c.Txid = before.TxHash().String()
	p := w.plan(30_000, c)
	with := func(value int64) []byte {
		return w.altered(p.Packet, func(pk *psbt.Packet) {
			pk.Inputs[0].NonWitnessUtxo, pk.Inputs[0].WitnessUtxo = before, wire.NewTxOut(value, c.To)
		})
	}
	w.refuses("t1", with(80_000), true, "not what the transaction that made it says")
	if _, err := w.sign("t1", with(90_000)); err != nil {
		t.Error(err)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	w := newWorld(t, "bip84", Policy{})
	w.refuses("t1", nil, true, "not a PSBT")
	w.refuses("t1", []byte("psbt\xff\x01"), true, "not a PSBT")
	packet := w.plan(30_000, w.coin(1, 90_000)).Packet
	for i := range packet {
		if out, err := w.sign("t1", packet[:i]); err == nil {
			t.Fatalf("%d bytes of %d were signed: %x", i, len(packet), out)
		}
	}
}

// One transaction, signed twice: the first time its host lies about the second
// input, the second time about the first one. The two good signatures would make
// a transaction whose fee takes what was hidden (BIP 143).
func TestACoinHasOneAmountForEver(t *testing.T) {
	for _, kind := range kinds {
		w := newWorld(t, kind, Policy{MaxFee: 1_000})
		true1, true2 := w.coin(1, 50_000), w.coin(2, 90_000)
		small1, small2 := w.coin(1, 20_000), w.coin(2, 60_000)
		lie := w.plan(60_000, true1, small2) // 30,000 of the second are hidden
		w.signs("t1", lie)
		again := w.altered(lie.Packet, func(pk *psbt.Packet) {
			for i := range pk.Inputs {
				switch pk.Inputs[i].WitnessUtxo.Value {
				case 50_000:
					pk.Inputs[i].WitnessUtxo.Value = 20_000
				case 60_000:
					pk.Inputs[i].WitnessUtxo.Value = 90_000
				}
			}
		})
		w.start() // a restart does not forget it
		w.refuses("t1", again, true, "in one that was signed")
		w.refuses("t2", w.plan(40_000, true2).Packet, true, "it was 60000 in one that was signed")
		w.refuses("t3", w.plan(10_000, small1).Packet, true, "it was 50000")
		w.signs("t4", w.plan(10_000, true1))
	}
}

func TestChangeThatNoWalletWouldFindIsAPayment(t *testing.T) {
	w := newWorld(t, "bip84", Policy{MaxPayment: 30_000})
	p := w.plan(30_000, w.coin(1, 90_000))
	_, far, err := w.signer.account.Change(maxChange)
	must(t, err)
	w.refuses("t1", w.altered(p.Packet, func(pk *psbt.Packet) {
		pk.UnsignedTx.TxOut[p.Change].PkScript = far
		setPath(&pk.Outputs[p.Change], 1, maxChange)
	}), true, "for one payment")
}

func TestAnotherWalletsPacketIsRefused(t *testing.T) {
	w, other := newWorld(t, "bip84", Policy{}), newWorld(t, "bip84", Policy{})
	other.seed = 8
	other.start()
	packet := other.plan(30_000, other.coin(1, 90_000)).Packet
	w.refuses("t1", packet, true, "not the wallet's")
	if len(w.file.Records()) != 0 {
		t.Error("it counts towards this wallet's day")
	}
}

// Whoever asks cannot fill the memory.
func TestWhatWaitsIsBounded(t *testing.T) {
	w := newWorld(t, "bip84", Policy{Delay: time.Hour})
	for i := range uint64(maxWaiting) {
		w.refuses("t", w.plan(30_000+i, w.coin(1, 90_000)).Packet, false, "waits")
	}
	before := len(w.file.Records())
	w.refuses("t", w.plan(29_000, w.coin(1, 90_000)).Packet, false, "wait already")
	if len(w.file.Records()) != before {
		t.Error("it was remembered all the same")
	}
	w.now = w.now.Add(day)
	w.refuses("t", w.plan(29_000, w.coin(1, 90_000)).Packet, false, "waits 1h")
}

func TestALineThatWasCutShortIsDropped(t *testing.T) {
	w := newWorld(t, "bip84", Policy{MaxDay: 100_000})
	w.signs("t1", w.plan(60_000, w.coin(1, 90_000)))
	whole, err := os.ReadFile(w.memory)
	must(t, err)
	must(t, os.WriteFile(w.memory, append(bytes.Clone(whole), `{"what":"sig`...), 0o600))
	w.start()
	w.refuses("t2", w.plan(60_000, w.coin(2, 90_000)).Packet, false, "within 24 hours")
	must(t, os.WriteFile(w.memory, append([]byte("nonsense\n"), whole...), 0o600))
	if _, err := OpenFile(w.memory); err == nil || !strings.Contains(err.Error(), "line 1 is damaged") {
		t.Errorf("a damaged memory: %v", err)
	}
}

// What cannot be remembered is not signed, and what was half written is not in the
// way of what comes after it.
func TestAMemoryThatCannotBeWrittenSignsNothing(t *testing.T) {
	w := newWorld(t, "bip84", Policy{MaxDay: 100_000})
	p := w.plan(60_000, w.coin(1, 90_000))
	must(t, w.file.Close()) // as a disk that is gone
	w.file = nil
	var held *chain.Withheld
	if out, err := w.sign("t1", p.Packet); out != nil || err == nil || errors.As(err, &held) {
		t.Fatalf("%x, %v", out, err)
	}
	w.start()
	w.signs("t1", p)
	w.start()
	if n := len(w.file.Records()); n != 1 {
		t.Errorf("%d records", n)
	}
}
