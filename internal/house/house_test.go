package house

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/quittance/quittance/"

type pkg struct {
	ImportPath string
	Name       string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// May lists, for each package, which others of this module it may import
// directly. A package that is missing here has not been thought about.
var may = map[string][]string{
	"wire":   {},
	"client": {"wire"},

	// Leaves.
	"internal/jsonl": {},
	"internal/money": {},
	"internal/fault": {},
	"internal/chain": {"internal/money"},

	// Nouns.
	"internal/rate":         {"internal/money"},
	"internal/merchant":     {"internal/fault", "internal/money"},
	"internal/invoice":      {"internal/chain", "internal/fault", "internal/money", "internal/rate"},
	"internal/refund":       {"internal/fault", "internal/invoice", "internal/money"},
	"internal/settlement":   {"internal/fault", "internal/money"},
	"internal/recipient":    {"internal/fault", "internal/money"},
	"internal/payout":       {"internal/fault", "internal/money"},
	"internal/bill":         {"internal/fault", "internal/invoice", "internal/money"},
	"internal/subscription": {"internal/bill", "internal/fault"},
	"internal/transfer":     {"internal/chain", "internal/money"},
	"internal/ledger":       {"internal/money"},

	// Verbs over the store.
	"internal/store":            {"internal/payout", "internal/settlement", "internal/refund", "internal/chain", "internal/invoice", "internal/merchant", "internal/money", "internal/transfer", "internal/ledger", "internal/store/sqldb", "internal/store/sqlite", "internal/store/postgres", "internal/recipient", "internal/bill", "internal/subscription"},
	"internal/store/sqldb":      {},
	"internal/store/migrations": {},
	"internal/store/sqlite":     {"internal/store/sqldb", "internal/store/migrations"},
	"internal/store/postgres":   {"internal/store/sqldb", "internal/store/migrations"},
	"internal/store/storetest":  {"internal/store", "internal/ledger", "internal/store/sqldb", "internal/chain", "internal/invoice", "internal/merchant", "internal/money", "internal/recipient", "internal/bill", "internal/subscription"},
	"internal/store/pgtest":     {},
	"internal/app":              {"internal/payout", "internal/settlement", "internal/refund", "internal/store", "internal/transfer", "internal/ledger", "internal/invoice", "internal/merchant", "internal/rate", "internal/chain", "internal/money", "internal/fault", "internal/recipient", "internal/bill", "internal/subscription"},

	// Edges.
	"internal/view":           {"internal/payout", "internal/settlement", "internal/refund", "internal/ledger", "internal/app", "internal/invoice", "internal/merchant", "internal/money", "wire", "internal/recipient", "internal/bill", "internal/subscription"},
	"internal/api":            {"internal/payout", "internal/settlement", "internal/refund", "internal/api/bitauth", "internal/app", "internal/view", "internal/store", "internal/invoice", "internal/merchant", "internal/rate", "internal/money", "internal/fault", "wire", "internal/recipient", "internal/bill", "internal/subscription"},
	"internal/api/bitauth":    {"internal/merchant"},
	"internal/pages":          {"internal/refund", "internal/app", "internal/view", "internal/invoice", "internal/merchant", "internal/money", "internal/fault", "wire", "internal/recipient", "internal/bill"},
	"internal/paypro":         {"internal/app", "internal/fault", "internal/jsonl", "internal/money", "internal/store", "wire"},
	"internal/watch":          {"internal/app", "internal/chain", "internal/watch/match"},
	"internal/watch/match":    {"internal/chain"},
	"internal/outbox":         {"internal/payout", "internal/invoice", "internal/refund", "internal/app", "internal/view", "internal/store", "internal/merchant", "internal/outbox/mail", "internal/outbox/phpjson", "wire", "internal/fault", "internal/recipient", "internal/bill"},
	"internal/outbox/mail":    {"internal/merchant", "internal/payout", "internal/refund", "internal/app", "internal/store", "internal/invoice", "internal/money", "internal/recipient", "internal/bill"},
	"internal/outbox/phpjson": {},

	// Back ends: no noun, no verb.
	"internal/doctor":                            {"internal/chain", "internal/chain/bitcoin/node", "internal/feed", "internal/merchant", "internal/store"},
	"internal/feed":                              {"internal/rate", "internal/money"},
	"internal/chain/bitcoin":                     {"internal/chain", "internal/money"},
	"internal/chain/bitcoin/spending":            {"internal/chain", "internal/chain/bitcoin", "internal/money"},
	"internal/chain/bitcoin/sweep":               {"internal/chain", "internal/chain/bitcoin", "internal/chain/bitcoin/spending", "internal/money"},
	"internal/chain/bitcoin/spending/devicetest": {},
	"internal/chain/bitcoin/hot":                 {"internal/jsonl", "internal/chain", "internal/chain/bitcoin", "internal/chain/bitcoin/spending"},
	"internal/chain/bitcoin/node":                {"internal/chain", "internal/chain/bitcoin", "internal/money"},
	"internal/chain/bitcoin/node/btcdtest":       {},
	"internal/chain/bitcoin/node/bchdtest":       {},
	"internal/chain/bitcoin/node/coretest":       {},
	"internal/chain/bitcoin/light":               {"internal/chain", "internal/chain/bitcoin", "internal/chain/bitcoin/blockfilter"},
	"internal/chain/bitcoin/blockfilter":         {"internal/chain"},
	"internal/chain/bitcoin/signer":              {"internal/chain", "internal/chain/bitcoin", "internal/chain/bitcoin/hot"},
	"internal/chain/bitcoin/message":             {"internal/chain", "internal/chain/bitcoin"},
	"internal/chain/bitcoin/sandbox":             {"internal/chain", "internal/chain/bitcoin", "internal/money"},
	"internal/chain/bitcoin/sandbox/control":     {"internal/chain", "internal/chain/bitcoin/sandbox"},

	// The assembly and what only measures or tests.
	"cmd/quittance":  nil,
	"internal/bench": nil,
	"internal/e2e":   {},
	"internal/house": {},

	"internal/outbox/mail/smtptest": {},
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := may[name]
		if !known {
			t.Errorf("%s is not in the table of imports: say what it may import", name)
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module)
			if ours && allowed != nil && !slices.Contains(allowed, other) {
				t.Errorf("%s imports %s, which it must not", name, other)
			}
		}
	}
}

