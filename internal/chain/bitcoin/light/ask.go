package light

import (
	"errors"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/lightninglabs/neutrino"
)

// answer is called with what one peer sent; closing done ends the wait for that
// peer, closing quit for all.
type answer = func(from *neutrino.ServerPeer, m wire.Message, quit, done chan<- struct{})

// query asks all peers at once.
type query = func(wire.Message, func(*neutrino.ServerPeer, wire.Message, chan<- struct{}, chan<- struct{}), ...neutrino.QueryOption)

// errOurHeaders means that peers continue other filter headers than ours.
var errOurHeaders = errors.New("peers have other filter headers than those that were stored")

// asking wraps how the block manager asks all its peers. It counts whose filter
// headers are compared, keeps answers away that the library takes no care of, and
// ends the goroutine before the library bans everybody for not agreeing with what
// is stored. When the library was just opened it waits for peers: the first one must
// not say alone what the filters are.
func (g *guard) asking(all query, blocks *guardedBlocks, filters *guardedFilters) query {
	return func(m wire.Message, check func(*neutrino.ServerPeer, wire.Message, chan<- struct{}, chan<- struct{}), options ...neutrino.QueryOption) {
		g.gather()
		switch q := m.(type) {
		case *wire.MsgGetCFCheckpt:
			all(m, g.wholeLists(q, check, blocks), options...)
		case *wire.MsgGetCFHeaders:
			before := map[string]chainhash.Hash{}
			all(m, func(from *neutrino.ServerPeer, r wire.Message, quit, done chan<- struct{}) {
				if h, ok := r.(*wire.MsgCFHeaders); ok && h.StopHash == q.StopHash && len(h.FilterHashes) > 0 {
					before[from.Addr()] = h.PrevFilterHeader
				}
				check(from, r, quit, done)
			}, options...)
			if len(before) > 0 {
				g.compared(len(before))
			}
			g.outvoted(q.StartHeight, before, filters)
		default:
			all(m, check, options...)
		}
	}
}

// wholeLists lets only lists of checkpoints through that are as long as the chain
// is. The library takes the first of them when they agree as far as they go, and
// reckons with its length: a list of one, from one peer, has it ask for gigabytes
// of memory.
func (g *guard) wholeLists(q *wire.MsgGetCFCheckpt, check answer, blocks *guardedBlocks) answer {
	height, err := blocks.BlockHeaderStore.HeightFromHash(&q.StopHash)
	for _, c := range g.params.Checkpoints {
		if *c.Hash == q.StopHash {
			height, err = uint32(c.Height), nil
		}
	}
	return func(from *neutrino.ServerPeer, r wire.Message, quit, done chan<- struct{}) {
		if list, ok := r.(*wire.MsgCFCheckpt); ok && list.StopHash == q.StopHash {
			if err != nil || len(list.FilterHeaders) != int(height/wire.CFCheckptInterval) {
				return
			}
		}
		check(from, r, quit, done)
	}
}

// outvoted looks whether at least half of those who were asked to continue the stored
// filter headers continue other ones. The library bans them all, on the word of
// whoever it heard first. To fetch all filter headers again is to have them compared
// from the beginning, between those who are there now, and settled by the blocks.
func (g *guard) outvoted(start uint32, before map[string]chainhash.Hash, filters *guardedFilters) {
	tip, height, err := filters.FilterHeaderStore.ChainTip()
	// Had the chain been reorganised in between, the height would be another one.
	if err != nil || start != height+1 || len(before) < g.wanted {
		return
	}
	others := 0
	for _, h := range before {
		if h != *tip {
			others++
		}
	}
	if others > 0 && 2*others >= len(before) && g.mayDoubt() {
		g.stop(errOurHeaders)
	}
}
