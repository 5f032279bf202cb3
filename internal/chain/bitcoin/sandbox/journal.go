package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// The kinds of record in blocks.log, its first byte.
const (
	journalBlock      = 'B' // and the serialised block
	journalInvalidate = 'I' // and the block's hash
)

// replayJournal brings back the blocks that were made since the last clean
// close and that the database has not kept.
func (c *Chain) replayJournal() error {
	journal, list, err := openRecords(filepath.Join(c.dir, "blocks.log"))
	if err != nil {
		return err
	}
	c.journal = journal
	for _, record := range list {
		if err := c.replay(record); err != nil {
			return fmt.Errorf("sandbox: replaying blocks.log: %w", err)
		}
	}
	c.events = nil // the faucet and the mempool are loaded after this
	return nil
}

func (c *Chain) replay(record []byte) error {
	if len(record) == 0 {
		return errors.New("empty record")
	}
	body := record[1:]
	switch record[0] {
	case journalBlock:
		block, err := btcutil.NewBlockFromBytes(body)
		if err != nil {
			return err
		}
		known, err := c.blocks.HaveBlock(block.Hash())
		if err != nil || known {
			return err
		}
		return c.process(block)
	case journalInvalidate:
		hash, err := chainhash.NewHash(body)
		if err != nil {
			return err
		}
		return c.blocks.InvalidateBlock(hash)
	}
	return fmt.Errorf("unknown kind of record %q", record[0])
}

// submit gives a block to the chain and journals it. The record follows the
// act, so the journal holds only valid blocks; a crash between the two loses a
// block nobody has been told of.
func (c *Chain) submit(block *btcutil.Block) error {
	if err := c.process(block); err != nil {
		return fmt.Errorf("sandbox: block refused: %w", err)
	}
	raw := bytes.NewBuffer([]byte{journalBlock})
	if err := block.MsgBlock().Serialize(raw); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return c.journal.add(raw.Bytes())
}

func (c *Chain) process(block *btcutil.Block) error {
	c.clock.raise(block.MsgBlock().Header.Timestamp)
	_, orphan, err := c.blocks.ProcessBlock(block, blockchain.BFNone)
	if err == nil && orphan {
		err = errors.New("its parent is unknown")
	}
	return err
}
