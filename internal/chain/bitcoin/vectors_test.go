package bitcoin

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
)

func vectors[T any](t testing.TB, name string) T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestBIP39(t *testing.T) {
	type vector struct{ Entropy, Mnemonic, Passphrase, Seed string }
	for _, v := range vectors[[]vector](t, "bip39.json") {
		words := must[string](t)(NewMnemonic(unhex(t, v.Entropy)))
		if words != v.Mnemonic {
			t.Errorf("entropy %s: words %q", v.Entropy, words)
		}
		spaced := "  " + strings.ToUpper(strings.ReplaceAll(v.Mnemonic, " ", "\n "))
		for _, text := range []string{v.Mnemonic, spaced} {
			if seed := must[[]byte](t)(SeedFromMnemonic(text, v.Passphrase)); hex.EncodeToString(seed) != v.Seed {
				t.Errorf("entropy %s: seed %x", v.Entropy, seed)
			}
		}
	}
}

func TestBIP32(t *testing.T) {
	type vector struct{ Seed, Path, XPub, XPrv string }
	for _, v := range vectors[[]vector](t, "bip32.json") {
		key := must[*hdkeychain.ExtendedKey](t)(hdkeychain.NewMaster(unhex(t, v.Seed), &chaincfg.MainNetParams))
		for _, step := range strings.Split(v.Path, "/")[1:] {
			n, hardened := strings.CutSuffix(step, "h")
			index := uint32(must[uint64](t)(strconv.ParseUint(n, 10, 31)))
			if hardened {
				index += hdkeychain.HardenedKeyStart
			}
			key = must[*hdkeychain.ExtendedKey](t)(key.Derive(index))
		}
		pub := must[*hdkeychain.ExtendedKey](t)(key.Neuter())
		if key.String() != v.XPrv || pub.String() != v.XPub {
			t.Errorf("seed %s, %s:\n%s\n%s", v.Seed, v.Path, pub, key)
		}
		// Our parser refuses the private ones, and public ones below an account.
		if _, err := ParseAccount(v.XPrv, BIP84, Mainnet); err != ErrPrivateKey {
			t.Errorf("private key: %v", err)
		}
		account, err := ParseAccount(v.XPub, BIP84, Mainnet)
		if deep := key.Depth() > 3; deep != (err != nil) {
			t.Errorf("depth %d: %v", key.Depth(), err)
		} else if err == nil && account.XPub() != v.XPub {
			t.Errorf("parsed %s, wrote %s", v.XPub, account.XPub())
		}
	}
}

func TestBIP84AndBIP86(t *testing.T) {
	type vector struct {
		Kind                    Kind
		Network, Mnemonic, XPub string
		Addresses               map[string]string
	}
	for _, name := range []string{"bip84.json", "bip86.json"} {
		for _, v := range vectors[[]vector](t, name) {
			seed := must[[]byte](t)(SeedFromMnemonic(v.Mnemonic, ""))
			fromSeed := must[*Account](t)(AccountFromSeed(seed, v.Kind, on(t, v.Network), 0))
			parsed := must[*Account](t)(ParseAccount(v.XPub, v.Kind, on(t, v.Network)))
			if fromSeed.XPub() != parsed.XPub() {
				t.Errorf("%s: seed gives %s, vector %s", v.Kind, fromSeed.XPub(), parsed.XPub())
			}
			for text, want := range v.Addresses {
				index := uint32(must[uint64](t)(strconv.ParseUint(text, 10, 31)))
				addr, script, err := parsed.Address(index)
				if err != nil || addr != want {
					t.Errorf("%s 0/%d is %s, %v; want %s", v.Kind, index, addr, err, want)
				}
				if back := must[[]byte](t)(AddressScript(want, on(t, v.Network))); !bytes.Equal(back, script) {
					t.Errorf("%s 0/%d: script %x, address says %x", v.Kind, index, script, back)
				}
			}
		}
	}
}

func TestBIP350(t *testing.T) {
	type lists struct {
		Valid   [][3]string
		Invalid []string
	}
	list := vectors[lists](t, "bip350.json")
	for _, v := range list.Valid {
		network, addr, script := on(t, v[0]), v[1], unhex(t, v[2])
		got, err := AddressScript(addr, network)
		if err != nil || !bytes.Equal(got, script) {
			t.Errorf("%s: %x, %v", addr, got, err)
		}
		if back, ok := ScriptAddress(script, network); !ok || back != strings.ToLower(addr) {
			t.Errorf("%x: address %s, %v", script, back, ok)
		}
	}
	for _, addr := range list.Invalid {
		for _, network := range own {
			if got, err := AddressScript(addr, network); err == nil {
				t.Errorf("%s: read as %x", addr, got)
			}
		}
	}
}

func TestBIP380(t *testing.T) {
	for _, v := range vectors[[][2]string](t, "bip380.json") {
		if got := must[string](t)(DescriptorChecksum(v[0])); got != v[1] {
			t.Errorf("%s has checksum %s, want %s", v[0], got, v[1])
		}
	}
	if sum, err := DescriptorChecksum("raw(Ü)"); err == nil {
		t.Errorf("checksum %s of what no descriptor holds", sum)
	}
}
