package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// The doctor looks a running server over, and says what is wrong once it is gone.
func TestTheDoctorLooksARunningServerOver(t *testing.T) {
	s := newServer(t, "")
	listen := strings.TrimPrefix(s.url, "http://")
	ask := func() (string, error) {
		cmd := exec.Command(s.bin, append([]string{"doctor", "--sandbox", "--listen", listen}, s.place()...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := ask()
	must(t, err)
	for _, want := range []string{"takes invoices", "left on the disk", "webhooks and mails are delivered", "payments may leave"} {
		if !strings.Contains(out, want) {
			t.Errorf("the doctor does not say %q:\n%s", want, out)
		}
	}
	s.operator(nil, "outgoing", "lock")
	if out, err = ask(); err == nil || !strings.Contains(out, "nothing leaves since") {
		t.Errorf("%v:\n%s", err, out)
	}
	s.operator(nil, "outgoing", "unlock", "operator")
	s.stop()
	if out, err = ask(); err == nil || !strings.Contains(out, "no server answers at "+listen) {
		t.Errorf("%v:\n%s", err, out)
	}
}

// A copy that was made while the server served is whole: another machine goes on from
// it, with the same tokens and invoices.
func TestAnotherMachineGoesOnFromABackup(t *testing.T) {
	s := newServer(t, "")
	c := pair(t, s)
	inv, err := c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: "12", Currency: "EUR"})
	must(t, err)
	copied := filepath.Join(t.TempDir(), "copy")
	s.operator(nil, "backup", copied)
	if info, err := os.Stat(filepath.Join(copied, "quittance.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the copy of the database: %v, %v", info, err)
	}
	if out, err := exec.Command(s.bin, append([]string{"backup", copied}, s.place()...)...).CombinedOutput(); err == nil {
		t.Errorf("a copy was written over another one: %s", out)
	}
	listen := strings.TrimPrefix(s.url, "http://")
	s.stop()
	other := &server{t: t, bin: s.bin, data: copied, database: ""}
	other.start(listen)
	t.Cleanup(other.stop)
	again, err := c.Invoice(t.Context(), client.Merchant, inv.ID)
	must(t, err)
	if again.Price != inv.Price || addressOf(again) != addressOf(inv) {
		t.Errorf("the invoice is another one: %+v", again)
	}
	other.operator(nil, "verify")
	// The machine it was made on may have gone on since: what waits may be paid already.
	out, err := exec.Command(other.bin, append([]string{"outgoing", "status"}, other.place()...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "put back from a backup on a new machine") {
		t.Errorf("money leaves from a copy before anybody has looked: %v\n%s", err, out)
	}
}

// Whoever has written a wallet's words down can show it; other words are refused.
func TestTheWordsOfAWalletAreAskedForOnceMore(t *testing.T) {
	t.Setenv("QUITTANCE_SEED_PASSPHRASE", "only for a test of regtest")
	s := newServer(t, "")
	var made struct{ ID, Words string }
	s.operator(nil, "merchant", "create", "Second shop")
	s.operator(&made, "wallet", "add", "--merchant", "Second shop", "--generate")
	confirm := func(words string) (string, error) {
		cmd := exec.Command(s.bin, append([]string{"wallet", "confirm-backup", "--wallet", made.ID}, s.place()...)...)
		cmd.Stdin = strings.NewReader(words + "\n")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := confirm(strings.Repeat("abandon ", 23) + "art"); err == nil || !strings.Contains(out, "another wallet") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := confirm("  " + strings.ReplaceAll(made.Words, " ", "  ")); err != nil || strings.Contains(out, made.Words) {
		t.Errorf("%v: %s", err, out)
	}
}
