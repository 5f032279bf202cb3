package bitauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The vector of the wire specification, section 2.
const (
	vectorKey     = "1e240a5cbb1c0fb2b0e2b6bd2b6d1e5f6f6a8b7c9d0e1f2a3b4c5d6e7f809101"
	vectorPublic  = "033b132d6d6aed0d79ded2cc24a3472be26df0b05d66faeef520b1336adfbec6be"
	vectorSIN     = "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jy"
	vectorURL     = "https://pay.example.com/invoices"
	vectorBody    = `{"price":10,"currency":"USD","token":"abc"}`
	vectorDigest  = "2fcc7ba781385b64e417487fadbdacf1f69470b1f85936e3d93ef1dd100ff601"
	vectorHighSig = "3046022100fe2f05ce8d4adde333342f779a65d1c39125d3ea1088b3a49747e662da587592022100d205250229a81cca209820b44f91fa522cd5938a65282b9eac807ad4921691bf"
	vectorLowSig  = "3045022100fe2f05ce8d4adde333342f779a65d1c39125d3ea1088b3a49747e662da58759202202dfadafdd657e335df67df4bb06e05ac8dd9495c4a20749d1351e3b83e1faf82"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func identity(t testing.TB, s string) *Identity {
	t.Helper()
	id, err := ParseIdentity(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func signature(t testing.TB, s string) *Signature {
	t.Helper()
	sig, err := ParseSignature(s)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// paths are the two ways a signature is checked: without and with the table of
// a key that comes often.
func paths(id *Identity, sig *Signature, hash []byte) (plain, table bool) {
	var cold Verifier
	hot := newKeyTable(id.key)
	return cold.verifyHash(id, sig, hash), hot.verify(sig, hash)
}

func TestTheSpecificationsVector(t *testing.T) {
	signer, err := NewSigner(unhex(t, vectorKey))
	if err != nil {
		t.Fatal(err)
	}
	if signer.Identity() != vectorPublic {
		t.Errorf("public key %s", signer.Identity())
	}
	digest := sha256.Sum256([]byte(vectorURL + vectorBody))
	if hex.EncodeToString(digest[:]) != vectorDigest {
		t.Errorf("digest %x", digest)
	}
	id := identity(t, vectorPublic)
	if id.SIN() != vectorSIN {
		t.Errorf("SIN %s", id.SIN())
	}
	high, low := signature(t, vectorHighSig), signature(t, vectorLowSig)
	for name, sig := range map[string]*Signature{"high": high, "low": low} {
		if plain, table := paths(id, sig, digest[:]); !plain || !table {
			t.Errorf("%s S: plain %v, table %v", name, plain, table)
		}
	}
	if high.LowS() != low.LowS() {
		t.Error("the two spellings of one signature have two low forms")
	}
}

func TestAnIdentityInAnySpelling(t *testing.T) {
	id := identity(t, vectorPublic)
	uncompressed := hex.EncodeToString(id.key.SerializeUncompressed())
	for _, s := range []string{strings.ToUpper(vectorPublic), uncompressed, strings.ToUpper(uncompressed)} {
		if got := identity(t, s).SIN(); got != vectorSIN {
			t.Errorf("%s: SIN %s", s, got)
		}
	}
	hybrid := "07" + uncompressed[2:]
	for _, s := range []string{"", "02", vectorPublic[:64], vectorPublic + "00", "05" + vectorPublic[2:], strings.Repeat("zz", 33),
		"02" + strings.Repeat("ff", 32), hybrid, "06" + uncompressed[2:], uncompressed[:128] + "00"} {
		if _, err := ParseIdentity(s); err == nil {
			t.Errorf("%q was taken for a key", s)
		}
	}
}

func TestPrivateKeysOutOfRange(t *testing.T) {
	n := unhex(t, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	for _, k := range [][]byte{nil, make([]byte, 32), n, bytes.Repeat([]byte{0xff}, 32), make([]byte, 31)} {
		if _, err := NewSigner(k); err == nil {
			t.Errorf("%x was taken for a private key", k)
		}
	}
}

type wycheproof struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		PublicKeyDER string `json:"publicKeyDer"`
		Tests        []struct {
			ID      int    `json:"tcId"`
			Comment string `json:"comment"`
			Msg     string `json:"msg"`
			Sig     string `json:"sig"`
			Result  string `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

// wycheproofModule holds the vectors as data; it is not built.
const (
	wycheproofModule  = "github.com/C2SP/wycheproof@v0.0.0-20250901140545-b51abcfb8daf"
	wycheproofVectors = 466 // in the generic file for DER signatures, at this version
)

func readWycheproof(t *testing.T) *wycheproof {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", wycheproofModule)
	cmd.Dir = t.TempDir() // outside of any module: the sums of this one do not name it
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("fetch %s: %v %s", wycheproofModule, err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(module.Dir, "testvectors_v1", "ecdsa_secp256k1_sha256_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	w := &wycheproof{}
	if err := json.Unmarshal(b, w); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWycheproof(t *testing.T) {
	w := readWycheproof(t)
	seen := 0
	for _, g := range w.TestGroups {
		der := unhex(t, g.PublicKeyDER)
		// An X.509 key ends with the point itself: 65 bytes, uncompressed.
		id := identity(t, hex.EncodeToString(der[len(der)-65:]))
		hot := newKeyTable(id.key)
		for _, c := range g.Tests {
			seen++
			want := c.Result == "valid"
			digest := sha256.Sum256(unhex(t, c.Msg))
			plain, table := false, false
			if sig, err := ParseSignature(c.Sig); err == nil {
				var cold Verifier
				plain, table = cold.verifyHash(id, sig, digest[:]), hot.verify(sig, digest[:])
			}
			if plain != want || table != want {
				t.Errorf("vector %d (%s) is %s: plain %v, table %v", c.ID, c.Comment, c.Result, plain, table)
			}
		}
	}
	if seen != wycheproofVectors || w.NumberOfTests != wycheproofVectors {
		t.Errorf("%d vectors of %d, not %d", seen, w.NumberOfTests, wycheproofVectors)
	}
}
