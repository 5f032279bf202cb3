package watch

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/jsonl"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/payout"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// diary is a journal in a file, as the program keeps it.
type diary struct{ *jsonl.File[app.Note] }

func (diary) ID() string { return "diary" }

// each is how many backups of one history are put back.
const each = 5

// drill is a shop whose database is put back from older copies.
type drill struct {
	*world
	r       *rand.Rand
	copies  []string        // of the database, in the order they were made
	payees  map[string]bool // every address that money was to leave to
	given   map[string]bool // every address that was handed out
	refunds map[string]string
	n       int

	recalled int // payments that a backup had forgotten
}

func newDrill(t *testing.T, seed uint64) *drill {
	d := &drill{r: rand.New(rand.NewPCG(seed, 3)), payees: map[string]bool{}, given: map[string]bool{}, refunds: map[string]string{}}
	d.world = newWorld(t)
	f, err := jsonl.Open[app.Note](filepath.Join(d.dir, "journal.jsonl"))
	d.check(err)
	t.Cleanup(func() { d.check(f.Close()) })
	d.journal = diary{f}
	d.again()
	_, err = d.app.ChangeMerchant(d.ctx, d.shop.ID, func(m *merchant.Merchant) error {
		m.Settings.PayoutRuns = "now"
		return nil
	})
	d.check(err)
	d.shop, err = d.app.FindMerchant(d.ctx, d.shop.ID)
	d.check(err)
	for range 4 {
		d.complete()
	}
	return d
}

// again stops the server and starts it.
func (d *drill) again() {
	d.off()
	d.on()
}

// complete sells something for 10 USD, to a buyer who can be reached.
func (d *drill) complete() *invoice.Invoice {
	d.t.Helper()
	inv, err := d.app.CreateInvoice(d.ctx, app.NewInvoice{
		Merchant: d.shop, Token: d.token, Price: "100", Order: invoice.Order{Currency: "USD", Speed: invoice.Medium, Buyer: &invoice.Buyer{Email: "b@example.com"}},
	})
	d.check(err)
	d.handedOut(inv)
	d.pay(inv, 10*due)
	d.mine(6)
	d.sync()
	return inv
}

// handedOut checks that no address was given to two buyers, ever.
func (d *drill) handedOut(inv *invoice.Invoice) {
	d.t.Helper()
	address := inv.Terms.Options[0].Address
	if d.given[address] {
		d.t.Errorf("address %s was handed out twice", address)
	}
	d.given[address] = true
}

// nobody is an address that nothing was paid to yet.
func (d *drill) nobody() string {
	d.n++
	acc, err := bitcoin.AccountFromSeed(make([]byte, 32), bitcoin.BIP84, bitcoin.Regtest, 9)
	d.check(err)
	address, _, err := acc.Address(uint32(d.n))
	d.check(err)
	d.payees[address] = true
	return address
}

// payout promises bitcoin to somebody new.
func (d *drill) payout() {
	d.t.Helper()
	address := d.nobody()
	list, err := d.app.SubmitRecipients(d.ctx, app.NewRecipients{Merchant: d.shop, Token: d.token, List: []recipient.Invitation{{Email: address + "@example.com"}}})
	d.check(err)
	d.check(d.store.Update(d.ctx, func(tx *store.Tx) error {
		p, err := tx.Recipient(list[0].ID)
		if err != nil {
			return err
		}
		p.Status, p.State.Addresses = recipient.Active, []recipient.Address{{Asset: "BTC", Address: address, Proof: recipient.Proof{Kind: recipient.ByTestAmount, Test: "t"}, Given: d.clock.now(), From: d.clock.now()}}
		return tx.SetRecipient(p)
	}))
	_, err = d.app.CreatePayout(d.ctx, app.PayoutRequest{Merchant: d.shop, Token: d.token, Signature: address}, app.NewPayout{
		Recipient: list[0].ID, Amount: fmt.Sprintf("0.000%d", 110+d.r.IntN(90)), Terms: payout.Terms{Currency: "BTC", LedgerCurrency: "USD", Effective: d.clock.now(), Reference: address},
	})
	d.check(err)
}

// refund gives a part of an invoice back, to an address that the buyer names now or
// later.
func (d *drill) refund() {
	d.t.Helper()
	inv := d.complete()
	f, err := d.app.CreateRefund(d.ctx, app.NewRefund{Merchant: d.shop, Token: d.token, Invoice: inv.ID, Amount: "20", BuyerPays: true})
	d.check(err)
	d.refunds[f.ID] = d.nobody()
	if d.r.IntN(2) == 0 {
		d.claim(f)
	}
}

func (d *drill) claim(f *refund.Refund) {
	d.t.Helper()
	_, err := d.app.ClaimRefund(d.ctx, f.ID, f.ClaimCode(f.State.Claims), d.refunds[f.ID])
	d.check(err)
}

// work is what the server's own loop does.
func (d *drill) work() {
	d.t.Helper()
	if restored, err := d.app.Restored(d.ctx); err != nil || restored {
		d.check(err)
		return
	}
	d.check(d.app.PayRefunds(d.ctx))
	d.check(d.app.FundPayouts(d.ctx))
	d.check(d.app.Spend(d.ctx))
	d.sync()
}