// The sandbox chain makes money out of nothing: only the command that starts it
// may know it, never what handles payments.
func TestOnlyTheCommandKnowsTheSandboxChain(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, module+"internal/chain/bitcoin/sandbox") &&
				!strings.Contains(p.ImportPath, "sandbox") && p.ImportPath != module+"cmd/quittance" {
				t.Errorf("%s imports the sandbox chain", p.ImportPath)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		text, err := os.ReadFile(filepath.Join(p.Dir, "doc.go"))
		name := strings.TrimPrefix(p.ImportPath, module)
		if err != nil {
			// A small package may say it in its only file.
			if len(p.GoFiles) > 1 || p.Doc == "" {
				t.Errorf("%s has no doc.go", name)
			}
			continue
		}
		want := "// Package " + p.Name + " "
		if p.Name == "main" {
			want = "// Command "
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s/doc.go does not begin with %q", name, want)
		}
		if p.Name != "main" && !strings.Contains(string(text), "import") {
			t.Errorf("%s/doc.go does not say who may import it", name)
		}
	}
}

// Files and functions stay small; the few long ones are tables.
func TestNoFileIsCrowded(t *testing.T) {
	tables := []string{"fiat.go", "assets.go", "wallets_data.go"}
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), "\n"); n > 420 && !slices.Contains(tables, f) {
				t.Errorf("%s/%s has %d lines: move the walls", p.ImportPath, f, n)
			}
		}
	}
}
