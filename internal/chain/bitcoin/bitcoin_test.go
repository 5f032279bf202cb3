package bitcoin

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/money"
)

// slow is the address that hdkeychain and btcutil give step by step, from the
// private key.
func slow(t *rapid.T, seed []byte, kind Kind, params *chaincfg.Params, account, index uint32) string {
	key, err := hdkeychain.NewMaster(seed, params)
	purpose := map[Kind]uint32{BIP84: 84, BIP86: 86}[kind]
	hard := uint32(hdkeychain.HardenedKeyStart)
	for _, step := range []uint32{hard + purpose, hard + params.HDCoinType, hard + account, 0, index} {
		if err == nil {
			key, err = key.Derive(step)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	pub, _ := key.ECPubKey()
	var addr btcutil.Address
	if kind == BIP84 {
		addr, err = btcutil.NewAddressWitnessPubKeyHash(btcutil.Hash160(pub.SerializeCompressed()), params)
	} else {
		addr, err = btcutil.NewAddressTaproot(schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(pub)), params)
	}
	if err != nil {
		t.Fatal(err)
	}
	return addr.EncodeAddress()
}

// own are Bitcoin's networks.
var own = []*Chain{Mainnet, Testnet, Signet, Regtest}

func on(t *testing.T, network string) *Chain {
	t.Helper()
	c, err := Find("BTC", network)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDerivationEqualsTheSlowPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "seed")
		kind := rapid.SampledFrom([]Kind{BIP84, BIP86}).Draw(t, "kind")
		network := rapid.SampledFrom(own).Draw(t, "network")
		number := rapid.Uint32Range(0, 1<<31-1).Draw(t, "account")
		index := rapid.Uint32Range(0, 1<<31-1).Draw(t, "index")
		params := network.Params
		account, err := AccountFromSeed(seed, kind, network, number)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseAccount(account.XPub(), kind, network)
		if err != nil {
			t.Fatal(err)
		}
		want := slow(t, seed, kind, params, number, index)
		for _, a := range []*Account{account, again} {
			addr, script, err := a.Address(index)
			if err != nil || addr != want {
				t.Fatalf("address %s, %v; want %s", addr, err, want)
			}
			if back, ok := ScriptAddress(script, network); !ok || back != want {
				t.Fatalf("script %x is address %s", script, back)
			}
		}
		key, err := PrivateKey(seed, BIP84, network, number, index)
		if err != nil {
			t.Fatal(err)
		}
		addr, _ := segwitAddress(params, 0, btcutil.Hash160(key.PubKey().SerializeCompressed()))
		if want := slow(t, seed, BIP84, params, number, index); addr != want {
			t.Fatalf("private key is of %s, want %s", addr, want)
		}
	})
}

func TestAddressesSurviveTheRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		network := rapid.SampledFrom(own).Draw(t, "network")
		hash := rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "hash")
		version := rapid.ByteRange(1, 16).Draw(t, "version")
		program := rapid.SliceOfN(rapid.Byte(), 2, 40).Draw(t, "program")
		for _, script := range [][]byte{
			bytes.Join([][]byte{{0x76, 0xa9, 20}, hash, {0x88, 0xac}}, nil),
			bytes.Join([][]byte{{0xa9, 20}, hash, {0x87}}, nil),
			append([]byte{0, 20}, hash...),
			append([]byte{0x50 + version, byte(len(program))}, program...),
		} {
			addr, ok := ScriptAddress(script, network)
			if !ok {
				t.Fatalf("script %x has no address", script)
			}
			back, err := AddressScript(addr, network)
			if err != nil || !bytes.Equal(back, script) {
				t.Fatalf("%s: script %x, %v; want %x", addr, back, err, script)
			}
			if network != Mainnet {
				if _, err := AddressScript(addr, Mainnet); err == nil {
					t.Fatalf("%s of %s passed for main", addr, network)
				}
			}
		}
	})
}

func TestNoTextPanicsTheParsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`(bc1|tb1|bcrt1|xpub|1|3)[0-9a-zA-Z]{0,90}`)).Draw(t, "text")
		script := rapid.SliceOfN(rapid.Byte(), 0, 45).Draw(t, "script")
		_, _ = AddressScript(text, Mainnet)
		_, _ = ParseAccount(text, BIP84, Mainnet)
		_, _ = ScriptAddress(script, Mainnet)
		_ = DustLimit(script, Mainnet)
	})
}

