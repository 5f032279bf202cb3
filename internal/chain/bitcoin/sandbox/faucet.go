package sandbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

const seedBytes = 32

// coin is an unspent output of the faucet.
type coin struct {
	amount   int64
	height   int32 // of the block that holds it; unused for change
	coinbase bool
	depth    int // change only: unconfirmed transactions up to and with its own
}

// faucet holds the miner's money. Whether the mempool spends a coin is asked
// of the mempool, so an eviction gives the coin back by itself.
type faucet struct {
	key     *btcec.PrivateKey
	address string
	script  []byte
	coins   map[wire.OutPoint]coin // confirmed
	change  map[wire.OutPoint]coin // of transactions in the mempool, or that were there
}

func openFaucet(dir string, rand io.Reader) (*faucet, error) {
	path := filepath.Join(dir, "faucet.seed")
	seed, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		seed = make([]byte, seedBytes)
		if _, err := io.ReadFull(rand, seed); err != nil {
			return nil, fmt.Errorf("sandbox: faucet seed: %w", err)
		}
		err = writeFile(path, seed)
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: faucet seed: %w", err)
	}
	key, err := bitcoin.PrivateKey(seed, bitcoin.BIP84, bitcoin.Regtest, 0, 0)
	if err != nil {
		return nil, err
	}
	account, err := bitcoin.AccountFromSeed(seed, bitcoin.BIP84, bitcoin.Regtest, 0)
	if err != nil {
		return nil, err
	}
	address, script, err := account.Address(0)
	if err != nil {
		return nil, err
	}
	return &faucet{
		key: key, address: address, script: script,
		coins:  map[wire.OutPoint]coin{},
		change: map[wire.OutPoint]coin{},
	}, nil
}

// noteChange remembers what an unconfirmed transaction pays to the faucet.
func (f *faucet) noteChange(tx *btcutil.Tx) {
	depth := 1
	for _, in := range tx.MsgTx().TxIn {
		depth = max(depth, f.change[in.PreviousOutPoint].depth+1)
	}
	f.eachOwn(tx, func(op wire.OutPoint, out *wire.TxOut) {
		f.change[op] = coin{amount: out.Value, depth: depth}
	})
}

// connect books a block that joined the best chain.
func (f *faucet) connect(block *btcutil.Block) {
	for i, tx := range block.Transactions() {
		for _, in := range tx.MsgTx().TxIn {
			delete(f.coins, in.PreviousOutPoint)
		}
		f.eachOwn(tx, func(op wire.OutPoint, out *wire.TxOut) {
			delete(f.change, op)
			f.coins[op] = coin{amount: out.Value, height: block.Height(), coinbase: i == 0}
		})
	}
}

// touched lists the outpoints whose state a block that left may have changed.
func (f *faucet) touched(block *btcutil.Block) []wire.OutPoint {
	var ops []wire.OutPoint
	for i, tx := range block.Transactions() {
		if i > 0 {
			for _, in := range tx.MsgTx().TxIn {
				ops = append(ops, in.PreviousOutPoint)
			}
		}
		f.eachOwn(tx, func(op wire.OutPoint, _ *wire.TxOut) { ops = append(ops, op) })
	}
	return ops
}

// refresh books an outpoint as the chain's set of unspent outputs has it.
func (f *faucet) refresh(op wire.OutPoint, blocks *blockchain.BlockChain) error {
	entry, err := blocks.FetchUtxoEntry(op)
	if err != nil {
		return fmt.Errorf("sandbox: output %v: %w", op, err)
	}
	delete(f.coins, op)
	if entry != nil && !entry.IsSpent() && bytes.Equal(entry.PkScript(), f.script) {
		f.coins[op] = coin{amount: entry.Amount(), height: entry.BlockHeight(), coinbase: entry.IsCoinBase()}
	}
	return nil
}

func (f *faucet) eachOwn(tx *btcutil.Tx, do func(wire.OutPoint, *wire.TxOut)) {
	for i, out := range tx.MsgTx().TxOut {
		if bytes.Equal(out.PkScript, f.script) {
			do(wire.OutPoint{Hash: *tx.Hash(), Index: uint32(i)}, out)
		}
	}
}

// catchUpFaucet reads the index of coins and follows the chain from the tip it
// was written at to the present one. Without an index it starts at the genesis
// block.
func (c *Chain) catchUpFaucet() error {
	hash := c.readFaucet()
	var left []wire.OutPoint
	for !c.blocks.MainChainHasBlock(&hash) {
		block, err := c.fetchBlock(&hash)
		if err != nil {
			return err
		}
		left = append(left, c.faucet.touched(block)...)
		hash = block.MsgBlock().Header.PrevBlock
	}
	from, err := c.blocks.BlockHeightByHash(&hash)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	_, best := c.tip()
	for height := from + 1; height <= best; height++ {
		block, err := c.blocks.BlockByHeight(height)
		if err != nil {
			return fmt.Errorf("sandbox: block %d: %w", height, err)
		}
		c.faucet.connect(block)
	}
	for _, op := range left {
		if err := c.faucet.refresh(op, c.blocks); err != nil {
			return err
		}
	}
	return nil
}

// coinBytes is one coin in faucet.idx: outpoint, amount, height, coinbase.
const coinBytes = chainhash.HashSize + 4 + 8 + 4 + 1

// saveFaucet writes the index of confirmed coins and the tip it is true for.
func (c *Chain) saveFaucet() error {
	tip, _ := c.tip()
	body := make([]byte, 0, chainhash.HashSize+coinBytes*len(c.faucet.coins))
	body = append(body, tip[:]...)
	for op, coin := range c.faucet.coins {
		body = append(body, op.Hash[:]...)
		body = binary.BigEndian.AppendUint32(body, op.Index)
		body = binary.BigEndian.AppendUint64(body, uint64(coin.amount))
		body = binary.BigEndian.AppendUint32(body, uint32(coin.height))
		if coin.coinbase {
			body = append(body, 1)
		} else {
			body = append(body, 0)
		}
	}
	c.unsaved = 0
	return writeFile(filepath.Join(c.dir, "faucet.idx"), appendRecord(nil, body))
}

// readFaucet fills the coins from the index and returns its tip. An index that
// is missing, damaged, or of a block that was lost counts as empty at genesis.
func (c *Chain) readFaucet() chainhash.Hash {
	data, _ := os.ReadFile(filepath.Join(c.dir, "faucet.idx"))
	list, _ := splitRecords(data)
	if len(list) != 1 || len(list[0])%coinBytes != chainhash.HashSize {
		return *c.params.GenesisHash
	}
	tip, body := chainhash.Hash(list[0][:chainhash.HashSize]), list[0][chainhash.HashSize:]
	if known, err := c.blocks.HaveBlock(&tip); err != nil || !known {
		return *c.params.GenesisHash
	}
	for ; len(body) > 0; body = body[coinBytes:] {
		op := wire.OutPoint{Hash: chainhash.Hash(body[:32]), Index: binary.BigEndian.Uint32(body[32:])}
		c.faucet.coins[op] = coin{
			amount:   int64(binary.BigEndian.Uint64(body[36:])),
			height:   int32(binary.BigEndian.Uint32(body[44:])),
			coinbase: body[48] == 1,
		}
	}
	return tip
}
