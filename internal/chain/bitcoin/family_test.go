package bitcoin

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/money"
)

func of(t testing.TB, code, network string) *Chain {
	t.Helper()
	c, err := Find(code, network)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// abandon is the seed that wallets publish their first addresses of.
const abandon = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// The first addresses that other wallets derive from the published seed.
func TestEachChainDerivesWhatItsWalletsDerive(t *testing.T) {
	seed := must[[]byte](t)(SeedFromMnemonic(abandon, ""))
	for _, v := range []struct {
		code, network string
		kind          Kind
		first         string
	}{
		{"BTC", "main", BIP44, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"},
		{"BTC", "main", BIP49, "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf"},
		{"BTC", "main", BIP84, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"},
		{"BTC", "main", BIP86, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"},
		{"LTC", "main", BIP44, "LUWPbpM43E2p7ZSh8cyTBEkvpHmr3cB8Ez"},
		{"LTC", "main", BIP49, "M7wtsL7wSHDBJVMWWhtQfTMSYYkyooAAXM"},
		{"LTC", "main", BIP84, "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh"},
		{"BCH", "main", BIP44, "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6"},
		{"DOGE", "main", BIP44, "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC"},
	} {
		c := of(t, v.code, v.network)
		a := must[*Account](t)(AccountFromSeed(seed, v.kind, c, 0))
		addr, script, err := a.Address(0)
		if err != nil || addr != v.first {
			t.Errorf("%s %s: %s, %v; want %s", v.code, v.kind, addr, err, v.first)
		}
		if back := must[[]byte](t)(AddressScript(v.first, c)); !bytes.Equal(back, script) {
			t.Errorf("%s: the address says %x, the account %x", v.first, back, script)
		}
	}
}

// The published test vectors of CashAddr.
func TestCashAddressesAreTheOnesOfTheSpecification(t *testing.T) {
	c := of(t, "BCH", "main")
	for legacy, cash := range map[string]string{
		"1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu": "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
		"1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR": "bitcoincash:qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy",
		"16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb":  "bitcoincash:qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r",
		"3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC": "bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq",
		"3LDsS579y7sruadqu11beEJoTjdFiFCdX4": "bitcoincash:pr95sy3j9xwd2ap32xkykttr4cvcu7as4yc93ky28e",
		"31nwvkZwyPdgzjBJZXfDmSWsC4ZLKpYyUw": "bitcoincash:pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37",
	} {
		want := must[[]byte](t)(AddressScript(legacy, Mainnet))
		for _, spelling := range []string{cash, strings.TrimPrefix(cash, "bitcoincash:"), strings.ToUpper(cash)} {
			if got, err := AddressScript(spelling, c); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %x, %v", spelling, got, err)
			}
		}
		if got, ok := ScriptAddress(want, c); !ok || got != cash {
			t.Errorf("%s is written %s", cash, got)
		}
		// The old spelling cannot be told from Bitcoin's: it is refused with the new one.
		if _, err := AddressScript(legacy, c); err == nil || !strings.Contains(err.Error(), cash) {
			t.Errorf("%s on Bitcoin Cash: %v", legacy, err)
		}
		damaged := []byte(cash)
		damaged[20] = map[bool]byte{true: 'p', false: 'q'}[damaged[20] == 'q']
		if _, err := AddressScript(string(damaged), c); err == nil {
			t.Errorf("%s was read", damaged)
		}
	}
}

// No address of one chain or network passes for one of another, unless the two are
// spelled alike for good.
func TestAnAddressOfAnotherChainIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "hash")
		from := rapid.SampledFrom(family).Draw(t, "from")
		to := rapid.SampledFrom(family).Draw(t, "to")
		for _, script := range [][]byte{keyHashScript(hash), scriptHashScript(hash), witnessScript(0, hash)} {
			addr, ok := ScriptAddress(script, from)
			if !ok {
				continue
			}
			back, err := AddressScript(addr, from)
			if err != nil || !bytes.Equal(back, script) {
				t.Fatalf("%s on %s: %x, %v", addr, from, back, err)
			}
			if _, err := AddressScript(addr, to); err == nil && (from.Network == "main") != (to.Network == "main") {
				t.Fatalf("%s of %s passed for %s", addr, from, to)
			} else if err == nil && from.Network == "main" && from != to {
				t.Fatalf("%s of %s passed for %s", addr, from, to)
			}
		}
	})
}

// Litecoin's first P2SH addresses look like Bitcoin's: whoever gives one is told
// how to write it.
func TestAnAmbiguousLitecoinAddressIsRefusedWithTheRightSpelling(t *testing.T) {
	c := of(t, "LTC", "main")
	script := must[[]byte](t)(AddressScript("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", Mainnet))
	right, _ := ScriptAddress(script, c)
	if _, err := AddressScript("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", c); err == nil || !strings.Contains(err.Error(), right) || right[0] != 'M' {
		t.Errorf("%v; want %s", err, right)
	}
}

