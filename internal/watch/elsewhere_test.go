package watch

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/transfer"
)

// coldSigner is a wallet that this server has nothing of but the account key: it
// signs packets with the field's own library.
type coldSigner struct {
	t    testing.TB
	seed []byte
	hash txscript.SigHashType
}

// sign puts a signature on each input; skip leaves one out.
func (c coldSigner) sign(packet []byte, skip int) []byte {
	c.t.Helper()
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}
	p, err := psbt.NewFromRawBytes(bytes.NewReader(packet), false)
	must(err)
	prev := map[wire.OutPoint]*wire.TxOut{}
	for i, in := range p.UnsignedTx.TxIn {
		prev[in.PreviousOutPoint] = p.Inputs[i].WitnessUtxo
	}
	hashes := txscript.NewTxSigHashes(p.UnsignedTx, txscript.NewMultiPrevOutFetcher(prev))
	u, err := psbt.NewUpdater(p)
	must(err)
	for i := range p.Inputs {
		if i == skip {
			continue
		}
		in := &p.Inputs[i]
		key, err := hdkeychain.NewMaster(c.seed, &chaincfg.RegressionNetParams)
		must(err)
		hard := uint32(hdkeychain.HardenedKeyStart)
		for _, step := range append([]uint32{hard + 84, hard + 1, hard}, in.Bip32Derivation[0].Bip32Path...) {
			key, err = key.Derive(step)
			must(err)
		}
		priv, err := key.ECPrivKey()
		must(err)
		must(u.AddInSighashType(c.hash, i))
		sig, err := txscript.RawTxInWitnessSignature(p.UnsignedTx, hashes, i, in.WitnessUtxo.Value, in.WitnessUtxo.PkScript, c.hash, priv)
		must(err)
		outcome, err := u.Sign(i, sig, priv.PubKey().SerializeCompressed(), nil, nil)
		must(err)
		if outcome != psbt.SignSuccesful {
			c.t.Fatalf("input %d: outcome %d", i, outcome)
		}
	}
	var out bytes.Buffer
	must(p.Serialize(&out))
	return out.Bytes()
}

// watchOnly takes the keys away from the server and leaves them to a cold signer.
func (w *world) watchOnly() coldSigner {
	w.signer = nil
	return coldSigner{w.t, w.seed, txscript.SigHashAll}
}

func (w *world) only() *transfer.Transfer {
	w.t.Helper()
	list := w.transfers()
	if len(list) != 1 {
		w.t.Fatalf("there are %d transfers", len(list))
	}
	return list[0]
}

