package light

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/lightninglabs/neutrino"

	"github.com/quittance/quittance/internal/chain"
)

// How long peers have to answer: variables for tests, whose peers are near.
var (
	inviteWait = 5 * time.Second         // for a peer to ask for what it was offered
	rejectWait = 1500 * time.Millisecond // for it to refuse what it got
	backWait   = 3 * time.Second         // for it to show what it seems to have already
)

// reply is what one peer makes of a transaction.
type reply struct {
	taken  bool   // it asked for it and did not refuse, or has it already
	reason string // why it refused
}

// Send offers a transaction to all peers at once. It is sent when one of them took
// it, or had it. A *chain.Rejected means that everybody who looked at it refused it;
// most nodes refuse without a word nowadays, which looks like taking it. Sending
// again does no harm, and is what brings it to peers that were not there before.
func (c *Client) Send(ctx context.Context, raw []byte) error {
	tx, err := btcutil.NewTxFromBytes(raw)
	if err != nil {
		return &chain.Rejected{Reason: "it is not a transaction: " + err.Error()}
	}
	if err := blockchain.CheckTransactionSanity(tx); err != nil {
		return &chain.Rejected{Reason: err.Error()}
	}
	var peers []*neutrino.ServerPeer
	err = c.use(func(s *neutrino.ChainService) error {
		peers = s.Peers()
		return nil
	})
	if err != nil {
		return err
	}
	if len(peers) == 0 {
		return errors.New("light: no peer is connected that could take the transaction")
	}
	answers := make(chan reply, len(peers))
	for _, p := range peers {
		go func() { answers <- offer(c.quit, p, tx) }()
	}
	var replies []reply
	for range peers {
		select {
		case r := <-answers:
			replies = append(replies, r)
			if r.taken {
				return c.verdict(*tx.Hash(), replies) // the others are offered it all the same
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return c.verdict(*tx.Hash(), replies)
}

// verdict sums up what the peers said.
func (c *Client) verdict(id chainhash.Hash, replies []reply) error {
	refusals := map[string]int{}
	why := ""
	for _, r := range replies {
		if r.taken {
			c.sent.add(id)
			return nil
		}
		if r.reason != "" {
			refusals[r.reason]++
			if refusals[r.reason] > refusals[why] {
				why = r.reason
			}
		}
	}
	switch {
	case why != "":
		return &chain.Rejected{Reason: why}
	case c.sent.has(id):
		return nil // they have it: nobody asks for what it got before
	}
	return errors.New("light: no peer asked for the transaction: they may have it already")
}

// offer announces a transaction to one peer, gives it, and waits for a refusal.
func offer(ctx context.Context, p *neutrino.ServerPeer, tx *btcutil.Tx) reply {
	messages, cancel := p.SubscribeRecvMsg()
	defer cancel()
	id := *tx.Hash()
	inv := wire.NewMsgInv()
	_ = inv.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessTx, &id)) // one always fits
	p.QueueMessageWithEncoding(inv, nil, wire.LatestEncoding)
	given, back := false, false
	deadline := time.NewTimer(inviteWait)
	defer deadline.Stop()
	for {
		select {
		case m := <-messages:
			switch m := m.(type) {
			case *wire.MsgGetData:
				if !given && asksFor(m, id) {
					given = true
					p.QueueMessageWithEncoding(tx.MsgTx(), nil, wire.WitnessEncoding)
					deadline.Reset(rejectWait)
				}
			case *wire.MsgReject:
				if m.Hash == id {
					return refusal(m)
				}
			case *wire.MsgTx:
				if back && m.TxHash() == id {
					return reply{taken: true}
				}
			}
		case <-deadline.C:
			if given || back {
				return reply{taken: given}
			}
			// It did not ask: does it have it?
			back = true
			get := wire.NewMsgGetData()
			_ = get.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessTx, &id))
			p.QueueMessageWithEncoding(get, nil, wire.LatestEncoding)
			deadline.Reset(backWait)
		case <-p.OnDisconnect():
			return reply{taken: given}
		case <-ctx.Done():
			return reply{taken: given}
		}
	}
}

func asksFor(m *wire.MsgGetData, id chainhash.Hash) bool {
	for _, v := range m.InvList {
		if v.Hash == id {
			return true
		}
	}
	return false
}

// refusal reads a reject message (BIP 61). What a peer has already is not refused,
// unless it is something else that spends the same.
func refusal(m *wire.MsgReject) reply {
	text := strings.ToLower(m.Reason)
	conflict := strings.Contains(text, "conflict") || strings.Contains(text, "spent")
	if m.Code == wire.RejectDuplicate && !conflict {
		return reply{taken: true}
	}
	return reply{reason: fmt.Sprintf("%s (%s)", m.Reason, m.Code)}
}

// sentList remembers what peers have taken since the start.
type sentList struct {
	mu   sync.Mutex
	list map[chainhash.Hash]bool
}

const maxSent = 10_000

func (s *sentList) add(id chainhash.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil || len(s.list) >= maxSent {
		s.list = map[chainhash.Hash]bool{}
	}
	s.list[id] = true
}

func (s *sentList) has(id chainhash.Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list[id]
}

// Cost is chain.ErrNotFound: nothing is known of transactions that wait.
func (c *Client) Cost(context.Context, string) (chain.Cost, error) {
	return chain.Cost{}, chain.ErrNotFound
}

// Unspent cannot be answered: an output is found by where it is, which StillUnspent
// is told.
func (c *Client) Unspent(_ context.Context, coins []chain.Outpoint) ([]chain.Outpoint, error) {
	if len(coins) == 0 {
		return nil, nil
	}
	return nil, errors.New("light: outputs cannot be looked up by their names alone")
}
