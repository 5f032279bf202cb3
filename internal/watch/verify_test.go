package watch

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to change the database behind the program's back

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/transfer"
)

// findings verifies and returns the breaches by name.
func (w *world) findings(only ...string) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	_, err := w.app.Verify(w.ctx, app.VerifyOptions{Sources: map[string]chain.Source{"BTC": w.chain}, Only: only, Report: func(f app.Finding) {
		if f.Breach != "" {
			out[f.Name] = f.Breach
		}
	}})
	w.check(err)
	return out
}

// worn is a shop that has seen something of everything.
func worn(t *testing.T) *world {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.pay(inv, due+90_000)
	w.mine(6)
	w.sync()
	w.reorg(6, sandbox.ReorgOptions{Unmined: true})
	w.sync()
	w.mine(6)
	w.sync()
	w.order("a", stranger, 30_000)
	w.check(w.app.Spend(w.ctx))
	w.check(w.app.BumpTransfer(w.ctx, w.transfers()[0].ID, 9000))
	w.sync()
	w.mine(6)
	w.order("b", elsewhere, 5_000)
	w.sync()
	w.verified()
	return w
}

// Each invariant is broken behind the program's back, and verify says which. So
// none of the checks is one that cannot fail.
func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	const unguarded = `DROP TRIGGER ledger_entry_no_update; DROP TRIGGER ledger_posting_no_update; DROP TRIGGER ledger_posting_no_delete; DROP TRIGGER ledger_entry_no_delete; `
	for invariant, tamper := range map[string]string{
		"LedgerZero":             unguarded + `UPDATE ledger_posting SET amount = amount + 1 WHERE n = 1 AND i = 0`,
		"LedgerChain":            unguarded + `UPDATE ledger_entry SET at = at + 1 WHERE n = 2`,
		"BalanceDerived":         `UPDATE ledger_account SET balance = balance - 1 WHERE name = 'merchant'`,
		"ReorgReversed":          unguarded + `UPDATE ledger_posting SET amount = amount + amount WHERE n = (SELECT n FROM ledger_entry WHERE reverses IS NOT NULL LIMIT 1)`,
		"CreditOnce":             `UPDATE credit SET entry = ''`,
		"CreditBacked":           `UPDATE credit SET amount = amount + 1`,
		"Solvent":                `UPDATE coin SET amount = amount + 1 WHERE booked_out = 0`,
		"CoinsUnspent":           `UPDATE coin SET vout = vout + 7 WHERE booked_out = 0`,
		"AddressOnce":            `UPDATE address SET idx = idx + 100`,
		"StatusPure":             `UPDATE invoice SET status = 'paid' WHERE status = 'complete'`,
		"PayoutAttemptsConflict": `UPDATE transfer SET body = json_set(body, '$.attempts[1].inputs[0].Vout', 99)`,
		"IntentFirst":            `UPDATE transfer SET body = json_remove(body, '$.attempts[1].raw', '$.attempts[1].seen')`,
		"PayoutExact":            `UPDATE transfer SET body = json_set(body, '$.members[0].amount', 1)`,
		"ReserveFirst":           `UPDATE spend_order SET body = json_set(body, '$.Value', 4999) WHERE state = 'queued'`,
		"OutboxAtomic":           `DELETE FROM event WHERE seq = 2`,
		"ChainBound":             `UPDATE chain_cursor SET genesis = 'of another chain'`,
		"MoneyExact":             `INSERT INTO settlement SELECT 's', merchant, 't', 'USD', 'completed', 1, 0, 0, 1, '{"rail":"book","from":0,"to":3,"balance":0,"sum":1,"total":1}', '{}' FROM invoice`,
		"IdemOnce":               `DROP INDEX invoice_guid; INSERT INTO invoice SELECT 'copy', merchant, api_token, token, guid, status, order_id, created_at, expires_at, has_credits, version, terms, state, closes_at FROM invoice`,
		"TenantSealed": `INSERT INTO lane (id, kind, endpoint, merchant, last_ord, waiting, run_at, lease_owner, lease_until) VALUES ('l', 'webhook', 'https://rival.example', 'rival', 1, 1, 0, '', 0);
			INSERT INTO delivery (id, lane, ord, event, resource, state, attempts, round, aside, run_at, created_at) SELECT 'd', 'l', 1, id, resource, 'waiting', 0, 0, 0, 0, 0 FROM event LIMIT 1`,
	} {
		t.Run(invariant, func(t *testing.T) {
			w := worn(t)
			w.tamper(tamper)
			if found := w.findings(invariant); found[invariant] == "" {
				t.Errorf("verify did not find it; it found %v", w.findings())
			}
		})
	}
}

// tamper changes the database behind the program's back.
func (w *world) tamper(statements string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "quittance.db")+"?_pragma=busy_timeout(10000)")
	w.check(err)
	defer db.Close()
	_, err = db.Exec(statements)
	w.check(err)
}

// A breach at run time stops outgoing money and says so; what merely was not read
// yet does not.
func TestABreachStopsWhatLeaves(t *testing.T) {
	w := worn(t)
	w.reorg(3, sandbox.ReorgOptions{}) // not read yet
	sources := map[string]chain.Source{"BTC": w.chain}
	w.check(w.app.Watchdog(w.ctx, sources, w.watch.Sync))
	if locks, err := w.app.Locks(w.ctx); err != nil || len(locks) > 0 {
		t.Fatalf("a reorganisation that was not read yet locked money out: %v, %v", locks, err)
	}
	w.tamper(`UPDATE ledger_account SET balance = balance - 1 WHERE name = 'merchant'`)
	w.check(w.app.Watchdog(w.ctx, sources, w.watch.Sync))
	locks, err := w.app.Locks(w.ctx)
	w.check(err)
	if len(locks) != 1 || locks[0].Reason != "verify" || !strings.Contains(locks[0].Detail, "BalanceDerived") {
		t.Fatalf("locks %+v", locks)
	}
	before := len(w.transfers())
	w.check(w.app.Spend(w.ctx))
	if len(w.transfers()) != before {
		t.Error("money left although the books are broken")
	}
	w.invoice(invoice.Medium) // receiving goes on
	w.tamper(`UPDATE ledger_account SET balance = balance + 1 WHERE name = 'merchant'`)
	w.check(w.app.Unlock(w.ctx, "verify"))
	w.check(w.app.Spend(w.ctx))
	if list := w.transfers(); len(list) != before+1 || list[len(list)-1].State != transfer.Sent {
		t.Error("unlocked, nothing leaves")
	}
}

// A payment with a low fee waits for hours, and its invoice is invalid by the clock.
// That is no breach: else any payer could stop what leaves.
func TestAPaymentThatWaitsForHoursIsNoBreach(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice(invoice.Medium)
	w.payAt(inv, due, 1)
	w.sync()
	w.clock.forward(2 * time.Hour)
	w.verified() // the chain was not read beyond the hour yet
	w.sync()
	w.sync()
	w.is(inv, invoice.Invalid, due)
	w.verified()
}
