package watch

import (
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/merchant"
)

// A wallet that is made here is as old as the block that was followed last; one that is
// brought in is as old as is said. A day is looked up in the chain, and lies before
// every block of that day.
func TestAWalletKnowsFromWhenOnItCanHaveBeenPaid(t *testing.T) {
	w := newWorld(t)
	add := func(in merchant.Wallet, account uint32) *merchant.Wallet {
		t.Helper()
		m, _, err := w.app.CreateMerchant(w.ctx, "Other", merchant.Settings{})
		w.check(err)
		acc, err := bitcoin.AccountFromSeed(w.seed, bitcoin.BIP84, bitcoin.Regtest, account)
		w.check(err)
		in.Merchant, in.Kind, in.XPub = m.ID, "bip84", acc.XPub()
		_, err = w.app.OpenWallet(w.ctx, "BTC", in)
		w.check(err)
		list, err := w.app.Wallets(w.ctx, m.ID)
		w.check(err)
		return list[0]
	}
	before, err := w.chain.Tip(w.ctx)
	w.check(err)
	made := add(merchant.Wallet{SealedSeed: "00"}, 1)
	if got := made.Born(); got.Height != before.Height || !got.At.Equal(w.clock.now()) {
		t.Errorf("made here at block %d, it was born %+v", before.Height, got)
	}
	if got := add(merchant.Wallet{}, 2).Born(); got != (merchant.Birthday{}) {
		t.Errorf("brought in without a birthday, it was born %+v", got)
	}
	if got := add(merchant.Wallet{Birth: merchant.Birthday{Height: 7}}, 3).Born(); got.Height != 7 {
		t.Errorf("brought in, it was born %+v", got)
	}
	if old := (&merchant.Wallet{SealedSeed: "00", Created: start}).Born(); old.At != start {
		t.Errorf("made here before birthdays were kept, it was born %+v", old)
	}
	// Ten blocks, a day apart.
	for range 10 {
		w.clock.forward(24 * time.Hour)
		w.mine(1)
	}
	day := start.Add(5 * 24 * time.Hour)
	height, err := app.BirthHeight(w.ctx, merchant.Birthday{At: day}, w.chain)
	w.check(err)
	if height != before.Height+5 {
		t.Errorf("the day of block %d begins at %d", before.Height+5, height)
	}
	for at, want := range map[time.Time]int64{time.Unix(0, 0): 0, w.clock.now().Add(48 * time.Hour): before.Height + 10} {
		if got, err := app.BirthHeight(w.ctx, merchant.Birthday{At: at}, w.chain); err != nil || got != want {
			t.Errorf("%s is at %d, not %d: %v", at, got, want, err)
		}
	}
	if got, err := app.Dated(w.ctx, merchant.Birthday{Height: height}, w.chain); err != nil || got.At.Sub(day).Abs() > time.Hour {
		t.Errorf("block %d is of %s, not of %s: %v", height, got.At, day, err)
	}
	// A shop that used its addresses elsewhere goes on behind them, with change too.
	used := add(merchant.Wallet{NextIndex: 40}, 4)
	index, change, err := w.app.WalletMarks(w.ctx, used.ID)
	w.check(err)
	if index != 40 || change != 40 {
		t.Errorf("the next indices are %d and %d", index, change)
	}
	w.verified()
}