// live lets something happen.
func (d *drill) live() {
	d.t.Helper()
	switch d.r.IntN(6) {
	case 0:
		d.complete()
	case 1, 2:
		d.payout()
	case 3:
		d.refund()
	case 4:
		d.mine(1 + d.r.IntN(3))
	}
	if d.r.IntN(3) > 0 {
		d.work()
	}
	d.clock.forward(time.Duration(d.r.IntN(20)) * time.Minute)
}

// copyAway makes a backup.
func (d *drill) copyAway() {
	d.t.Helper()
	d.off()
	b, err := os.ReadFile(filepath.Join(d.dir, "quittance.db"))
	d.check(err)
	path := filepath.Join(d.dir, fmt.Sprintf("copy-%d", len(d.copies)))
	d.check(os.WriteFile(path, b, 0o600))
	d.copies = append(d.copies, path)
	d.on()
}

// putBack starts the server on a backup, beside the journal and the chain of today.
func (d *drill) putBack(path string) {
	d.t.Helper()
	d.off()
	b, err := os.ReadFile(path)
	d.check(err)
	for _, old := range []string{"-wal", "-shm"} {
		if err := os.Remove(filepath.Join(d.dir, "quittance.db"+old)); err != nil && !os.IsNotExist(err) {
			d.t.Fatal(err)
		}
	}
	d.check(os.WriteFile(filepath.Join(d.dir, "quittance.db"), b, 0o600))
	d.on()
}

// arrived counts the payments to each payee in the best chain.
func (d *drill) arrived() map[string]int {
	d.t.Helper()
	byScript := map[string]string{}
	for a := range d.payees {
		to, err := bitcoin.AddressScript(a, bitcoin.Regtest)
		d.check(err)
		byScript[string(to)] = a
	}
	got := map[string]int{}
	d.blocks(func(tx *chain.Tx) {
		for _, p := range tx.Payments {
			if a, ok := byScript[string(p.To)]; ok {
				got[a]++
			}
		}
	})
	return got
}

// blocks visits all transactions of the best chain.
func (d *drill) blocks(visit func(*chain.Tx)) {
	d.t.Helper()
	tip, err := d.chain.Tip(d.ctx)
	d.check(err)
	for h := int64(1); h <= tip.Height; h++ {
		hash, err := d.chain.HashAt(d.ctx, h)
		d.check(err)
		b, err := d.chain.Block(d.ctx, hash)
		d.check(err)
		for i := range b.Txs {
			visit(&b.Txs[i])
		}
	}
}

// holdings adds up what the chain says that the wallet's keys own, derived anew.
func (d *drill) holdings() (sum money.Units) {
	d.t.Helper()
	own := map[string]bool{}
	acc, err := bitcoin.AccountFromSeed(bytes.Clone(d.seed), bitcoin.BIP84, bitcoin.Regtest, 0)
	d.check(err)
	for i := range uint32((each + 1) * 1100) { // each restore skips 1,000
		_, a, err1 := acc.Address(i)
		_, c, err2 := acc.Change(i)
		d.check(err1)
		d.check(err2)
		own[string(a)], own[string(c)] = true, true
	}
	unspent := map[chain.Outpoint]money.Units{}
	d.blocks(func(tx *chain.Tx) {
		for _, o := range tx.Spends {
			delete(unspent, o)
		}
		for _, p := range tx.Payments {
			if own[string(p.To)] {
				unspent[chain.Outpoint{Txid: tx.ID, Vout: p.Vout}] = p.Amount
			}
		}
	})
	for _, u := range unspent {
		sum, _ = sum.Add(u)
	}
	return sum
}

// restore puts one backup back and holds it against what the world has seen.
func (d *drill) restore(path string, behind bool) {
	d.t.Helper()
	before := d.arrived()
	d.putBack(path)
	restored, err := d.app.Restored(d.ctx)
	d.check(err)
	if restored != behind {
		d.t.Errorf("%s: locked %v, behind its journal %v", filepath.Base(path), restored, behind)
	}
	// Receiving goes on at once, and nothing leaves.
	d.complete()
	d.work()
	d.mine(1)
	d.sync()
	if behind {
		unlocked := d.app.Unlock(d.ctx, "restored") == nil
		if after := d.arrived(); !equal(before, after) {
			d.t.Errorf("%s: money left while the database did not know what was paid: %v, %v", filepath.Base(path), before, after)
		}
		for range 2 { // it may be repeated
			r, err := d.app.Reconcile(d.ctx)
			d.check(err)
			if d.recalled += len(r.Recalled); unlocked && len(r.Recalled) > 0 {
				d.t.Error("the lock was lifted before anybody reconciled what was paid")
			}
		}
		d.verified()
		if !unlocked { // else addresses alone had been forgotten
			d.check(d.app.Unlock(d.ctx, "restored"))
		}
	}
	d.finish()
	for address, n := range d.arrived() {
		if n > 1 {
			d.t.Errorf("%s: %s was paid %d times", filepath.Base(path), address, n)
		}
	}
	d.everyPayoutArrived(filepath.Base(path))
	d.verified()
	d.solvent()
	if books, held := d.inWallet(), d.holdings(); books.Cmp(held) != 0 {
		d.t.Errorf("%s: the keys own %s satoshi, the database knows of %s", filepath.Base(path), held, books)
	}
}

