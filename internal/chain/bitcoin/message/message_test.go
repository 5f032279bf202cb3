package message

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

const segwit, taproot = "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l", "bc1ppv609nr0vr25u07u95waq5lucwfm6tde4nydujnu8npg4q75mr5sxq8lt3"

// What BIP 322 publishes, and for taproot and the older form the vectors of the
// reference implementation's own tests.
var published = []struct{ address, message, signature string }{
	{segwit, "", "AkcwRAIgM2gBAQqvZX15ZiysmKmQpDrG83avLIT492QBzLnQIxYCIBaTpOaD20qRlEylyxFSeEA2ba9YOixpX8z46TSDtS40ASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI="},
	{segwit, "", "AkgwRQIhAPkJ1Q4oYS0htvyuSFHLxRQpFAY56b70UvE7Dxazen0ZAiAtZfFz1S6T6I23MWI2lK/pcNTWncuyL8UL+oMdydVgzAEhAsfxIAMZZEKUPYWI4BruhAQjzFT8FSFSajuFwrDL1Yhy"},
	{segwit, "Hello World", "AkcwRAIgZRfIY3p7/DoVTty6YZbWS71bc5Vct9p9Fia83eRmw2QCICK/ENGfwLtptFluMGs2KsqoNSk89pO7F29zJLUx9a/sASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI="},
	{segwit, "Hello World", "AkgwRQIhAOzyynlqt93lOKJr+wmmxIens//zPzl9tqIOua93wO6MAiBi5n5EyAcPScOjf1lAqIUIQtr3zKNeavYabHyR8eGhowEhAsfxIAMZZEKUPYWI4BruhAQjzFT8FSFSajuFwrDL1Yhy"},
	{taproot, "Hello World", "AUHd69PrJQEv+oKTfZ8l+WROBHuy9HKrbFCJu7U1iK2iiEy1vMU5EfMtjc+VSHM7aU0SDbak5IUZRVno2P5mjSafAQ=="},
	{"15CRxFdyRpGZLW9w8HnHvVduizdL5jKNbs", "Trust no one", "IPojfrX2dfPnH26UegfbGQQLrdK844DlHq5157/P6h57WyuS/Qsl+h/WSVGDF4MUi4rWSswW38oimDYfNNUBUOk="},
	{"11canuhp9X2NocwCq7xNrQYTmUgZAnLK3", "Trust me", "IIcaIENoYW5jZWxsb3Igb24gYnJpbmsgb2Ygc2Vjb25kIGJhaWxvdXQgZm9yIGJhbmtzIAaHRtbCeDZINyavx14="},
}

func verifier(t *testing.T, network string) Messages {
	t.Helper()
	c, err := bitcoin.Find("BTC", network)
	if err != nil {
		t.Fatal(err)
	}
	return New(c)
}

func TestPublishedSignaturesAreAccepted(t *testing.T) {
	m := verifier(t, "main")
	for _, v := range published {
		for _, s := range []string{v.signature, "  " + v.signature[:20] + "\n" + v.signature[20:] + " "} {
			if err := m.Verify(v.address, v.message, s); err != nil {
				t.Errorf("%s %q: %v", v.address, v.message, err)
			}
		}
		if strings.HasPrefix(v.address, "bc1") {
			if err := m.Verify(v.address, v.message, "smp"+v.signature); err != nil {
				t.Errorf("%s with the prefix: %v", v.address, err)
			}
		}
	}
}

