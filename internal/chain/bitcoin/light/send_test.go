package light

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
)

// waits returns once the node has a transaction that waits, or says that it never came.
func waits(t testing.TB, b *btcdtest.Node, id chainhash.Hash) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		list, err := b.GetRawMempool()
		must(t, err)
		if slices.ContainsFunc(list, func(h *chainhash.Hash) bool { return *h == id }) {
			return
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("transaction %s never came", id)
		}
	}
}

// What is sent reaches the node and is mined; sending it again, waiting or mined, by
// this process or after a restart, does no harm; what the node refuses is refused.
func TestSendingHandsATransactionToPeersOnceOrMoreOften(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	dir, ctx := t.TempDir(), t.Context()
	f := follow(t, dir, b.Peer)
	f.reaches(best(t, b))
	tx := b.Payment(payee, 50_000)
	must(t, f.Send(ctx, raw(t, tx)))
	waits(t, b, tx.TxHash())
	must(t, f.Send(ctx, raw(t, tx)))

	// Something else that spends the same and pays no more is refused.
	rival := tx.Copy()
	rival.TxOut[0].Value--
	var rejected *chain.Rejected
	if err := f.Send(ctx, raw(t, rival)); !errors.As(err, &rejected) {
		t.Errorf("a transaction with a bad signature: %v", err)
	}
	if err := f.Send(ctx, []byte{1, 2, 3}); !errors.As(err, &rejected) {
		t.Errorf("no transaction: %v", err)
	}
	must(t, f.Close())

	again := follow(t, dir, b.Peer)
	again.reaches(best(t, b))
	must(t, again.Send(ctx, raw(t, tx)))
	hash := b.Mine(1)[0].String()
	again.reaches(hash)
	block, err := again.Block(ctx, hash)
	must(t, err)
	if len(block.Txs) != 2 || block.Txs[1].ID != tx.TxHash().String() {
		t.Errorf("mined: %+v", block.Txs)
	}
	if err := again.Send(ctx, raw(t, tx)); err != nil {
		t.Errorf("sent again when it was mined: %v", err)
	}
	if _, err := again.Cost(ctx, tx.TxHash().String()); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("its cost: %v", err)
	}
	rate, err := again.FeeRate(ctx, 6)
	must(t, err)
	if rate != 10_000 {
		t.Errorf("blocks that are not full make a fee of %d", rate)
	}
}

// Outputs are unspent until a block spends them, and again when that block leaves the
// chain; what is not where it was said to be is not there.
func TestOutputsAreFollowedUntilTheyAreSpent(t *testing.T) {
	t.Parallel()
	b := btcdtest.Start(t)
	f, ctx := follow(t, t.TempDir(), b.Peer), t.Context()
	f.reaches(best(t, b))
	place := func(height int64) chain.PlacedCoin {
		hash, err := f.HashAt(ctx, height)
		must(t, err)
		block, err := f.Block(ctx, hash)
		must(t, err)
		return chain.PlacedCoin{Outpoint: chain.Outpoint{Txid: block.Txs[0].ID}, To: btcdtest.MinerScript(), Block: block.Ref}
	}
	coins := []chain.PlacedCoin{place(1), place(2), place(449)}
	astray := coins[1]
	astray.Outpoint.Vout = 7
	unspent := func(list []chain.PlacedCoin, want ...chain.PlacedCoin) {
		t.Helper()
		got, err := f.StillUnspent(ctx, list)
		must(t, err)
		var names []chain.Outpoint
		for _, c := range want {
			names = append(names, c.Outpoint)
		}
		if !slices.Equal(got, names) {
			t.Errorf("unspent are %v, not %v", got, names)
		}
	}
	unspent(coins, coins...)
	unspent([]chain.PlacedCoin{astray})
	b.Pay(payee, 10_000) // spends the reward of block 1
	f.reaches(b.Mine(1)[0].String())
	unspent(coins, coins[1], coins[2])
	b.Reorg(1) // mines it again, two blocks instead of one
	f.reaches(best(t, b))
	unspent(coins, coins[1], coins[2])
	if _, err := f.Unspent(ctx, []chain.Outpoint{coins[0].Outpoint}); err == nil {
		t.Error("an output was found by its name alone")
	}
}

// A block's fees are what its coinbase takes above the subsidy.
func TestTheFeeOfABlockIsReadFromItsCoinbase(t *testing.T) {
	block := func(fees int64, fill int) *btcutil.Block {
		m := wire.NewMsgBlock(&wire.BlockHeader{})
		coinbase := wire.NewMsgTx(2)
		coinbase.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: wire.MaxPrevOutIndex}, []byte{1, 2}, nil))
		coinbase.AddTxOut(wire.NewTxOut(5000+fees, []byte{0x51}))
		_ = m.AddTransaction(coinbase)
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: chainhash.Hash{1}}, make([]byte, fill), nil))
		tx.AddTxOut(wire.NewTxOut(1, []byte{0x51}))
		_ = m.AddTransaction(tx)
		return btcutil.NewBlock(m)
	}
	full := block(0, 950_000)
	size := blockchain.GetTransactionWeight(full.Transactions()[1]) / 4
	full.MsgBlock().Transactions[0].TxOut[0].Value += 20 * size
	if rate := feeOf(full, 5000); rate != 20_000 {
		t.Errorf("a full block costs %d", rate)
	}
	if rate := feeOf(block(19_000_000, 100_000), 5000); rate != 0 {
		t.Errorf("a block that is not full says %d", rate)
	}
	if rate := feeOf(block(-100, 950_000), 5000); rate != 0 {
		t.Errorf("a miner that gave money away says %d", rate)
	}
}
