package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb" // the driver of the block database
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript"
	"github.com/quittance/quittance/internal/chain"
)

// ErrClosed is returned by every operation after Close.
var ErrClosed = errors.New("sandbox: the chain is closed")

const (
	utxoCacheBytes = 4 << 20
	sigCacheSize   = 5000 // entries; a transaction is checked when paid and when mined
)

// Config says where the chain lives and what it takes from outside.
type Config struct {
	Dir  string           // made if it is missing; one process at a time
	Now  func() time.Time // nil is time.Now
	Rand io.Reader        // makes the faucet's seed and tells blocks apart; nil is crypto/rand
	Log  *slog.Logger     // nil logs nothing
}

// Chain is an open regtest chain. All its methods are safe for concurrent use.
type Chain struct {
	dir     string
	rand    io.Reader
	log     *slog.Logger
	params  *chaincfg.Params
	clock   *clock
	changed chan struct{}
	feeRate atomic.Uint64 // what FeeRate answers; 0: the default

	// mu guards everything below; btcd calls back only while it is held.
	mu        sync.RWMutex
	closed    bool
	db        database.DB
	blocks    *blockchain.BlockChain
	pool      *mempool.TxPool
	sigCache  *txscript.SigCache
	hashCache *txscript.HashCache
	journal   *records
	poolFile  *records
	faucet    *faucet
	events    []event // what btcd reported since the last settle
	unsaved   int     // blocks since the faucet's index was written
}

// event is a block that joined or left the best chain.
type event struct {
	block     *btcutil.Block
	connected bool
}

var _ chain.Source = (*Chain)(nil)

// Open opens the chain in a folder, or founds one: the first time it mines
// foundationBlocks blocks. It fails when another process has the folder open.
func Open(cfg Config) (*Chain, error) {
	c := &Chain{
		dir:       cfg.Dir,
		rand:      cfg.Rand,
		log:       cfg.Log,
		params:    regtest(),
		clock:     &clock{now: cfg.Now},
		changed:   make(chan struct{}, 1),
		sigCache:  txscript.NewSigCache(sigCacheSize),
		hashCache: txscript.NewHashCache(sigCacheSize),
	}
	if c.rand == nil {
		c.rand = rand.Reader
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.clock.now == nil {
		c.clock.now = time.Now
	}
	if err := c.open(); err != nil {
		c.release()
		return nil, err
	}
	return c, nil
}

func (c *Chain) open() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := c.openChain(); err != nil {
		return err
	}
	var err error
	if c.faucet, err = openFaucet(c.dir, c.rand); err != nil {
		return err
	}
	if err := c.replayJournal(); err != nil {
		return err
	}
	if err := c.catchUpFaucet(); err != nil {
		return err
	}
	c.pool = c.newPool()
	if err := c.loadPool(); err != nil {
		return err
	}
	return c.layFoundation()
}

// openChain opens the block database, or makes it. The marker tells a database
// that was made completely from one whose making was cut short.
func (c *Chain) openChain() error {
	path, marker := filepath.Join(c.dir, "chain"), filepath.Join(c.dir, "chain.made")
	_, err := os.Stat(marker)
	if err == nil {
		c.db, err = database.Open("ffldb", path, c.params.Net)
	} else {
		c.db, err = makeDatabase(path, marker, c.params)
	}
	if err != nil {
		return fmt.Errorf("sandbox: opening %s: %w", path, err)
	}
	c.blocks, err = blockchain.New(&blockchain.Config{
		DB:               c.db,
		UtxoCacheMaxSize: utxoCacheBytes,
		ChainParams:      c.params,
		TimeSource:       c.clock,
		SigCache:         c.sigCache,
		HashCache:        c.hashCache,
	})
	if err != nil {
		return fmt.Errorf("sandbox: opening %s: %w", path, err)
	}
	header, err := c.blocks.HeaderByHash(&c.blocks.BestSnapshot().Hash)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	c.clock.raise(header.Timestamp)
	c.blocks.Subscribe(c.observe)
	return nil
}

func makeDatabase(path, marker string, params *chaincfg.Params) (database.DB, error) {
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	db, err := database.Create("ffldb", path, params.Net)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// observe is btcd's callback; it runs inside the calls that change the chain.
func (c *Chain) observe(n *blockchain.Notification) {
	if n.Type != blockchain.NTBlockConnected && n.Type != blockchain.NTBlockDisconnected {
		return
	}
	if block, ok := n.Data.(*btcutil.Block); ok {
		c.events = append(c.events, event{block, n.Type == blockchain.NTBlockConnected})
	}
}

// Close writes everything to the folder and lets go of it. Closing twice does
// nothing.
func (c *Chain) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	err := errors.Join(
		c.savePool(),
		c.saveFaucet(),
		c.blocks.FlushUtxoCache(blockchain.FlushRequired),
	)
	closeErr := c.db.Close()
	c.db = nil
	if err == nil && closeErr == nil {
		// All journaled blocks are in the database now.
		closeErr = c.journal.f.Truncate(0)
	}
	c.release()
	return errors.Join(err, closeErr)
}

// release frees the files without writing to them.
func (c *Chain) release() {
	if c.db != nil {
		_ = c.db.Close()
	}
	for _, r := range []*records{c.journal, c.poolFile} {
		if r != nil {
			_ = r.f.Close()
		}
	}
}

// change runs an operation that changes the chain or the mempool.
func (c *Chain) change(ctx context.Context, do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() {
		select {
		case c.changed <- struct{}{}:
		default: // a notice is waiting already
		}
	}()
	return do()
}

// read runs an operation that only looks.
func (c *Chain) read(ctx context.Context, do func() error) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return do()
}

// tip is the best block.
func (c *Chain) tip() (chainhash.Hash, int32) {
	best := c.blocks.BestSnapshot()
	return best.Hash, best.Height
}
