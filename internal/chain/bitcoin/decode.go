package bitcoin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/wire"
)

// ErrHidden is returned for a transaction of Litecoin's extension blocks (MWEB,
// LIP 3) whose visible part cannot be told.
var ErrHidden = errors.New("bitcoin: the transaction is inside an extension block")

const (
	// auxPow is the bit of a block's version that says that its work was done on
	// another chain (merged mining), as Dogecoin has it.
	auxPow = 0x100
	// mwebFlag is the flag of a transaction that carries extension data (LIP 2).
	mwebFlag = 0x08
	// maxBranch bounds the hashes of a merkle branch; a tree of 2^32 leaves has 32.
	maxBranch = 32
)

// errNegative refuses amounts that no chain has, before they are read as huge ones.
var errNegative = errors.New("an output is worth less than nothing")

func payable(list ...*btcutil.Tx) error {
	for _, tx := range list {
		for _, o := range tx.MsgTx().TxOut {
			if o.Value < 0 {
				return errNegative
			}
		}
	}
	return nil
}

// DecodeBlock reads a block as it goes over the chain's network.
func DecodeBlock(raw []byte, c *Chain) (*btcutil.Block, error) {
	b, err := decodeBlock(raw, c)
	if err == nil {
		err = payable(b.Transactions()...)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func decodeBlock(raw []byte, c *Chain) (*btcutil.Block, error) {
	if c.Code != "LTC" && c.Code != "DOGE" {
		return btcutil.NewBlockFromBytes(raw)
	}
	r := bytes.NewReader(raw)
	var block wire.MsgBlock
	if err := block.Header.Deserialize(r); err != nil {
		return nil, err
	}
	if c.Code == "DOGE" && block.Header.Version&auxPow != 0 {
		if err := skipAuxPow(r); err != nil {
			return nil, fmt.Errorf("the work of the other chain: %w", err)
		}
	}
	n, err := wire.ReadVarInt(r, 0)
	if err != nil {
		return nil, err
	}
	if n > uint64(r.Len()) {
		return nil, errors.New("it counts more transactions than it has bytes")
	}
	for i := range n {
		tx, err := readTx(raw, r)
		if err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
		block.Transactions = append(block.Transactions, tx)
	}
	// What follows is Litecoin's extension block, in which nobody is paid by address.
	return btcutil.NewBlock(&block), nil
}

// DecodeTx reads a transaction as it goes over the chain's network.
func DecodeTx(raw []byte, c *Chain) (*btcutil.Tx, error) {
	tx, err := decodeTx(raw, c)
	if err == nil {
		err = payable(tx)
	}
	if err != nil {
		return nil, err
	}
	return tx, nil
}

func decodeTx(raw []byte, c *Chain) (*btcutil.Tx, error) {
	if c.Code != "LTC" || !extended(raw) {
		return btcutil.NewTxFromBytes(raw)
	}
	// The extension data reaches up to the lock time at the end. What comes before
	// it is read without.
	plain := withoutExtension(raw)
	var tx wire.MsgTx
	if err := tx.Deserialize(bytes.NewReader(plain)); err != nil || len(tx.TxIn) == 0 {
		return nil, ErrHidden
	}
	tx.LockTime = binary.LittleEndian.Uint32(raw[len(raw)-4:])
	return btcutil.NewTx(&tx), nil
}

// readTx reads the next transaction of a block.
func readTx(raw []byte, r *bytes.Reader) (*wire.MsgTx, error) {
	at := len(raw) - r.Len()
	rest := raw[at:]
	var tx wire.MsgTx
	if !extended(rest) {
		return &tx, tx.Deserialize(r)
	}
	// Inside a block only the one that ties the extension block to it is marked so,
	// and its data is a single zero before the lock time.
	plain := withoutExtension(rest)
	in := bytes.NewReader(plain)
	if err := tx.Deserialize(in); err != nil {
		return nil, err
	}
	read := len(rest) - in.Len() // up to the lock time's last byte but one
	if read+1 > len(rest) || rest[read-4] != 0 {
		return nil, ErrHidden
	}
	tx.LockTime = binary.LittleEndian.Uint32(rest[read-3:])
	_, err := r.Seek(int64(at+read+1), io.SeekStart)
	return &tx, err
}

// extended reports a transaction that is marked as carrying extension data: after
// the version comes a zero in place of the number of inputs, then the flags.
func extended(raw []byte) bool { return len(raw) > 10 && raw[4] == 0 && raw[5]&mwebFlag != 0 }

// withoutExtension is the transaction with the mark taken off, as far as the
// library reads it.
func withoutExtension(raw []byte) []byte {
	plain := bytes.Clone(raw[:4])
	if flags := raw[5] &^ mwebFlag; flags != 0 {
		plain = append(plain, 0, flags)
	}
	return append(plain, raw[6:]...)
}

// skipAuxPow reads past the proof that a block was mined along with another chain's
// (the class CAuxPow of Dogecoin Core): that chain's coinbase, the way from it to the
// header, and the header.
func skipAuxPow(r *bytes.Reader) error {
	var coinbase wire.MsgTx
	if err := coinbase.Deserialize(r); err != nil {
		return err
	}
	var hash [32]byte
	if _, err := io.ReadFull(r, hash[:]); err != nil {
		return err
	}
	for range 2 { // the branch of the coinbase, then that of the merged chains
		n, err := wire.ReadVarInt(r, 0)
		if err != nil {
			return err
		}
		if n > maxBranch {
			return fmt.Errorf("a merkle branch of %d hashes", n)
		}
		if _, err := r.Seek(int64(n)*32+4, io.SeekCurrent); err != nil {
			return err
		}
	}
	var parent wire.BlockHeader
	return parent.Deserialize(r)
}
