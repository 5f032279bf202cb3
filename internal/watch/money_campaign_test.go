package watch

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// till is a shop that pays refunds, payouts and settlements while the chain below
// it is reorganised as deep as a hundred blocks.
type till struct {
	*drill
	base     int64 // blocks below were there before
	settled  int
	deep     int
	finished map[string]int
}

func newMoney(t *testing.T, seed uint64) *till {
	m := &till{drill: newDrill(t, seed), finished: map[string]int{}}
	tip, err := m.chain.Tip(m.ctx)
	m.check(err)
	m.base = tip.Height
	m.mine(40)
	m.sync()
	_, err = m.app.ChangeMerchant(m.ctx, m.shop.ID, func(s *merchant.Merchant) error {
		s.Settings.SettlementRail, s.Settings.SettlementAddress, s.Settings.SettlementMinimum = "wallet", elsewhere, 100
		return nil
	})
	m.check(err)
	m.shop, err = m.app.FindMerchant(m.ctx, m.shop.ID)
	m.check(err)
	return m
}

// step lets one thing happen.
func (m *till) step() {
	m.t.Helper()
	switch m.r.IntN(13) {
	case 0, 1:
		m.complete()
	case 2, 3:
		m.payout()
	case 4:
		m.drill.refund()
	case 5:
		if s, err := m.app.SettleNow(m.ctx, m.shop, "USD"); err == nil && s != nil {
			m.settled++
		}
	case 6:
		m.hurry()
	case 7, 8:
		m.mine(1 + m.r.IntN(12))
	case 9:
		m.reorganise()
	case 10:
		m.again()
	case 11:
		m.cheat()
	case 12:
		m.pay(m.sellTo("over@example.com"), due+uint64(1000+m.r.IntN(9000)))
	}
	m.sync()
	if m.r.IntN(4) > 0 {
		m.check(m.app.DecideUnapplied(m.ctx))
		m.work()
	}
	m.clock.forward(time.Duration(m.r.IntN(20)) * time.Minute)
}

// cheat pays an invoice, perhaps waits a little, and takes the money back.
func (m *till) cheat() {
	m.t.Helper()
	inv := m.sellTo("thief@example.com")
	txid := m.pay(inv, due)
	m.sync()
	if m.r.IntN(2) == 0 {
		m.mine(1 + m.r.IntN(7))
		m.sync()
		m.check(m.app.DecideUnapplied(m.ctx))
		m.reorganise()
	}
	_, _, _ = m.chain.ConflictInBlock(m.ctx, txid, sandbox.ReplaceOptions{}) // one that is mined stays
}

// hurry raises a fee or lifts, where that is possible.
func (m *till) hurry() {
	list := m.transfers()
	if len(list) == 0 {
		return
	}
	t := list[m.r.IntN(len(list))]
	if m.r.IntN(2) == 0 {
		_ = m.app.BumpTransfer(m.ctx, t.ID, uint64(8000+m.r.IntN(20_000)))
		return
	}
	if a := t.Attempt(); a.Txid != "" {
		_, _ = m.app.Lift(m.ctx, a.Txid, uint64(8000+m.r.IntN(20_000)))
	}
}

// reorganise replaces up to a hundred blocks, none of before.
func (m *till) reorganise() {
	tip, err := m.chain.Tip(m.ctx)
	m.check(err)
	if most := min(int(tip.Height-m.base), 100); most > 0 {
		depth := 1 + m.r.IntN(most)
		m.reorg(depth, sandbox.ReorgOptions{Unmined: m.r.IntN(2) == 0})
		m.deep = max(m.deep, depth)
	}
}

// The campaign money: refunds, payouts, settlements and lifts in every stage meet
// reorganisations 1 to 100 blocks deep and restarts. After each reading of the chain
// every invariant holds, and in the end each payee was paid once. QUITTANCE_HISTORIES
// sets how many histories, QUITTANCE_SEED plays one alone.
func TestMoneyCampaign(t *testing.T) {
	from, to := uint64(0), uint64(3)
	if n, err := strconv.ParseUint(os.Getenv("QUITTANCE_HISTORIES"), 10, 64); err == nil {
		to = n
	}
	if n, err := strconv.ParseUint(os.Getenv("QUITTANCE_SEED"), 10, 64); err == nil {
		from, to = n, n+1
	}
	for seed := from; seed < to; seed++ {
		t.Run(fmt.Sprintf("history %d", seed), func(t *testing.T) { moneyHistory(t, seed) })
	}
}

// paidOnce: what was funded arrived, and what was not did not.
func (m *till) paidOnce() {
	m.t.Helper()
	got := m.arrived()
	m.check(m.store.View(m.ctx, func(tx *store.Tx) error {
		list, err := tx.ListPayouts(store.PayoutFilter{Limit: 10_000})
		for _, p := range list {
			if want := map[payout.Status]int{payout.Complete: 1, payout.New: 0}; got[p.Terms.Reference] != want[p.Status] || p.Status == payout.Funded {
				m.t.Errorf("payout %s is %s and arrived %d times: %s", p.ID, p.Status, got[p.Terms.Reference], p.State.Problem)
			}
		}
		return err
	}))
}

func moneyHistory(t *testing.T, seed uint64) {
	m := newMoney(t, seed)
	for range 60 {
		m.step()
		m.verified()
		if t.Failed() {
			return
		}
	}
	for range 20 {
		m.clock.forward(11 * time.Minute)
		m.work()
		m.mine(1)
		m.sync()
	}
	m.mine(6)
	m.sync()
	m.verified()
	for _, tr := range m.transfers() {
		m.finished[string(tr.State)]++
		if tr.State != transfer.Confirmed && !tr.Lifts() {
			t.Errorf("transfer %s is %s: %s", tr.ID, tr.State, tr.Problem)
		}
	}
	for address, n := range m.arrived() {
		if n != 1 {
			t.Errorf("%s was paid %d times", address, n)
		}
	}
	m.paidOnce()
	m.solvent()
	if books, held := m.inWallet(), m.holdings(); books.Cmp(held) != 0 {
		t.Errorf("the keys own %s satoshi, the database knows of %s", held, books)
	}
	t.Logf("transfers %v, %d settlements, reorganisations up to %d blocks", m.finished, m.settled, m.deep)
}
