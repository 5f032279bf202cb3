package signer

import (
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTheExampleIsAPolicy(t *testing.T) {
	b, err := os.ReadFile("../../../../signer.example.toml")
	must(t, err)
	// With every line switched on it must be read too.
	on := regexp.MustCompile(`(?m)^# ([a-z_]+ = )`).ReplaceAllString(string(b), "$1")
	if on == string(b) {
		t.Fatal("nothing was switched on")
	}
	for _, text := range []string{string(b), on} {
		if _, err := ParsePolicy(text); err != nil {
			t.Error(err)
		}
	}
	p, err := ParsePolicy(on)
	must(t, err)
	got, err := p.of(&Wallet{Name: "shop", Network: "main"})
	must(t, err)
	if got.MaxPayment != 1_000_000 || got.MaxDay != 5_000_000 || got.MaxFee != 100_000 || len(got.Allow) != 1 || got.Delay != 10*time.Minute || got.ApproveAbove != 2_000_000 || len(got.Approvers) != 2 {
		t.Errorf("%+v", got)
	}
	for _, rule := range []string{"allow_uids", "max_payment", "max_day", "max_fee", "allow", "delay", "approve_above"} {
		if !strings.Contains(on, "\n"+rule+" = ") {
			t.Errorf("the example does not have %s", rule)
		}
	}
}

func TestAPolicyWithAMistakeIsRefused(t *testing.T) {
	const good = "[wallet.shop]\nmax_payment = 10\nmax_day = 20\nmax_fee = 5\n"
	const ann = "ann = \"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n"
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for text, want := range map[string]string{
		"":                                     "it bounds no wallet",
		"max_day = 5":                          `"max_day" is not a rule`,
		good + "max_days = 3":                  `"wallet.shop.max_days" is not a rule`,
		good + "Max_Day = ":                    "cannot be read",
		good + "allow = \"x\"":                 "cannot be read",
		swap("max_day = 20\n", ""):             "does not say max_day",
		swap("max_fee = 5\n", ""):              "does not say max_fee",
		swap("max_payment = 10\n", ""):         "does not say max_payment",
		swap("= 20", "= 0"):                    "max_day is 0; it is a number of satoshi from 1",
		swap("= 10", "= -1"):                   "max_payment is -1",
		swap("= 5", "= 2_100_000_000_000_001"): "max_fee is 2100000000000001",
		swap("= 5", "= 0.5"):                   "cannot be read",
		swap("= 20", "= 9"):                    "such a payment could never leave",
		good + "delay = \"soon\"":              "delay is \"soon\"",
		good + "delay = \"-1h\"":               "delay is \"-1h\"",
		good + "delay = \"1000h\"":             "at most 336h",
		good + "approve_above = 15":            "fewer than two approvers are named",
		good + "approve_above = 21":            "nobody would ever be asked",
		"[approvers]\n" + ann + good + "approve_above = 15":                                              "fewer than two approvers",
		"[approvers]\n" + ann + strings.Replace(ann, "ann", "bob", 1) + good:                             "would be one person",
		"[approvers]\nann = \"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n" + good:                   "not a key as",
		"[approvers]\n\"a\\u001bn\" = \"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n" + good: "a name is",
		"allow_uids = [-1]\n" + good: "not a user's number",
	} {
		if _, err := ParsePolicy(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want a sentence with %q", text, err, want)
		}
	}
	_, err := ParsePolicy(good)
	must(t, err)
}

func TestAPolicyFileIsTheSignersOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.toml")
	if _, err := ReadPolicy(path); err == nil || !strings.Contains(err.Error(), "without bounds nothing is signed") {
		t.Errorf("no file: %v", err)
	}
	must(t, os.WriteFile(path, []byte(bounds), 0o600))
	_, err := ReadPolicy(path)
	must(t, err)
	must(t, os.Chmod(path, 0o666))
	if _, err := ReadPolicy(path); err == nil || !strings.Contains(err.Error(), "other users can change") {
		t.Errorf("a file that all may write: %v", err)
	}
}

func TestAnApproversKeyIsSealed(t *testing.T) {
	public, sealed, err := NewApprover(rand.Reader, passphrase, fast)
	must(t, err)
	path := filepath.Join(t.TempDir(), "ann.key")
	must(t, KeepApprover(path, sealed))
	if err := KeepApprover(path, sealed); err == nil {
		t.Error("a key was replaced")
	}
	k, err := OpenApprover(path, passphrase)
	must(t, err)
	pub, err := parsePublic(public)
	must(t, err)
	if !ed25519.Verify(pub, []byte("x"), ed25519.Sign(k, []byte("x"))) {
		t.Error("the halves do not fit")
	}
	if _, err := OpenApprover(path, "another passphrase"); err == nil || !strings.Contains(err.Error(), "does not open") {
		t.Errorf("%v", err)
	}
}

func TestAStatementThatATerminalWouldNotShowIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"wallet\npacket ab\n":             "",
		"wallet\npacket ac\n":             "another packet",
		"packet ab\n":                     "another packet",
		"wallet\npacket ab\n\x1b[1A":      "does not show",
		"wallet\npacket ab\npays\r0\n":    "does not show",
		"wallet\npacket ab\nto \u202ebc1": "does not show",
	} {
		err := CheckStatement(text, "ab")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