func TestTheVirtualTransactionsAreTheOnesOfBIP322(t *testing.T) {
	script, err := bitcoin.AddressScript(segwit, bitcoin.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct{ message, hash, spend, sign string }{
		{"", "c90c269c4f8fcbe6880f72a721ddfbf1914268a794cbb21cfafee13770ae19f1", "c5680aa69bb8d860bf82d4e9cd3504b55dde018de765a91bb566283c545a99a7", "1e9654e951a5ba44c8604c4de6c67fd78a27e81dcadcfe1edf638ba3aaebaed6"},
		{"Hello World", "f0eb03b1a75ac6d9847f55c624a99169b5dccba2a31f5b23bea77ba270de0a7a", "b79d196740ad5217771c1098fc4a4b51e0535c32236c71f1ea4d61a2d603352b", "88737ae86f2077145f93cc4b153ae9a1cb8d56afa511988c149c5c8c9d93bddf"},
	} {
		if got := hexOf(messageHash(v.message)[:]); got != v.hash {
			t.Errorf("%q: hash %s", v.message, got)
		}
		spend := toSpend(script, v.message)
		if got := spend.TxHash().String(); got != v.spend {
			t.Errorf("%q: to_spend %s", v.message, got)
		}
		if got := toSign(spend).TxHash().String(); got != v.sign {
			t.Errorf("%q: to_sign %s", v.message, got)
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

// owner is one key with its address of each kind on regtest.
type owner struct {
	key       *btcec.PrivateKey
	addresses map[txscript.ScriptClass]string
}

func newOwner(t *testing.T, seed byte) owner {
	t.Helper()
	key, pub := btcec.PrivKeyFromBytes([]byte(strings.Repeat(string(rune(seed)), 32)))
	o := owner{key, map[txscript.ScriptClass]string{}}
	hash := btcutil.Hash160(pub.SerializeCompressed())
	witness := append([]byte{0, 20}, hash...)
	output := schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(pub))
	for kind, script := range map[txscript.ScriptClass][]byte{
		txscript.PubKeyHashTy:          append(append([]byte{0x76, 0xa9, 20}, hash...), 0x88, 0xac),
		txscript.ScriptHashTy:          append(append([]byte{0xa9, 20}, btcutil.Hash160(witness)...), 0x87),
		txscript.WitnessV0PubKeyHashTy: witness,
		txscript.WitnessV1TaprootTy:    append([]byte{0x51, 32}, output...),
	} {
		address, ok := bitcoin.ScriptAddress(script, bitcoin.Regtest)
		if !ok {
			t.Fatalf("no address of %x", script)
		}
		o.addresses[kind] = address
	}
	return o
}

// compact signs in the older form with a first byte.
func (o owner) compact(message string, header int) string {
	sig := ecdsa.SignCompact(o.key, compactHash(bitcoin.Regtest, message), true)
	sig[0] = byte(header) + (sig[0]-27)%4
	return base64.StdEncoding.EncodeToString(sig)
}

// simple signs as BIP 322 says, with a kind of signature.
func (o owner) simple(t *testing.T, kind txscript.ScriptClass, message string, hash txscript.SigHashType) string {
	t.Helper()
	script, err := bitcoin.AddressScript(o.addresses[kind], bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	tx := toSign(toSpend(script, message))
	prev := txscript.NewCannedPrevOutputFetcher(script, 0)
	sums := txscript.NewTxSigHashes(tx, prev)
	if kind == txscript.WitnessV1TaprootTy {
		tx.TxIn[0].Witness, err = txscript.TaprootWitnessSignature(tx, sums, 0, 0, script, hash, o.key)
	} else {
		tx.TxIn[0].Witness, err = txscript.WitnessSignature(tx, sums, 0, 0, script, hash, o.key, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte{byte(len(tx.TxIn[0].Witness))}
	for _, e := range tx.TxIn[0].Witness {
		raw = append(append(raw, byte(len(e))), e...)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

const text = "Pay me here: recipient 7, nonce 9"

func TestEachKindOfAddressSignsInItsForms(t *testing.T) {
	m, o := verifier(t, "regtest"), newOwner(t, 'a')
	other := newOwner(t, 'b')
	type try struct {
		name, signature string
		kind            txscript.ScriptClass
	}
	tries := []try{
		{"P2PKH", o.compact(text, compressed), txscript.PubKeyHashTy},
		{"P2SH-P2WPKH, BIP 137", o.compact(text, nested), txscript.ScriptHashTy},
		{"P2SH-P2WPKH, as for P2PKH", o.compact(text, compressed), txscript.ScriptHashTy},
		{"P2WPKH, BIP 137", o.compact(text, native), txscript.WitnessV0PubKeyHashTy},
		{"P2WPKH, as for P2PKH", o.compact(text, compressed), txscript.WitnessV0PubKeyHashTy},
		{"P2WPKH, BIP 322", o.simple(t, txscript.WitnessV0PubKeyHashTy, text, txscript.SigHashAll), txscript.WitnessV0PubKeyHashTy},
		{"P2TR, BIP 322", o.simple(t, txscript.WitnessV1TaprootTy, text, txscript.SigHashDefault), txscript.WitnessV1TaprootTy},
		{"P2TR, BIP 322, hash type written out", o.simple(t, txscript.WitnessV1TaprootTy, text, txscript.SigHashAll), txscript.WitnessV1TaprootTy},
	}
	for _, c := range tries {
		t.Run(c.name, func(t *testing.T) {
			if err := m.Verify(o.addresses[c.kind], text, c.signature); err != nil {
				t.Error(err)
			}
			if m.Verify(o.addresses[c.kind], text+" ", c.signature) == nil {
				t.Error("another text is accepted")
			}
			for kind, address := range other.addresses {
				if m.Verify(address, text, c.signature) == nil {
					t.Errorf("the %v address of another key is accepted", kind)
				}
			}
		})
	}
}

func TestSignaturesThatProveNothingAreRefused(t *testing.T) {
	m, o := verifier(t, "regtest"), newOwner(t, 'a')
	p2wpkh, p2tr, p2pkh := o.addresses[txscript.WitnessV0PubKeyHashTy], o.addresses[txscript.WitnessV1TaprootTy], o.addresses[txscript.PubKeyHashTy]
	good := o.simple(t, txscript.WitnessV0PubKeyHashTy, text, txscript.SigHashAll)
	for _, c := range []struct{ name, address, signature, says string }{
		{"nothing", p2wpkh, "", "copy it whole"},
		{"not base64", p2wpkh, "-----BEGIN", "copy it whole"},
		{"cut off", p2wpkh, good[:40], "copy it whole"},
		{"too long", p2wpkh, strings.Repeat("A", 5000), "copy it whole"},
		{"the address of another network", "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l", good, "belongs to network main"},
		{"another hash type", p2wpkh, o.simple(t, txscript.WitnessV0PubKeyHashTy, text, txscript.SigHashNone), "not of this address"},
		{"taproot with another hash type", p2tr, o.simple(t, txscript.WitnessV1TaprootTy, text, txscript.SigHashSingle), "not of this address"},
		{"an uncompressed key for segwit", p2wpkh, o.compact(text, uncompressed), "not of this address"},
		{"the older form for taproot", p2tr, o.compact(text, compressed), "not of this address"},
		{"BIP 322 for an old address", p2pkh, good, "not of this address"},
		{"a first byte of nothing", p2pkh, o.compact(text, 99), "copy it whole"},
		{"a version of witness that anyone can spend", "bcrt1sw50qt2uwha", good, "cannot sign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := m.Verify(c.address, text, c.signature)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}
