package light

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/banman"
	"github.com/lightninglabs/neutrino/headerfs"
)

// guard stands between the library's block manager and its two header stores. It
// keeps one store from running ahead of the other, and where the library would
// panic it ends the goroutine that is about to; see the package's doc.
type guard struct {
	broken   func(error)               // told once; the library is to be opened anew
	banned   func(addr, reason string) // told of each peer that is banned
	compared func(peers int)           // told how many peers' filter headers were compared
	grown    func()                    // told when filter headers were written
	gather   func()                    // returns when peers have had time to come
	mayDoubt func() bool               // asked before everything stored is given up
	params   *chaincfg.Params
	wanted   int // peers that have to agree before they are believed more than the store

	mu         sync.Mutex // held over each change of either store
	rolledBack bool       // filter headers were taken back and none written since
	once       sync.Once
}

// The functions of the library that panic, or whose caller does, when a store fails
// them. A test holds the names against the library.
var panicking = []string{".rollBackToHeight", ".getCheckpointedCFHeaders"}

// install puts the guard into a service that was not started yet. The library has
// no place for stores of others: the fields are found by name, and it is an error
// when they are not what they were.
func (g *guard) install(s *neutrino.ChainService) error {
	manager := reflect.ValueOf(s).Elem().FieldByName("blockManager")
	if manager.Kind() != reflect.Pointer || manager.IsNil() {
		return fmt.Errorf("light: the library has no block manager where it was")
	}
	conf := manager.Elem().FieldByName("cfg")
	if conf.Kind() != reflect.Pointer || conf.IsNil() {
		return fmt.Errorf("light: the library's block manager has no settings where they were")
	}
	blocks := &guardedBlocks{s.BlockHeaders, s.RegFilterHeaders, g}
	filters := &guardedFilters{s.RegFilterHeaders, s.BlockHeaders, g}
	ban := s.BanPeer
	ask := conf.Elem().FieldByName("queryAllPeers")
	if !ask.IsValid() || ask.Type() != reflect.TypeFor[query]() {
		return fmt.Errorf("light: the library asks all its peers in another way than it did")
	}
	all := *(*query)(unsafe.Pointer(ask.UnsafeAddr()))
	return errors.Join(
		put[headerfs.BlockHeaderStore](conf.Elem(), "BlockHeaders", blocks),
		put[headerfs.FilterHeaderStore](conf.Elem(), "RegFilterHeaders", filters),
		put(conf.Elem(), "BanPeer", func(addr string, reason banman.Reason) error {
			g.banned(addr, reason.String())
			return ban(addr, reason)
		}),
		put[query](conf.Elem(), "queryAllPeers", g.asking(all, blocks, filters)),
	)
}

// put sets a field of a struct that is out of reach otherwise.
func put[T any](of reflect.Value, name string, to T) error {
	f := of.FieldByName(name)
	if !f.IsValid() || !f.CanAddr() || f.Type() != reflect.TypeFor[T]() {
		return fmt.Errorf("light: the library's field %s is not what it was", name)
	}
	*(*T)(unsafe.Pointer(f.UnsafeAddr())) = to
	return nil
}

// failed is called with an error that a store is about to return. Where the library
// would answer it with a panic, the goroutine ends here, which no one else notices,
// and the client opens the library anew.
func (g *guard) failed(err error) {
	if err == nil || !onStack(panicking) {
		return
	}
	g.stop(err)
}

func (g *guard) stop(err error) {
	g.once.Do(func() { go g.broken(err) })
	runtime.Goexit()
}

// onStack reports whether a function of the block manager with one of these names
// is being run.
func onStack(names []string) bool {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		for _, name := range names {
			if strings.HasSuffix(frame.Function, "neutrino.(*blockManager)"+name) {
				return true
			}
		}
		if !more {
			return false
		}
	}
}

// guardedBlocks are the block headers as the block manager sees them.
type guardedBlocks struct {
	headerfs.BlockHeaderStore
	filters headerfs.FilterHeaderStore
	g       *guard
}

func (b *guardedBlocks) ChainTip() (*wire.BlockHeader, uint32, error) {
	h, height, err := b.BlockHeaderStore.ChainTip()
	b.g.failed(err)
	return h, height, err
}

func (b *guardedBlocks) FetchHeader(hash *chainhash.Hash) (*wire.BlockHeader, uint32, error) {
	h, height, err := b.BlockHeaderStore.FetchHeader(hash)
	b.g.failed(err)
	return h, height, err
}

