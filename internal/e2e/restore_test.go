package e2e

import (
	"bytes"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox"
	"github.com/quittance/quittance/wire"
)

// backup copies the stopped server's database; the function puts the copy back.
func (s *server) backup() (restore func()) {
	s.t.Helper()
	if s.database != "" {
		return s.backupPostgres()
	}
	file := filepath.Join(s.data, "quittance.db")
	b, err := os.ReadFile(file)
	must(s.t, err)
	return func() {
		for _, tail := range []string{"-wal", "-shm"} {
			if err := os.Remove(file + tail); err != nil && !os.IsNotExist(err) {
				s.t.Fatal(err)
			}
		}
		must(s.t, os.WriteFile(file, b, 0o600))
	}
}

func (s *server) backupPostgres() (restore func()) {
	s.t.Helper()
	u, err := url.Parse(s.database)
	must(s.t, err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	do := func(statements ...string) {
		s.t.Helper()
		c, err := pgx.Connect(s.t.Context(), u.String())
		must(s.t, err)
		defer c.Close(s.t.Context())
		for _, q := range statements {
			_, err := c.Exec(s.t.Context(), q)
			must(s.t, err)
		}
	}
	do(`CREATE DATABASE ` + name + `_copy TEMPLATE ` + name)
	return func() { do(`DROP DATABASE `+name+` WITH (FORCE)`, `ALTER DATABASE `+name+`_copy RENAME TO `+name) }
}

// refused runs a command that must fail, and returns its sentence.
func (s *server) refused(args ...string) string {
	s.t.Helper()
	out, err := exec.Command(s.bin, append(args, s.place()...)...).CombinedOutput()
	if err == nil {
		s.t.Fatalf("%v was done: %s", args, out)
	}
	return string(out)
}

// A backup is put back that does not know of a payout which was paid since. The
// server receives and pays nothing until a command has reconciled, and then it knows
// that the payout was paid.
func TestADatabaseThatWasPutBackPaysNothingTwice(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			bin, err := build()
			must(t, err)
			s := &server{t: t, bin: bin, data: t.TempDir(), database: database(t), extra: []string{"--control", fixedAddress(t)}}
			listen := fixedAddress(t)
			s.start(listen)
			t.Cleanup(s.stop)
			d := newDesk(t, s, pair(t, s))
			ada, promised, forgotten := d.paidAfterTheBackup(t, s, listen)
			var status []struct{ Reason, Detail string }
			s.operator(&status, "outgoing", "status")
			if len(status) != 1 || status[0].Reason != "restored" || !strings.Contains(status[0].Detail, "older than the journal") {
				t.Fatalf("outgoing: %+v", status)
			}
			d.sell(t, "15") // receiving goes on
			if p := d.payoutIs(t, promised, "new"); p.ID != promised {
				t.Errorf("payout %+v", p)
			}
			if said := s.refused("outgoing", "unlock", "restored"); !strings.Contains(said, "quittance outgoing reconcile") {
				t.Errorf("unlocked too early: %s", said)
			}
			var found struct{ Recalled, Due []string }
			s.operator(&found, "outgoing", "reconcile")
			if len(found.Recalled) == 0 {
				t.Errorf("recalled %+v", found)
			}
			s.operator(nil, "outgoing", "unlock", "restored")
			d.mine(t, 6)
			d.payoutIs(t, promised, "complete")
			if _, err := d.c.Payout(t.Context(), forgotten); code(err) != "020001" {
				t.Errorf("a payout that was made after the backup: %v", err)
			}
			s.verify(t)
			s.stop()
			if n := arrivals(t, s, ada); n != 2 {
				t.Errorf("ada was paid %d times, not once for each of two payouts", n)
			}
		})
	}
}

// paidAfterTheBackup makes a payout, a backup, and another payout, pays both, and puts
// the backup back.
func (d *desk) paidAfterTheBackup(t *testing.T, s *server, listen string) (ada *visitor, promised, forgotten string) {
	t.Helper()
	ctx := t.Context()
	d.sell(t, "100")
	ada = newVisitor(t, s)
	_, err := d.c.SubmitRecipients(ctx, "", wire.NewRecipient{Email: "ada@example.com", Label: "Ada"})
	must(t, err)
	link := ada.link(map[string]bool{})
	ada.step(link, "confirm", nil)
	ada.part(ada.prove(link), `data-step="(done)"`)
	s.operator(nil, "merchant", "set", "--payout-runs", "00:00")
	p, err := d.c.CreatePayout(ctx, d.toPay("ada@example.com", "before the backup"))
	must(t, err)
	s.stop()
	restore := s.backup()
	s.start(listen)
	s.operator(nil, "merchant", "set", "--payout-runs", "now")
	q, err := d.c.CreatePayout(ctx, d.toPay("ada@example.com", "after the backup"))
	must(t, err)
	d.payoutIs(t, p.ID, "processing")
	d.payoutIs(t, q.ID, "processing")
	d.mine(t, 6)
	d.payoutIs(t, p.ID, "complete")
	d.payoutIs(t, q.ID, "complete")
	if _, err := d.c.CreateInvoice(ctx, client.Merchant, wire.InvoiceRequest{Price: "5", Currency: "USD"}); err != nil {
		t.Fatal(err)
	}
	s.stop()
	restore()
	s.start(listen)
	return ada, p.ID, q.ID
}

// arrivals counts what the stopped server's chain paid to somebody.
func arrivals(t *testing.T, s *server, v *visitor) (n int) {
	t.Helper()
	src, err := sandbox.Open(sandbox.Config{Dir: filepath.Join(s.data, "sandbox")})
	must(t, err)
	defer src.Close()
	to, err := bitcoin.AddressScript(v.address(), bitcoin.Regtest)
	must(t, err)
	tip, err := src.Tip(t.Context())
	must(t, err)
	for h := int64(1); h <= tip.Height; h++ {
		hash, err := src.HashAt(t.Context(), h)
		must(t, err)
		b, err := src.Block(t.Context(), hash)
		must(t, err)
		for i := range b.Txs {
			for _, p := range b.Txs[i].Payments {
				if bytes.Equal(p.To, to) {
					n++
				}
			}
		}
	}
	return n
}