func equal(a, b map[string]int) bool {
	if len(a) != len(b) {
		return false
	}
	for k, n := range a {
		if b[k] != n {
			return false
		}
	}
	return true
}

// finish lets everything that is due leave, and buries it.
func (d *drill) finish() {
	d.t.Helper()
	for range 6 {
		d.work()
		d.clock.forward(15 * time.Minute)
		d.mine(2)
		d.sync()
	}
	d.mine(6)
	d.sync()
}

// everyPayoutArrived: what the database promises, and can pay, was paid once.
func (d *drill) everyPayoutArrived(when string) {
	d.t.Helper()
	got := d.arrived()
	d.check(d.store.View(d.ctx, func(tx *store.Tx) error {
		list, err := tx.ListPayouts(store.PayoutFilter{Limit: 10_000})
		for _, p := range list {
			if p.Status != payout.Complete {
				d.t.Errorf("%s: payout %s is %s: %s", when, p.ID, p.Status, p.State.Problem)
			}
			if to := p.Terms.Reference; got[to] != 1 {
				d.t.Errorf("%s: payout %s arrived %d times", when, p.ID, got[to])
			}
		}
		return err
	}))
}

// inWallet adds up the coins that the database knows as unspent.
func (d *drill) inWallet() (sum money.Units) {
	d.t.Helper()
	d.check(d.store.View(d.ctx, func(tx *store.Tx) error {
		sum = money.Units{}
		wallets, err := tx.Wallets(d.shop.ID)
		if err != nil {
			return err
		}
		list, err := tx.SpendableCoins(wallets[0].ID)
		for _, c := range list {
			sum, _ = sum.Add(c.Amount)
		}
		return err
	}))
	return sum
}

// The campaign restore-drill: backups of different ages are put back beside the
// journal of today. Nothing is sent again, no address is handed out twice, all coins
// are found, and nothing leaves until a command has reconciled. QUITTANCE_RESTORES
// sets how many.
func TestRestoreDrill(t *testing.T) {
	restores := 10
	if n, err := strconv.Atoi(os.Getenv("QUITTANCE_RESTORES")); err == nil {
		restores = n
	}
	for seed := range uint64(max(1, restores/each)) {
		t.Run(fmt.Sprintf("history %d", seed), func(t *testing.T) {
			d := newDrill(t, seed)
			for i := range each {
				for range 2 + i + d.r.IntN(6) {
					d.live()
				}
				d.copyAway()
			}
			last := d.copies[each-1]
			d.restore(last, false) // nothing happened since
			d.copyAway()
			for _, i := range d.r.Perm(each - 1) {
				d.restore(d.copies[i], true)
			}
			if t.Logf("%d backups put back, %d forgotten payments recalled", each, d.recalled); d.recalled == 0 {
				t.Error("no backup had forgotten a payment: the drill shows nothing")
			}
		})
	}
}

// A server that never worked on a database does not pay out of it by itself.
func TestADatabaseOnANewMachineIsLookedAtFirst(t *testing.T) {
	d := newDrill(t, 1)
	f, err := jsonl.Open[app.Note](filepath.Join(t.TempDir(), "journal.jsonl"))
	d.check(err)
	defer f.Close()
	d.journal = newcomer{f}
	// A start that dies half way is as good as none: the next one locks too.
	d.again()
	d.tamper(`DELETE FROM journal WHERE id = 'another'`)
	d.again()
	locks, err := d.app.Locks(d.ctx)
	d.check(err)
	if len(locks) != 1 || !strings.Contains(locks[0].Detail, "never worked on this database") {
		t.Fatalf("locks %+v", locks)
	}
	d.check(d.app.Unlock(d.ctx, "restored"))
	d.again()
	if restored, err := d.app.Restored(d.ctx); err != nil || restored {
		t.Errorf("it is locked again: %v", err)
	}
}

type newcomer struct{ *jsonl.File[app.Note] }

func (newcomer) ID() string { return "another" }

// The server dies after a payment was handed to the network and before that was
// noted, and comes back when it lies deep in the chain: every step is taken that was
// slept through.
func TestAPayoutThatWasMinedDeepMeanwhileIsComplete(t *testing.T) {
	d := newDrill(t, 2)
	d.payout()
	d.refund()
	d.check(d.app.PayRefunds(d.ctx))
	d.check(d.app.FundPayouts(d.ctx))
	d.step = func(name string) error {
		if name == "sent/before" {
			return errCrash
		}
		return nil
	}
	if err := d.app.Spend(d.ctx); !errors.Is(err, errCrash) {
		t.Fatalf("it did not die: %v", err)
	}
	d.step = nil
	d.off()
	d.mine(12)
	d.on()
	d.everyPayoutArrived("after the sleep")
	d.verified()
	d.solvent()
}
