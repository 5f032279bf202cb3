package bitcoin

import (
	"errors"
	"strings"
	"testing"
)

// The account of BIP 84's test vector: "abandon … about", whose master key has the
// fingerprint 73c5da0a.
const (
	vectorZpub   = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
	vectorOrigin = "[73c5da0a/84h/0h/0h]"
	vectorFirst  = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
	vectorChange = "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"
)

func vector(t *testing.T, kind Kind, c *Chain) *Account {
	t.Helper()
	seed, err := SeedFromMnemonic(strings.Repeat("abandon ", 11)+"about", "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := AccountFromSeed(seed, kind, c, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// summed adds the checksum to a descriptor.
func summed(t *testing.T, text string) string {
	t.Helper()
	sum, err := DescriptorChecksum(text)
	if err != nil {
		t.Fatal(err)
	}
	return text + "#" + sum
}

// Whatever a wallet hands out of an account, it is the same account.
func TestAnAccountIsImportedAsWalletsHandItOut(t *testing.T) {
	xpub := vector(t, BIP84, Mainnet).XPub()
	key := vectorOrigin + xpub
	for name, text := range map[string]string{
		"zpub":               vectorZpub,
		"key with origin":    key,
		"older origin":       "[73C5DA0A/84'/0'/0']" + xpub,
		"receiving":          "wpkh(" + key + "/0/*)",
		"with a checksum":    summed(t, "wpkh("+key+"/0/*)"),
		"apostrophes summed": summed(t, "wpkh([73c5da0a/84'/0'/0']"+xpub+"/0/*)"),
		"both branches":      summed(t, "wpkh("+key+"/<0;1>/*)"),
		"a pair":             summed(t, "wpkh("+key+"/0/*)") + "\n" + summed(t, "wpkh("+key+"/1/*)"),
		"a pair turned":      summed(t, "wpkh("+key+"/1/*)") + " " + summed(t, "wpkh("+key+"/0/*)"),
		"from JSON":          `"` + summed(t, "wpkh("+key+"/0/*)") + `", "` + summed(t, "wpkh("+key+"/1/*)") + `"`,
		"SLIP-132 inside":    "wpkh(" + vectorOrigin + vectorZpub + "/<0;1>/*)",
	} {
		a, err := Import(text, "", Mainnet)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		first, _, _ := a.Address(0)
		change, _, _ := a.Change(0)
		want := vectorOrigin
		if name == "zpub" {
			want = ""
		}
		if first != vectorFirst || change != vectorChange || a.Origin() != want || a.XPub() != xpub || len(a.Doubts()) > 0 {
			t.Errorf("%s: first %s, change %s, origin %s, doubts %q", name, first, change, a.Origin(), a.Doubts())
		}
	}
}

// What is exported is read again, for each kind of each chain.
func TestAnExportedDescriptorIsReadAgain(t *testing.T) {
	for _, c := range family {
		for _, kind := range c.Kinds {
			a := vector(t, kind, c)
			for _, text := range []string{a.BothDescriptor(), a.Descriptor() + "\n" + a.ChangeDescriptor()} {
				b, err := Import(text, "", c)
				if err != nil || b.BothDescriptor() != a.BothDescriptor() || len(b.Doubts()) > 0 {
					t.Errorf("%s %s: %v", c, kind, err)
				}
			}
		}
	}
}

func TestWhatIsNoAccountIsRefusedInASentence(t *testing.T) {
	xpub := vector(t, BIP84, Mainnet).XPub()
	key := vectorOrigin + xpub
	good := summed(t, "wpkh("+key+"/0/*)")
	const (
		xprv = "xprv9s21ZrQH143K3GJpoapnV8SFfukcVBSfeCficPSGfubmSFDxo1kuHnLisriDvSnRRuL2Qrg5ggqHKNVpxR86QEC8w35uxmGoggxtQTPvfUu"
		wif  = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
		one  = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	)
	for text, want := range map[string]string{
		"":                                     "no key and no descriptor",
		good + " " + good:                      "one is for receiving",
		good + " " + good + " " + good:         "more than two",
		good[:len(good)-1] + "x":               "does not fit",
		strings.Replace(good, "/0/*", "/*", 1): "does not fit",
		"wpkh(" + key + "/1/*)":                "for change",
		key + "/1/*":                           "branch for change",
		"wpkh(" + key + "/0/*) pkh(" + key + "/1/*)": "different accounts",
		"wpkh(" + key + ")":                          "names one key",
		"wpkh(" + key + "/*)":                        "branch and no account",
		"wpkh(" + key + "/2/*)":                      "branch and no account",
		"wpkh(" + key + "/0/7)":                      "one address and no account",
		"wpkh(" + key + "/0h/*)":                     "hardened steps",
		"wpkh(" + key + "/0/*')":                     "hardened steps",
		"wpkh(" + key + "/<1;0>/*)":                  "wrong way round",
		"wpkh(" + one + ")":                          "one public key",
		"wpkh(" + xprv + "/0/*)":                     "private key",
		"wpkh(" + wif + ")":                          "private key",
		xprv:                                         "private key",
		"wsh(sortedmulti(2," + key + "/0/*," + key + "/0/*))": "several keys",
		"sh(multi(1," + key + "/0/*))":                        "several keys",
		"wsh(pk(" + key + "/0/*))":                            "script of its own",
		"tr(" + key + "/0/*,pk(" + key + "/0/*))":             "scripts beside its key",
		"combo(" + key + "/0/*)":                              "several kinds",
		"addr(" + vectorFirst + ")":                           "of one address",
		"raw(00)":                                             "of one script",
		"pk(" + key + "/0/*)":                                 "pk(…) is not a descriptor",
		"sh(pkh(" + key + "/0/*))":                            "sh(…) is not a descriptor",
		"wpkh(" + key + "/0/*":                                "copy all of it",
		"wpkh([73c5da0a/84h/0h]" + xpub + "/0/*)":             "2 steps, but the key says that it is at depth 3",
		"wpkh([73c5da0a/84h/0h/1h]" + xpub + "/0/*)":          "ends in step 1h, but the key says that its last step is 0h",
		"wpkh([73c5da/84h/0h/0h]" + xpub + "/0/*)":            "not the origin of a key",
		"wpkh([73c5da0a/84h/x/0h]" + xpub + "/0/*)":           "not a step",
		"[73c5da0a/84h/0h/0h" + xpub:                          "not a key with its origin",
		"nonsense":                                            "not an extended public key",
		"wpkh(é)":                                             "cannot hold the byte",
		vector(t, BIP84, Regtest).XPub():                      "does not belong to network main",
		"wpkh(" + vector(t, BIP84, Regtest).XPub() + "/0/*)":  "does not belong to network main",
		"pkh(" + vectorZpub + "/0/*)":                         "native segwit",
	} {
		if a, err := Import(text, "", Mainnet); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v (%v)", text, want, err, a)
		} else if strings.Contains(err.Error(), xprv) || strings.Contains(err.Error(), wif) {
			t.Errorf("the error repeats a private key: %v", err)
		}
	}
	if _, err := Import(xprv, "", Mainnet); !errors.Is(err, ErrPrivateKey) {
		t.Errorf("a private key: %v", err)
	}
	if _, err := Import(good, BIP86, Mainnet); err == nil || !strings.Contains(err.Error(), "leave the kind out") {
		t.Errorf("another kind than the descriptor's: %v", err)
	}
	if _, err := Import("wpkh("+vector(t, BIP44, mustFind("BCH", "main")).XPub()+"/0/*)", "", mustFind("BCH", "main")); err == nil || !strings.Contains(err.Error(), "no addresses of kind") {
		t.Errorf("segregated witness on Bitcoin Cash: %v", err)
	}
}

// What is unusual is allowed and said.
func TestAnUnusualAccountIsImportedWithADoubt(t *testing.T) {
	xpub := vector(t, BIP84, Mainnet).XPub()
	for text, want := range map[string]string{
		"pkh(" + vectorOrigin + xpub + "/0/*)":       "begins with 84h",
		"wpkh([73c5da0a/84h/2h/0h]" + xpub + "/0/*)": "coin 2h",
	} {
		a, err := Import(text, "", Mainnet)
		if err != nil || len(a.Doubts()) != 1 || !strings.Contains(a.Doubts()[0], want) {
			t.Errorf("%s: %v %v", text, a.Doubts(), err)
		}
	}
}