func (b *guardedBlocks) FetchHeaderByHeight(height uint32) (*wire.BlockHeader, error) {
	h, err := b.BlockHeaderStore.FetchHeaderByHeight(height)
	b.g.failed(err)
	return h, err
}

func (b *guardedBlocks) FetchHeaderAncestors(n uint32, stop *chainhash.Hash) ([]wire.BlockHeader, uint32, error) {
	list, height, err := b.BlockHeaderStore.FetchHeaderAncestors(n, stop)
	b.g.failed(err)
	return list, height, err
}

func (b *guardedBlocks) WriteHeaders(list ...headerfs.BlockHeader) error {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	return b.BlockHeaderStore.WriteHeaders(list...)
}

// RollbackLastBlock does not take a header away that the filter headers end with:
// they could be neither read nor continued after that. The library looks once how
// far they reach when it begins to roll back, and may write one more meanwhile.
func (b *guardedBlocks) RollbackLastBlock() (*headerfs.BlockStamp, error) {
	stamp, err := b.rollback()
	b.g.failed(err)
	return stamp, err
}

func (b *guardedBlocks) rollback() (*headerfs.BlockStamp, error) {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	header, height, err := b.BlockHeaderStore.ChainTip()
	if err != nil {
		return nil, err
	}
	_, reach, err := b.filters.ChainTip()
	if err == nil && reach >= height {
		_, err = b.filters.RollbackLastBlock(&header.PrevBlock)
		b.g.rolledBack = true
	}
	if err != nil {
		return nil, err
	}
	return b.BlockHeaderStore.RollbackLastBlock()
}

// guardedFilters are the filter headers as the block manager sees them.
type guardedFilters struct {
	headerfs.FilterHeaderStore
	blocks headerfs.BlockHeaderStore
	g      *guard
}

// ChainTip is where the filter headers end. A batch that was asked for before they
// were taken back does not continue them: the library would panic on it.
func (f *guardedFilters) ChainTip() (*chainhash.Hash, uint32, error) {
	f.g.mu.Lock()
	stale := f.g.rolledBack
	f.g.mu.Unlock()
	if stale && onStack(panicking) {
		if onStack([]string{".writeCFHeadersMsg"}) {
			f.g.stop(errors.New("the chain was reorganised while filter headers were fetched in bulk"))
		}
		f.g.mu.Lock()
		f.g.rolledBack = false // a new batch begins here
		f.g.mu.Unlock()
	}
	hash, height, err := f.FilterHeaderStore.ChainTip()
	f.g.failed(err)
	return hash, height, err
}

// WriteHeaders refuses what ends with a block that is in the best chain no more.
func (f *guardedFilters) WriteHeaders(list ...headerfs.FilterHeader) error {
	err := f.write(list)
	f.g.failed(err)
	if err == nil {
		f.g.grown()
	}
	return err
}

func (f *guardedFilters) write(list []headerfs.FilterHeader) error {
	f.g.mu.Lock()
	defer f.g.mu.Unlock()
	if n := len(list); n > 0 {
		last := &list[n-1]
		if height, err := f.blocks.HeightFromHash(&last.HeaderHash); err != nil || height != last.Height {
			return fmt.Errorf("block %s left the best chain while its filter header was fetched", last.HeaderHash)
		}
		_, height, err := f.FilterHeaderStore.ChainTip()
		if err != nil {
			return err
		}
		if height+uint32(n) != last.Height {
			return fmt.Errorf("%d filter headers up to %d do not follow those up to %d", n, last.Height, height)
		}
	}
	err := f.FilterHeaderStore.WriteHeaders(list...)
	if err == nil {
		f.g.rolledBack = false
	}
	return err
}

// RollbackLastBlock takes the last filter header back, unless the block headers did
// so already.
func (f *guardedFilters) RollbackLastBlock(tip *chainhash.Hash) (*headerfs.BlockStamp, error) {
	stamp, err := f.rollback(tip)
	f.g.failed(err)
	return stamp, err
}

func (f *guardedFilters) rollback(tip *chainhash.Hash) (*headerfs.BlockStamp, error) {
	f.g.mu.Lock()
	defer f.g.mu.Unlock()
	want, err := f.blocks.HeightFromHash(tip)
	if err != nil {
		return nil, err
	}
	hash, height, err := f.FilterHeaderStore.ChainTip()
	if err != nil {
		return nil, err
	}
	if height <= want {
		return &headerfs.BlockStamp{Height: int32(height), Hash: *hash}, nil
	}
	f.g.rolledBack = true
	return f.FilterHeaderStore.RollbackLastBlock(tip)
}
