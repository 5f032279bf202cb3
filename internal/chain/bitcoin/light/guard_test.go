package light

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/btcsuite/btcwallet/walletdb"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/headerfs"
)

// stores are both header stores, with a chain of made-up headers in them.
type stores struct {
	t       testing.TB
	dir     string
	db      walletdb.DB
	blocks  *guardedBlocks
	filters *guardedFilters
	chain   []wire.BlockHeader
}

func openTestStores(t testing.TB, dir string) *stores {
	t.Helper()
	db, mended, err := openStores(dir)
	must(t, err)
	if mended != "" {
		t.Errorf("to be put right: %s", mended)
	}
	params := &chaincfg.RegressionNetParams
	b, err := headerfs.NewBlockHeaderStore(dir, db, params)
	must(t, err)
	f, err := headerfs.NewFilterHeaderStore(dir, db, headerfs.RegularFilter, params, nil)
	must(t, err)
	g := &guard{params: params, broken: func(error) {}, grown: func() {}}
	s := &stores{t: t, dir: dir, db: db, chain: []wire.BlockHeader{params.GenesisBlock.Header}}
	s.blocks = &guardedBlocks{b, f, g}
	s.filters = &guardedFilters{f, b, g}
	return s
}

// grow adds block headers.
func (s *stores) grow(n int, branch uint32) {
	s.t.Helper()
	var list []headerfs.BlockHeader
	for range n {
		last := s.chain[len(s.chain)-1]
		h := wire.BlockHeader{PrevBlock: last.BlockHash(), Nonce: branch, Timestamp: last.Timestamp.Add(time.Second)}
		s.chain = append(s.chain, h)
		list = append(list, headerfs.BlockHeader{BlockHeader: &h, Height: uint32(len(s.chain) - 1)})
	}
	must(s.t, s.blocks.WriteHeaders(list...))
}

// filtersFor makes the filter headers of the blocks between two heights.
func (s *stores) filtersFor(from, to int) (list []headerfs.FilterHeader) {
	for h := from; h <= to; h++ {
		f := headerfs.FilterHeader{HeaderHash: s.chain[h].BlockHash(), Height: uint32(h)}
		f.FilterHash = chainhash.HashH(f.HeaderHash[:])
		list = append(list, f)
	}
	return list
}

// undo takes block headers off as the library does: it looks at first how far the
// filter headers reach.
func (s *stores) undo(n int, meanwhile func()) error {
	_, reach, err := s.filters.ChainTip()
	if err != nil {
		return err
	}
	if meanwhile != nil {
		meanwhile()
	}
	for range n {
		height := uint32(len(s.chain) - 1)
		prev := s.chain[height].PrevBlock
		if height <= reach {
			stamp, err := s.filters.RollbackLastBlock(&prev)
			if err != nil {
				return err
			}
			reach = uint32(stamp.Height)
		}
		if _, err := s.blocks.RollbackLastBlock(); err != nil {
			return err
		}
		s.chain = s.chain[:height]
	}
	return nil
}

// agree checks that both stores can be read and end with the same block, or with an
// earlier one for the filters, now and after they were opened again.
func (s *stores) agree(height, reach uint32) {
	s.t.Helper()
	look := func(s *stores) {
		_, h, err := s.blocks.BlockHeaderStore.ChainTip()
		must(s.t, err)
		tip, f, err := s.filters.FilterHeaderStore.ChainTip()
		must(s.t, err)
		if h != height || f != reach {
			s.t.Errorf("the stores end at %d and %d, not %d and %d", h, f, height, reach)
		}
		if f > 0 {
			block, err := s.blocks.FetchHeaderByHeight(f)
			must(s.t, err)
			hash := block.BlockHash()
			if want := chainhash.HashH(hash[:]); *tip != want {
				s.t.Errorf("the last filter header is not that of block %d", f)
			}
		}
	}
	look(s)
	must(s.t, s.db.Close())
	again := openTestStores(s.t, s.dir)
	look(again)
	s.db, s.blocks, s.filters = again.db, again.blocks, again.filters
}

