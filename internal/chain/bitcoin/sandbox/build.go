package sandbox

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

const (
	blockVersion = 0x20000000 // BIP 9 without a vote
	// maxTxWeight leaves room for the header and a coinbase of 50 outputs.
	maxTxWeight     = blockchain.MaxBlockWeight - 20_000
	medianTimeSpan  = 11      // blocks, as in consensus
	minSplitSat     = 100_000 // smaller coins are not worth splitting off
	splitWhenScarce = 25
	scarceCoins     = 500
)

// draft is a block to be made.
type draft struct {
	prev   chainhash.Hash
	height int32
	txs    []*btcutil.Tx // parents first
	fees   int64         // satoshi
}

// build makes and solves the block. Its time is the clock's, or one second
// past the median of its ancestors if the clock is not later than that.
func (c *Chain) build(d draft) (*btcutil.Block, error) {
	median, err := c.medianTime(d.prev)
	if err != nil {
		return nil, err
	}
	when := time.Unix(c.clock.now().Unix(), 0)
	if !when.After(median) {
		when = median.Add(time.Second)
	}
	coinbase, err := c.coinbase(d)
	if err != nil {
		return nil, err
	}
	txs := append([]*btcutil.Tx{coinbase}, d.txs...)
	if len(d.txs) > 0 {
		commitWitness(coinbase, txs)
		// The hash is remembered in the wrapper, so it needs a new one.
		txs[0] = btcutil.NewTx(coinbase.MsgTx())
	}
	msg := &wire.MsgBlock{Header: wire.BlockHeader{
		Version:    blockVersion,
		PrevBlock:  d.prev,
		MerkleRoot: blockchain.CalcMerkleRoot(txs, false),
		Timestamp:  when,
		Bits:       c.params.PowLimitBits,
	}}
	for _, tx := range txs {
		msg.Transactions = append(msg.Transactions, tx.MsgTx())
	}
	target := blockchain.CompactToBig(msg.Header.Bits)
	for hash := msg.BlockHash(); blockchain.HashToBig(&hash).Cmp(target) > 0; hash = msg.BlockHash() {
		msg.Header.Nonce++ // regtest: every second hash is good enough
	}
	return btcutil.NewBlock(msg), nil
}

// coinbase pays subsidy and fees to the faucet, in as many equal coins as the
// faucet needs. Random bytes keep competing blocks of one height apart.
func (c *Chain) coinbase(d draft) (*btcutil.Tx, error) {
	extra := make([]byte, 8)
	if _, err := io.ReadFull(c.rand, extra); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	script, err := txscript.NewScriptBuilder().AddInt64(int64(d.height)).AddData(extra).Script()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex},
		SignatureScript:  script,
		Sequence:         wire.MaxTxInSequenceNum,
	})
	value := blockchain.CalcBlockSubsidy(d.height, c.params) + d.fees
	n := max(1, min(c.splitAt(d.height), value/minSplitSat))
	for range n - 1 {
		tx.AddTxOut(wire.NewTxOut(value/n, c.faucet.script))
	}
	tx.AddTxOut(wire.NewTxOut(value-value/n*(n-1), c.faucet.script))
	return btcutil.NewTx(tx), nil
}

// splitAt is into how many coins a coinbase is split.
func (c *Chain) splitAt(height int32) int64 {
	switch {
	case height <= foundationRich:
		return foundationSplit
	case height > foundationBlocks && len(c.faucet.coins) < scarceCoins:
		return splitWhenScarce
	}
	return 1
}

// commitWitness adds the commitment of BIP 141 to the coinbase.
func commitWitness(coinbase *btcutil.Tx, txs []*btcutil.Tx) {
	var reserved [chainhash.HashSize]byte
	root := blockchain.CalcMerkleRoot(txs, true)
	commitment := chainhash.DoubleHashB(slices.Concat(root[:], reserved[:]))
	msg := coinbase.MsgTx()
	msg.TxIn[0].Witness = wire.TxWitness{reserved[:]}
	msg.AddTxOut(wire.NewTxOut(0, slices.Concat(blockchain.WitnessMagicBytes, commitment)))
}

// medianTime is the median time past of the block that follows hash.
func (c *Chain) medianTime(hash chainhash.Hash) (time.Time, error) {
	var times []int64
	for len(times) < medianTimeSpan {
		header, err := c.blocks.HeaderByHash(&hash)
		if err != nil {
			return time.Time{}, fmt.Errorf("sandbox: %w", err)
		}
		times = append(times, header.Timestamp.Unix())
		if hash == *c.params.GenesisHash {
			break
		}
		hash = header.PrevBlock
	}
	slices.Sort(times)
	return time.Unix(times[len(times)/2], 0), nil
}

// heightOf is the height a block says it has, in its coinbase (BIP 34).
func (c *Chain) heightOf(block *btcutil.Block) (int32, error) {
	if *block.Hash() == *c.params.GenesisHash {
		return 0, nil
	}
	script := block.MsgBlock().Transactions[0].TxIn[0].SignatureScript
	if len(script) > 0 && script[0] >= txscript.OP_1 && script[0] <= txscript.OP_16 {
		return int32(script[0] - txscript.OP_1 + 1), nil
	}
	var buf [4]byte
	if len(script) < 2 || script[0] > 4 || len(script) <= int(script[0]) {
		return 0, fmt.Errorf("sandbox: block %v says no height", block.Hash())
	}
	copy(buf[:], script[1:1+script[0]])
	return int32(binary.LittleEndian.Uint32(buf[:])), nil
}
