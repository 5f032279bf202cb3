package sweep

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/money"
)

var words = strings.Repeat("abandon ", 11) + "about"

const payee = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newChain(t *testing.T) *sandbox.Chain {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c, err := sandbox.Open(sandbox.Config{Dir: t.TempDir(), Now: func() time.Time { return now }, Rand: rand.NewChaCha8([32]byte{5})})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

func pay(t *testing.T, c *sandbox.Chain, address string, amount uint64) {
	t.Helper()
	_, err := c.Pay(t.Context(), sandbox.PayOptions{Outputs: []sandbox.Output{{Address: address, Amount: amount}}})
	must(t, err)
}

func account(t *testing.T, kind bitcoin.Kind, number uint32) *bitcoin.Account {
	t.Helper()
	seed, err := bitcoin.SeedFromMnemonic(words, "")
	must(t, err)
	a, err := bitcoin.AccountFromSeed(seed, kind, bitcoin.Regtest, number)
	must(t, err)
	return a
}

func at(t *testing.T, a *bitcoin.Account, change bool, index uint32) string {
	t.Helper()
	own := a.Address
	if change {
		own = a.Change
	}
	addr, _, err := own(index)
	must(t, err)
	return addr
}

func script(t *testing.T, address string) []byte {
	t.Helper()
	s, err := bitcoin.AddressScript(address, bitcoin.Regtest)
	must(t, err)
	return s
}

// All kinds of addresses of a seed, receiving and change, with gaps below 20, are found
// and emptied by one transaction that the network takes.
func TestAnOldSeedIsFoundAndEmptied(t *testing.T) {
	c := newChain(t)
	ctx, sum := t.Context(), uint64(0)
	add := func(a *bitcoin.Account, change bool, index uint32, amount uint64) {
		pay(t, c, at(t, a, change, index), amount)
		sum += amount
	}
	for i, kind := range bitcoin.Regtest.Kinds {
		a := account(t, kind, 0)
		add(a, false, 0, 100_000+uint64(i))
		add(a, false, 19, 50_000)
		add(a, true, 3, 40_000)
	}
	add(account(t, bitcoin.BIP84, 0), false, 38, 30_000)             // 19 unused ones after index 19
	pay(t, c, at(t, account(t, bitcoin.BIP84, 1), false, 0), 77_000) // another account
	_, err := c.Mine(ctx, 1)
	must(t, err)
	old, err := Open("  "+strings.ToUpper(words)+"\n", "", 1, bitcoin.Regtest)
	must(t, err)
	// The sandbox cannot search what is unspent: its blocks are read, 20 addresses far.
	s := On(nil, c, 0, Gap)
	s.First = Gap
	coins, err := old.Coins(ctx, s)
	must(t, err)
	var found uint64
	for _, k := range coins {
		sat, _ := k.Amount.Uint64()
		found += sat
	}
	if len(coins) != 13 || found != sum {
		t.Fatalf("%d coins of %d satoshi are found, 13 of %d are there", len(coins), found, sum)
	}
	tx, err := old.Build(coins, script(t, payee), 3_000)
	must(t, err)
	fee, _ := tx.Fee.Uint64()
	arrives, _ := tx.Amount.Uint64()
	if arrives+fee != sum || fee < uint64(tx.VSize)*3 || fee > uint64(tx.VSize)*33/10 {
		t.Errorf("%d arrive, %d is the fee for %d vB", arrives, fee, tx.VSize)
	}
	must(t, c.Send(ctx, tx.Raw))
	_, err = c.Mine(ctx, 1)
	must(t, err)
	got, err := Walk(ctx, c, 0, [][]byte{script(t, payee)})
	must(t, err)
	if len(got.Coins) != 1 || got.Coins[0].Txid != tx.ID || got.Coins[0].Amount.Cmp(tx.Amount) != 0 {
		t.Errorf("what arrived is %+v", got.Coins)
	}
	// Nothing is left, and a second account is found when it is asked for.
	if left, err := old.Coins(ctx, s); err != nil || len(left) != 0 {
		t.Errorf("%d coins are left: %v", len(left), err)
	}
	two, err := Open(words, "", 2, bitcoin.Regtest)
	must(t, err)
	if left, err := two.Coins(ctx, s); err != nil || len(left) != 1 || left[0].Path() != "bip84 0/0" {
		t.Errorf("of two accounts %d coins are found: %v", len(left), err)
	}
}

// One private key, and the extended key of one account, are emptied too.
func TestAPrivateKeyIsEmptied(t *testing.T) {
	c := newChain(t)
	ctx := t.Context()
	raw, _ := hex.DecodeString("0c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d")
	key, pub := btcec.PrivKeyFromBytes(raw)
	wif := func(compressed bool) string {
		w, err := btcutil.NewWIF(key, bitcoin.Regtest.Params, compressed)
		must(t, err)
		return w.String()
	}
	for _, compressed := range []bool{true, false} {
		for _, kind := range bitcoin.Regtest.Kinds {
			if !compressed && kind != bitcoin.BIP44 {
				continue
			}
			s, err := scriptOf(kind, pub, compressed)
			must(t, err)
			addr, ok := bitcoin.ScriptAddress(s, bitcoin.Regtest)
			if !ok {
				t.Fatal("no address")
			}
			pay(t, c, addr, 60_000)
		}
	}
	acc := account(t, bitcoin.BIP86, 0)
	pay(t, c, at(t, acc, true, 7), 60_000)
	_, err := c.Mine(ctx, 1)
	must(t, err)
	seed, err := bitcoin.SeedFromMnemonic(words, "")
	must(t, err)
	master, err := hdkeychain.NewMaster(seed, bitcoin.Regtest.Params)
	must(t, err)
	account, err := derive(master, hard(86), hard(1), hard(0))
	must(t, err)
	for secret, want := range map[string]int{wif(true): 4, wif(false): 1, account.String(): 1} {
		old, err := Open(secret, "", 1, bitcoin.Regtest)
		must(t, err)
		coins, err := old.Coins(ctx, On(nil, c, 0, Gap))
		must(t, err)
		if len(coins) != want {
			t.Errorf("%d coins, not %d", len(coins), want)
		}
		tx, err := old.Build(coins, script(t, payee), 2_000)
		must(t, err)
		must(t, c.Send(ctx, tx.Raw))
		if text := fmt.Sprintf("%v %+v %#v", old, old, old); strings.Contains(text, hex.EncodeToString(raw)) || text != "[keys] [keys] [keys]" {
			t.Errorf("the keys show: %s", text)
		}
	}
	// The seed's own extended key knows the account as well.
	old, err := Open(master.String(), "", 1, bitcoin.Regtest)
	must(t, err)
	found, err := old.Coins(ctx, On(nil, c, 0, Gap))
	must(t, err)
	if len(found) != 1 { // unconfirmed spends are the caller's to look up
		t.Errorf("%d coins by the seed's key", len(found))
	}
}

// What cannot be swept is refused in a sentence that repeats nothing of the secret.
func TestWhatCannotBeSweptIsRefusedInASentence(t *testing.T) {
	seed, err := bitcoin.SeedFromMnemonic(words, "")
	must(t, err)
	master, err := hdkeychain.NewMaster(seed, bitcoin.Regtest.Params)
	must(t, err)
	deep, err := derive(master, hard(84), hard(1), hard(0), 0)
	must(t, err)
	for secret, want := range map[string]string{
		"": "no words and no key", "abandon ability": "neither 12 to 24 words", strings.Repeat("abandon ", 12): "not a seed of BIP 39",
		account(t, bitcoin.BIP84, 0).XPub(): "public key", deep.String(): "at depth 4",
		"KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn":                                                            "not of network",
		"xprv9s21ZrQH143K3GJpoapnV8SFfukcVBSfeCficPSGfubmSFDxo1kuHnLisriDvSnRRuL2Qrg5ggqHKNVpxR86QEC8w35uxmGoggxtQTPvfUu": "not of network",
	} {
		if _, err := Open(secret, "", 1, bitcoin.Regtest); err == nil || !strings.Contains(err.Error(), want) || len(secret) > 30 && strings.Contains(err.Error(), strings.TrimSpace(secret)) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	old, err := Open(words, "", 1, bitcoin.Regtest)
	must(t, err)
	b := old.branches[0]
	d, err := b.destination()
	must(t, err)
	coin := func(sat uint64) Coin {
		return Coin{chain.Found{Outpoint: chain.Outpoint{Txid: strings.Repeat("ab", 32)}, Amount: money.NewUnits(sat), To: d.script}, d}
	}
	for want, c := range map[string]struct {
		coins []Coin
		rate  uint64
	}{
		"nothing was found": {nil, 1_000}, "costs more to spend": {[]Coin{coin(68)}, 1_000}, "are too little": {[]Coin{coin(300)}, 1_000}, "wait until the network is cheaper": {[]Coin{coin(1e8)}, 5_000_000},
	} {
		if _, err := old.Build(c.coins, script(t, payee), c.rate); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// A node that lies about what a coin is worth, where a signature would not cover that,
// is found out by the block.
func TestANodeThatLiesAboutAnAmountIsFoundOut(t *testing.T) {
	c := newChain(t)
	ctx := t.Context()
	pay(t, c, at(t, account(t, bitcoin.BIP44, 0), false, 0), 90_000)
	_, err := c.Mine(ctx, 1)
	must(t, err)
	old, err := Open(words, "", 1, bitcoin.Regtest)
	must(t, err)
	if _, err := old.Coins(ctx, On(liar{c}, c, 0, Gap)); err == nil || !strings.Contains(err.Error(), "its block does not") {
		t.Errorf("the lie was believed: %v", err)
	}
	if _, err := old.Coins(ctx, On(liar{}, c, 0, Gap)); !errors.Is(err, errLiar) {
		t.Errorf("a node that fails: %v", err)
	}
}

// liar is a node that says half of the truth.
type liar struct{ chain chain.Source }

var errLiar = errors.New("the node does not answer")

func (l liar) FindCoins(ctx context.Context, scripts [][]byte) ([]chain.Found, error) {
	if l.chain == nil {
		return nil, errLiar
	}
	f, err := Walk(ctx, l.chain, 0, scripts)
	if err != nil {
		return nil, err
	}
	for i := range f.Coins {
		sat, _ := f.Coins[i].Amount.Uint64()
		f.Coins[i].Amount = money.NewUnits(sat / 2)
	}
	return f.Coins, nil
}