func TestForeignNetworksAreNamed(t *testing.T) {
	for _, c := range []struct{ addr, network, want string }{
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "regtest", "belongs to network main"},
		{"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "main", "belongs to network test"},
		{"1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "test", "belongs to network main"},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "main", "not an address"},
		{"", "main", "not an address"},
		// A bare public key is no address, although libraries read it as one.
		{"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "main", "not an address"},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "mainnet", "not a network"},
	} {
		of, err := Find("BTC", c.network)
		if err == nil {
			_, err = AddressScript(c.addr, of)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q on %s: %v", c.addr, c.network, err)
		}
	}
}

// reversion gives an account key other version bytes.
func reversion(t *testing.T, xpub string, version uint32) string {
	t.Helper()
	key := must[*hdkeychain.ExtendedKey](t)(hdkeychain.NewKeyFromString(xpub))
	key = must[*hdkeychain.ExtendedKey](t)(key.CloneWithVersion(binary.BigEndian.AppendUint32(nil, version)))
	return key.String()
}

func TestVersionBytes(t *testing.T) {
	seed := bytes.Repeat([]byte{3}, 32)
	accepted := map[string][]string{ // prefix: "kind network"
		"xpub": {"bip84 main", "bip86 main"},
		"zpub": {"bip84 main"},
		"tpub": {"bip84 test", "bip84 signet", "bip84 regtest", "bip86 test", "bip86 signet", "bip86 regtest"},
		"vpub": {"bip84 test", "bip84 signet", "bip84 regtest"},
	}
	for version, p := range prefixes {
		if p.private {
			continue
		}
		for _, kind := range []Kind{BIP84, BIP86} {
			for _, network := range own {
				account := must[*Account](t)(AccountFromSeed(seed, kind, network, 0))
				text := reversion(t, account.XPub(), version)
				if !strings.HasPrefix(text, p.name) {
					t.Errorf("version %08x spells %s, not %s", version, text[:4], p.name)
				}
				got, err := ParseAccount(text, kind, network)
				want := false
				for _, ok := range accepted[p.name] {
					want = want || ok == string(kind)+" "+network.Network
				}
				if want != (err == nil) {
					t.Errorf("%s as %s on %s: %v", p.name, kind, network, err)
				}
				if err == nil && got.XPub() != account.XPub() {
					t.Errorf("%s became %s, want %s", text, got.XPub(), account.XPub())
				}
			}
		}
	}
}

func TestPrivateKeysAreRefusedWithoutRepeatingThem(t *testing.T) {
	master := must[*hdkeychain.ExtendedKey](t)(hdkeychain.NewMaster(bytes.Repeat([]byte{3}, 32), &chaincfg.MainNetParams))
	for version, p := range prefixes {
		if !p.private {
			continue
		}
		text := reversion(t, master.String(), version)
		_, err := ParseAccount(text, BIP84, Mainnet)
		if !errors.Is(err, ErrPrivateKey) || strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}

func TestDescriptorTellsWhereTheKeyComesFrom(t *testing.T) {
	seed := must[[]byte](t)(SeedFromMnemonic(strings.Repeat("abandon ", 11)+"about", ""))
	account := must[*Account](t)(AccountFromSeed(seed, BIP84, Mainnet, 0))
	// 73c5da0a is the well-known master fingerprint of these words.
	text, sum, _ := strings.Cut(account.Descriptor(), "#")
	if want := "wpkh([73c5da0a/84h/0h/0h]" + account.XPub() + "/0/*)"; text != want {
		t.Errorf("descriptor %s, want %s", text, want)
	}
	if want := must[string](t)(DescriptorChecksum(text)); sum != want {
		t.Errorf("checksum %s, want %s", sum, want)
	}
	parsed := must[*Account](t)(ParseAccount(account.XPub(), BIP86, Mainnet))
	if got := parsed.Descriptor(); !strings.HasPrefix(got, "tr("+account.XPub()+"/0/*)#") {
		t.Errorf("descriptor %s", got)
	}
	if a, b := account.Fingerprint(), parsed.Fingerprint(); a != b || len(a) != 8 {
		t.Errorf("fingerprints %s and %s of one key", a, b)
	}
}

func TestIndicesOutOfRange(t *testing.T) {
	seed := bytes.Repeat([]byte{3}, 32)
	account := must[*Account](t)(AccountFromSeed(seed, BIP84, Mainnet, 1<<31-1))
	if _, _, err := account.Address(1 << 31); err == nil {
		t.Error("derived a hardened address from a public key")
	}
	if _, err := AccountFromSeed(seed, BIP84, Mainnet, 1<<31); err == nil {
		t.Error("derived account 2^31")
	}
	if _, err := AccountFromSeed(seed[:8], BIP84, Mainnet, 0); err == nil {
		t.Error("took a seed of 8 bytes")
	}
	if _, err := AccountFromSeed(seed, "bip45", Mainnet, 0); err == nil {
		t.Error("took an unknown kind")
	}
}

func TestAddressIsSafeForConcurrentUse(t *testing.T) {
	account := must[*Account](t)(AccountFromSeed(bytes.Repeat([]byte{3}, 32), BIP86, Mainnet, 0))
	want, _, _ := account.Address(7)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if got, _, err := account.Address(7); err != nil || got != want {
					t.Errorf("%s, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

func TestWrongWordsAreRefusedWithoutRepeatingThem(t *testing.T) {
	for _, words := range []string{"", "abandon", strings.Repeat("abandon ", 12), strings.Repeat("secret7 ", 12)} {
		_, err := SeedFromMnemonic(words, "")
		if err == nil || (words != "" && strings.Contains(err.Error(), strings.Fields(words)[0])) {
			t.Errorf("%q: %v", words, err)
		}
	}
	if _, err := NewMnemonic(make([]byte, 15)); err == nil {
		t.Error("took 15 bytes of entropy")
	}
	// BIP 39 normalises the passphrase: composed and decomposed are the same.
	words := must[string](t)(NewMnemonic(make([]byte, 16)))
	a := must[[]byte](t)(SeedFromMnemonic(words, "caf\u00e9"))
	b := must[[]byte](t)(SeedFromMnemonic(words, "cafe\u0301"))
	if !bytes.Equal(a, b) {
		t.Error("two spellings of one passphrase give two seeds")
	}
}

func TestSealing(t *testing.T) {
	seed := bytes.Repeat([]byte{0xab}, 64)
	sealed := must[[]byte](t)(Seal(seed, "correct horse", 4))
	if bytes.Contains(sealed, seed[:8]) {
		t.Error("the seed can be read in its sealed form")
	}
	if got := must[[]byte](t)(Open(sealed, "correct horse")); !bytes.Equal(got, seed) {
		t.Errorf("opened as %x", got)
	}
	if _, err := Open(sealed, "wrong horse"); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := Open(sealed, "correct horse"); err == nil || errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("damaged: %v", err)
	}
	for _, factor := range []int{0, 23} {
		if _, err := Seal(seed, "x", factor); err == nil {
			t.Errorf("took work factor %d", factor)
		}
	}
	if _, err := Seal(seed, "", 4); err == nil {
		t.Error("took an empty passphrase")
	}
}

func TestDustLimit(t *testing.T) {
	for script, want := range map[string]uint64{
		"0014751e76e8199196d454941c45d1b3a323f1433bd6":                         294,
		"00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262": 330,
		"512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798": 330,
		"76a914751e76e8199196d454941c45d1b3a323f1433bd688ac":                   546,
		"a914751e76e8199196d454941c45d1b3a323f1433bd687":                       540,
		"6a0568656c6c6f": 0,
	} {
		if got := DustLimit(unhex(t, script), Mainnet); got != want {
			t.Errorf("%s: %d, want %d", script, got, want)
		}
	}
}

func TestPaymentURI(t *testing.T) {
	const addr = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
	for _, c := range []struct {
		sat            string
		label, message string
		want           string
	}{
		{"0", "", "", ""},
		{"1", "", "", "?amount=0.00000001"},
		{"100000000", "", "", "?amount=1"},
		{"2030000000", "Luke-Jr", "", "?amount=20.3&label=Luke-Jr"},
		{"5000000000", "Luke-Jr", "Donation for project xyz", "?amount=50&label=Luke-Jr&message=Donation%20for%20project%20xyz"},
		{"12345678901234567890", "a&b=c#d", "1+1 ü", "?amount=123456789012.3456789&label=a%26b%3Dc%23d&message=1%2B1%20%C3%BC"},
	} {
		amount := must[money.Units](t)(money.ParseUnits(c.sat))
		if got := PaymentURI(Mainnet, addr, amount, c.label, c.message); got != "bitcoin:"+addr+c.want {
			t.Errorf("%s: %s", c.sat, got)
		}
	}
}

func BenchmarkAddress(b *testing.B) {
	seed, _ := hex.DecodeString(strings.Repeat("07", 32))
	for _, kind := range []Kind{BIP84, BIP86} {
		account, err := AccountFromSeed(seed, kind, Mainnet, 0)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(kind), func(b *testing.B) {
			index := uint32(0)
			for b.Loop() {
				if _, _, err := account.Address(index); err != nil {
					b.Fatal(err)
				}
				index++
			}
		})
	}
}