func TestPaymentLinksHaveTheSchemeOfTheChain(t *testing.T) {
	amount := money.NewUnits(150_000_000)
	for _, v := range []struct{ code, addr, want string }{
		{"BTC", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bitcoin:bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu?amount=1.5"},
		{"LTC", "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh", "litecoin:ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh?amount=1.5"},
		{"BCH", "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6", "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6?amount=1.5"},
		{"DOGE", "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC", "dogecoin:DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC?amount=1.5"},
	} {
		if got := NewKeys(of(t, v.code, "main")).URI(v.addr, amount, "", ""); got != v.want {
			t.Errorf("%s, want %s", got, v.want)
		}
	}
}

// The dust limits of the reference nodes.
func TestDustIsWhatTheNodesOfEachChainSay(t *testing.T) {
	hash := make([]byte, 20)
	for code, want := range map[string][2]uint64{"BTC": {546, 294}, "LTC": {5460, 2940}, "BCH": {546, 0}, "DOGE": {1_000_000, 0}} {
		c := of(t, code, "main")
		if got := DustLimit(keyHashScript(hash), c); got != want[0] {
			t.Errorf("%s: P2PKH %d, want %d", code, got, want[0])
		}
		if got := DustLimit(witnessScript(0, hash), c); c.Has(BIP84) && got != want[1] {
			t.Errorf("%s: P2WPKH %d, want %d", code, got, want[1])
		}
	}
}

func someTx(n int64) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{byte(n), 1}, Index: 3}, SignatureScript: []byte{1, 2, 3}, Sequence: 7})
	tx.AddTxOut(wire.NewTxOut(n, []byte{0x51}))
	tx.LockTime = 0x01020304 + uint32(n)
	return tx
}

func serial(t testing.TB, tx *wire.MsgTx) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// marked is a transaction as Litecoin writes it with extension data (LIP 2 and 3).
func marked(t testing.TB, tx *wire.MsgTx, extension []byte) []byte {
	raw := serial(t, tx)
	out := append(bytes.Clone(raw[:4]), 0, mwebFlag)
	out = append(out, raw[4:len(raw)-4]...)
	out = append(out, extension...)
	return append(out, raw[len(raw)-4:]...)
}

// A block of Litecoin ends with the transaction that ties the extension block to
// it, and the extension block follows.
func TestABlockWithAnExtensionIsRead(t *testing.T) {
	c := of(t, "LTC", "regtest")
	header := wire.BlockHeader{Version: 0x20000000}
	var raw bytes.Buffer
	if err := header.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	raw.WriteByte(3)
	raw.Write(serial(t, someTx(1)))
	raw.Write(serial(t, someTx(2)))
	raw.Write(marked(t, someTx(3), []byte{0}))
	raw.Write([]byte{1, 0xaa, 0xbb, 0xcc})
	b, err := DecodeBlock(raw.Bytes(), c)
	if err != nil {
		t.Fatal(err)
	}
	for i, tx := range b.Transactions() {
		if want := someTx(int64(i + 1)).TxHash(); *tx.Hash() != want || len(b.Transactions()) != 3 {
			t.Errorf("transaction %d is %s, want %s", i, tx.Hash(), want)
		}
	}
	for cut := 81; cut < raw.Len()-5; cut++ {
		if _, err := DecodeBlock(raw.Bytes()[:cut], c); err == nil {
			t.Errorf("a block cut at %d was read", cut)
		}
	}
	waiting, err := DecodeTx(marked(t, someTx(4), []byte{1, 9, 9, 9, 9, 9, 9}), c)
	if err != nil || *waiting.Hash() != someTx(4).TxHash() {
		t.Errorf("a transaction with extension data: %v", err)
	}
}

// Dogecoin's blocks are mined along with Litecoin's: the proof of that comes between
// the header and the transactions.
func TestABlockMinedAlongWithAnotherChainIsRead(t *testing.T) {
	c := of(t, "DOGE", "main")
	header := wire.BlockHeader{Version: 0x00620104, Nonce: 77}
	var raw bytes.Buffer
	if err := header.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	raw.Write(serial(t, someTx(9))) // the other chain's coinbase
	raw.Write(make([]byte, 32))
	for _, hashes := range []int{5, 2} {
		raw.WriteByte(byte(hashes))
		raw.Write(make([]byte, 32*hashes))
		raw.Write(binary.LittleEndian.AppendUint32(nil, 1))
	}
	parent := wire.BlockHeader{Version: 2}
	if err := parent.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	raw.WriteByte(1)
	raw.Write(serial(t, someTx(1)))
	b, err := DecodeBlock(raw.Bytes(), c)
	if err != nil {
		t.Fatal(err)
	}
	if *b.Hash() != header.BlockHash() || len(b.Transactions()) != 1 || *b.Transactions()[0].Hash() != someTx(1).TxHash() {
		t.Errorf("read %s with %d transactions", b.Hash(), len(b.Transactions()))
	}
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add(bytes.Repeat([]byte{0}, 200), false)
	f.Fuzz(func(t *testing.T, raw []byte, lite bool) {
		c := of(t, "DOGE", "main")
		if lite {
			c = of(t, "LTC", "main")
		}
		_, _ = DecodeBlock(raw, c)
		if tx, err := DecodeTx(raw, c); err == nil && tx == (*btcutil.Tx)(nil) {
			t.Error("neither a transaction nor an error")
		}
	})
}

func TestTheTableOfChainsIsWhole(t *testing.T) {
	for _, c := range family {
		if c.Name == "" || c.Scheme == "" || len(c.Kinds) == 0 || c.RelayFee == 0 || c.MaxFee == 0 || c.MaxMoney == 0 || c.FallbackFee < c.RelayFee ||
			c.Params.GenesisHash == nil || c.Has(BIP84) != (c.Params.Bech32HRPSegwit != "") || c.DustFee+c.MinOutput == 0 || c.Confirmed < 1 || c.Complete < c.Confirmed {
			t.Errorf("%s: %+v", c, c)
		}
	}
	if _, err := Find("XMR", "main"); err == nil || !strings.Contains(err.Error(), "BTC, LTC, BCH or DOGE") {
		t.Error(err)
	}
	if _, err := Find("DOGE", "signet"); err == nil || !strings.Contains(err.Error(), "main, test, regtest") {
		t.Error(err)
	}
	if hex.EncodeToString(Mainnet.Params.GenesisHash[:4]) != "6fe28c0a" {
		t.Error("Bitcoin's first block is another one")
	}
}