// A watch-only wallet pays: the transaction goes out unsigned, comes back signed by
// keys that the server never had, and is sent by the server.
func TestAWatchOnlyWalletPaysBySigningElsewhere(t *testing.T) {
	w := newWorld(t)
	cold := w.watchOnly()
	for range 2 {
		w.pay(w.invoice(invoice.Medium), due+20_000)
	}
	w.mine(6)
	w.sync()
	w.order("a", stranger, 40_000) // needs both coins
	w.check(w.app.Spend(w.ctx))
	tr := w.only()
	if tr.State != transfer.Planned || !strings.Contains(tr.Problem, "quittance psbt export") {
		t.Fatalf("the transfer is %s: %q", tr.State, tr.Problem)
	}
	packet, err := w.app.ExportPacket(w.ctx, tr.ID)
	w.check(err)
	again, err := w.app.ExportPacket(w.ctx, tr.ID)
	w.check(err)
	if !bytes.Equal(packet, again) || w.only().State != transfer.Exported {
		t.Errorf("a second export gave another packet, or the transfer is %s", w.only().State)
	}
	refuseForeignPackets(t, w, cold, packet)
	text := base64.StdEncoding.EncodeToString(cold.sign(packet, -1))
	for range 2 { // the second time changes nothing
		_, err = w.app.ImportPacket(w.ctx, []byte(text+"\n"))
		w.check(err)
	}
	if got := w.only(); got.State != transfer.Sent || len(got.Attempts) != 1 {
		t.Fatalf("after the import it is %s: %s", got.State, got.Problem)
	}
	// A higher fee is a new transaction, and is signed elsewhere again.
	w.check(w.app.BumpTransfer(w.ctx, tr.ID, 9000))
	if packet, err = w.app.ExportPacket(w.ctx, tr.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.app.ImportPacket(w.ctx, cold.sign(packet, -1))
	w.check(err)
	w.sync()
	w.mine(6)
	w.sync()
	got := w.only()
	if got.State != transfer.Confirmed || got.Current != 1 || got.Attempts[0].Fee.Cmp(got.Attempts[1].Fee) >= 0 {
		t.Errorf("it is %s by attempt %d", got.State, got.Current+1)
	}
	w.verified()
	w.solvent()
}

// refuseForeignPackets: what comes back must be the transaction that went out, and
// signed whole.
func refuseForeignPackets(t *testing.T, w *world, cold coldSigner, packet []byte) {
	t.Helper()
	loose := cold
	loose.hash = txscript.SigHashNone | txscript.SigHashAnyOneCanPay
	other, err := psbt.NewFromRawBytes(bytes.NewReader(packet), false)
	w.check(err)
	other.UnsignedTx.TxOut[0].Value--
	var altered bytes.Buffer
	w.check(other.Serialize(&altered))
	for want, bad := range map[string][]byte{
		"not a PSBT":                           []byte("hello"),
		"is not signed":                        packet,
		"input 1 is not signed":                cold.sign(packet, 1),
		"no transfer of this server":           cold.sign(altered.Bytes(), -1),
		"does not cover the whole transaction": loose.sign(packet, -1),
	} {
		if _, err := w.app.ImportPacket(w.ctx, bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if got := w.only(); got.State != transfer.Exported || len(got.Attempts[0].Raw) > 0 {
		t.Errorf("a packet that was refused left the transfer %s", got.State)
	}
}

// What a payer sent with too low a fee is brought into a block by spending it.
func TestALowFeePaymentIsLiftedIntoABlock(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	txid := w.payAt(inv, due, 1)
	w.sync()
	parent, err := w.chain.Cost(w.ctx, txid)
	w.check(err)
	child, err := w.app.Lift(w.ctx, txid, 10_000)
	w.check(err)
	own, err := w.chain.Cost(w.ctx, child.Attempts[0].Txid)
	w.check(err)
	paid, _ := parent.Fee.Uint64()
	more, _ := own.Fee.Uint64()
	if size := uint64(parent.VSize + own.VSize); paid+more < 10*size || paid+more > 10*size+20 {
		t.Errorf("both pay %d satoshi for %d virtual bytes, 10 for each were asked for", paid+more, size)
	}
	w.sync()
	w.verified()
	w.mine(6)
	w.sync()
	w.is(inv, invoice.Complete, due)
	if got := w.only(); got.State != transfer.Confirmed {
		t.Errorf("the transfer is %s: %s", got.State, got.Problem)
	}
	w.verified()
	w.solvent()
	for _, id := range []string{txid, child.Attempts[0].Txid, strings.Repeat("ab", 32)} {
		if _, err := w.app.Lift(w.ctx, id, 20_000); err == nil {
			t.Errorf("%s does not wait and was lifted", id)
		}
	}
}

// The payer may still replace what was lifted: then there is nothing to lift any
// more, and nothing is counted.
func TestALiftedPaymentThatIsReplacedLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	txid := w.payAt(inv, due, 1)
	w.sync()
	_, err := w.app.Lift(w.ctx, txid, 10_000)
	w.check(err)
	w.sync()
	_, _, err = w.chain.ConflictInBlock(w.ctx, txid, sandbox.ReplaceOptions{})
	w.check(err)
	w.sync()
	w.verified()
	w.mine(transfer.BuriedDepth + 1)
	w.sync()
	w.check(w.app.Spend(w.ctx))
	if got := w.only(); got.State != transfer.Lost || !got.Settled {
		t.Errorf("the transfer is %s, settled %v", got.State, got.Settled)
	}
	w.verified()
	w.books(map[string]string{})
}

// Our own transaction is lifted by its change when it can be replaced no more.
func TestAPaymentOutIsLiftedByItsChange(t *testing.T) {
	w := newWorld(t)
	w.pay(w.invoice(invoice.Medium), 500_000)
	w.mine(6)
	w.sync()
	w.order("a", stranger, 30_000)
	w.check(w.app.Spend(w.ctx))
	w.sync()
	first := w.only()
	child, err := w.app.Lift(w.ctx, first.Attempts[0].Txid, 20_000)
	w.check(err)
	w.sync()
	if err := w.app.BumpTransfer(w.ctx, first.ID, 30_000); err == nil || !strings.Contains(err.Error(), child.ID) {
		t.Errorf("a replacement would undo transfer %s: %v", child.ID, err)
	}
	// The child itself can be bumped, and brings both along.
	w.check(w.app.BumpTransfer(w.ctx, child.ID, 60_000))
	w.sync()
	w.mine(6)
	w.sync()
	for _, got := range w.transfers() {
		if got.State != transfer.Confirmed {
			t.Errorf("transfer %s is %s: %s", got.ID, got.State, got.Problem)
		}
	}
	w.verified()
	w.solvent()
}

// The merchant spends an input of a payment out with a wallet of its own. Once that
// is buried, and not before, other coins pay the same order, once.
func TestAPaymentOutIsPlannedAnewOnceItsInputIsBuriedElsewhere(t *testing.T) {
	w := newWorld(t)
	cold := coldSigner{t, w.seed, txscript.SigHashAll}
	for range 3 {
		w.pay(w.invoice(invoice.Medium), due+20_000)
	}
	w.mine(6)
	w.sync()
	w.order("a", stranger, 12_000)
	w.check(w.app.Spend(w.ctx))
	first := w.only()
	w.withdraw(cold, first)
	w.mine(1)
	w.sync()
	w.check(w.app.Spend(w.ctx))
	if got := w.only(); got.State != transfer.Sent || len(got.Attempts) != 1 {
		t.Fatalf("one block deep: %s with %d attempts", got.State, len(got.Attempts))
	}
	w.mine(transfer.BuriedDepth)
	w.sync()
	w.check(w.app.Spend(w.ctx))
	w.sync()
	w.mine(6)
	w.sync()
	got := w.only()
	if got.State != transfer.Confirmed || len(got.Attempts) != 2 || !got.Replanned() {
		t.Fatalf("buried: %s with %d attempts: %s", got.State, len(got.Attempts), got.Problem)
	}
	w.verified()
	w.solvent()
	if n := w.receipts(stranger, 12_000); n != 1 {
		t.Errorf("the payee was paid %d times", n)
	}
}

// A coin whose keys only a signer of ours has leaves in a transaction that was not made
// here: the database is older than the chain, or the keys are somebody's. Nothing
// leaves until a person has looked, once.
func TestACoinThatLeavesUnknownToUsStopsWhatLeaves(t *testing.T) {
	w := newWorld(t)
	cold := coldSigner{t, w.seed, txscript.SigHashAll}
	for range 3 {
		w.pay(w.invoice(invoice.Medium), due+20_000)
	}
	w.mine(6)
	w.sync()
	w.order("a", stranger, 12_000)
	w.check(w.app.Spend(w.ctx))
	w.sync()
	w.tamper(`UPDATE wallet SET sealed_seed = '00'`) // hot: nobody else has the keys
	w.withdraw(cold, w.only())
	w.sync()
	locks, err := w.app.Locks(w.ctx)
	w.check(err)
	if len(locks) != 1 || locks[0].Reason != "foreign" || !strings.Contains(locks[0].Detail, "was not made here") {
		t.Fatalf("locks %+v", locks)
	}
	w.order("b", stranger, 7_000)
	w.check(w.app.Spend(w.ctx))
	if err := w.app.BumpTransfer(w.ctx, w.only().ID, 90_000); err == nil || !strings.Contains(err.Error(), "no money leaves at present") {
		t.Errorf("a fee was raised meanwhile: %v", err)
	}
	if n := len(w.transfers()); n != 1 {
		t.Errorf("%d transfers: money left meanwhile", n)
	}
	w.check(w.app.Unlock(w.ctx, "foreign"))
	w.mine(3)
	w.sync()
	if locks, err := w.app.Locks(w.ctx); err != nil || len(locks) > 0 {
		t.Errorf("what was looked at locks again: %v, %v", locks, err)
	}
	w.check(w.app.Spend(w.ctx))
	if n := len(w.transfers()); n != 2 {
		t.Errorf("unlocked, there are %d transfers", n)
	}
	w.verified()
}

// payAt pays an invoice at a fee rate in satoshi per virtual byte.
func (w *world) payAt(inv *invoice.Invoice, amount, rate uint64) (txid string) {
	w.t.Helper()
	txid, err := w.chain.Pay(w.ctx, sandbox.PayOptions{
		Outputs: []sandbox.Output{{Address: inv.Terms.Options[0].Address, Amount: amount}}, FeeRate: rate, Replaceable: true,
	})
	w.check(err)
	return txid
}

// withdraw spends what a transfer spends with the merchant's own copy of the keys,
// at a fee that takes its place.
func (w *world) withdraw(cold coldSigner, t *transfer.Transfer) {
	w.t.Helper()
	p, err := psbt.NewFromRawBytes(bytes.NewReader(t.Attempts[0].Packet), false)
	w.check(err)
	var in int64
	for i := range p.Inputs {
		in += p.Inputs[i].WitnessUtxo.Value
	}
	p.UnsignedTx.TxOut = []*wire.TxOut{wire.NewTxOut(in-5_000, nil)}
	to, err := bitcoin.AddressScript(elsewhere, bitcoin.Regtest)
	w.check(err)
	p.UnsignedTx.TxOut[0].PkScript = to
	p.Outputs = p.Outputs[:1]
	p.Outputs[0] = psbt.POutput{}
	var out bytes.Buffer
	w.check(p.Serialize(&out))
	signed, err := psbt.NewFromRawBytes(bytes.NewReader(cold.sign(out.Bytes(), -1)), false)
	w.check(err)
	w.check(psbt.MaybeFinalizeAll(signed))
	tx, err := psbt.Extract(signed)
	w.check(err)
	var raw bytes.Buffer
	w.check(tx.Serialize(&raw))
	_, err = w.chain.Broadcast(w.ctx, raw.Bytes())
	w.check(err)
}

const elsewhere = "bcrt1q6rhpng9evdsfnn833a4f4vej0asu6dk5srld6x"

// receipts counts the payments of an amount to an address in the best chain.
func (w *world) receipts(address string, sat uint64) (n int) {
	w.t.Helper()
	to, err := bitcoin.AddressScript(address, bitcoin.Regtest)
	w.check(err)
	tip, err := w.chain.Tip(w.ctx)
	w.check(err)
	for h := int64(1); h <= tip.Height; h++ {
		hash, err := w.chain.HashAt(w.ctx, h)
		w.check(err)
		b, err := w.chain.Block(w.ctx, hash)
		w.check(err)
		for i := range b.Txs {
			for _, p := range b.Txs[i].Payments {
				if bytes.Equal(p.To, to) && p.Amount.Cmp(money.NewUnits(sat)) == 0 {
					n++
				}
			}
		}
	}
	return n
}