// Filter headers arrive while the blocks that they belong to are taken back. Without
// the guard the store of the filter headers ends with a block that nobody knows, from
// which there is no way on: each later rollback panics, and it cannot be opened.
func TestFilterHeadersThatArriveInAReorganisationAreRefusedOrTakenBack(t *testing.T) {
	t.Run("written between the library's look and its rollback", func(t *testing.T) {
		s := openTestStores(t, t.TempDir())
		s.grow(20, 1)
		must(t, s.filters.WriteHeaders(s.filtersFor(1, 19)...))
		must(t, s.undo(3, func() { must(t, s.filters.WriteHeaders(s.filtersFor(20, 20)...)) }))
		s.agree(17, 17)
		s.grow(4, 2)
		must(t, s.filters.WriteHeaders(s.filtersFor(18, 21)...))
		s.agree(21, 21)
		must(t, s.db.Close())
	})
	t.Run("written after the rollback", func(t *testing.T) {
		s := openTestStores(t, t.TempDir())
		s.grow(20, 1)
		must(t, s.filters.WriteHeaders(s.filtersFor(1, 18)...))
		late := s.filtersFor(19, 20)
		must(t, s.undo(1, nil))
		if err := s.filters.WriteHeaders(late...); err == nil {
			t.Error("filter headers of a block that is gone were written")
		}
		s.agree(19, 18)
		s.grow(3, 2)
		if err := s.filters.WriteHeaders(s.filtersFor(20, 22)...); err == nil {
			t.Error("filter headers were written with one missing before them")
		}
		must(t, s.filters.WriteHeaders(s.filtersFor(19, 22)...))
		s.agree(22, 22)
		must(t, s.db.Close())
	})
	t.Run("written all the time", func(t *testing.T) {
		s := openTestStores(t, t.TempDir())
		s.grow(200, 1)
		chain := slices.Clone(s.chain)
		var group sync.WaitGroup
		group.Go(func() {
			writer := &stores{chain: chain}
			for h := 1; h <= 200; h++ {
				if s.filters.WriteHeaders(writer.filtersFor(h, h)...) != nil {
					return
				}
			}
		})
		must(t, s.undo(150, nil))
		group.Wait()
		_, reach, err := s.filters.FilterHeaderStore.ChainTip()
		must(t, err)
		s.agree(50, reach)
		must(t, s.db.Close())
	})
}

// A goroutine that the library would panic in ends, says why, and gives back what it
// holds.
func TestWhereTheLibraryWouldPanicTheGoroutineEnds(t *testing.T) {
	s := openTestStores(t, t.TempDir())
	why := make(chan error, 2)
	s.blocks.g.broken = func(err error) { why <- err }
	if onStack(panicking) {
		t.Fatal("a test is taken for the library")
	}
	ended := make(chan bool, 1)
	go func() {
		returned := false
		defer func() { ended <- !returned }()
		s.blocks.g.stop(errors.New("the store is full"))
		returned = true
	}()
	if !<-ended {
		t.Error("the goroutine went on")
	}
	if err := <-why; err.Error() != "the store is full" {
		t.Errorf("it was said that %v", err)
	}
	must(t, s.db.Close())
}

// Lists of checkpoints that are shorter or longer than the chain never reach the
// library, which reckons with their length.
func TestOnlyWholeListsOfCheckpointsReachTheLibrary(t *testing.T) {
	s := openTestStores(t, t.TempDir())
	s.grow(3500, 1)
	stop := s.chain[3500].BlockHash()
	for n, passes := range map[int]bool{0: false, 1: false, 2: false, 3: true, 4: false} {
		seen := false
		q := wire.NewMsgGetCFCheckpt(wire.GCSFilterRegular, &stop)
		check := s.blocks.g.wholeLists(q, func(*neutrino.ServerPeer, wire.Message, chan<- struct{}, chan<- struct{}) { seen = true }, s.blocks)
		list := wire.NewMsgCFCheckpt(wire.GCSFilterRegular, &stop, n)
		for range n {
			_ = list.AddCFHeader(&chainhash.Hash{1})
		}
		check(nil, list, nil, nil)
		if seen != passes {
			t.Errorf("a list of %d: %v", n, seen)
		}
	}
	must(t, s.db.Close())
}
