package bitauth

import (
	"crypto/sha256"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"pgregory.net/rapid"
)

func drawScalar(t *rapid.T, name string) secp256k1.ModNScalar {
	var s secp256k1.ModNScalar
	switch rapid.IntRange(0, 4).Draw(t, name+" form") {
	case 0: // small
		s.SetInt(rapid.Uint32Range(1, 300).Draw(t, name))
	case 1: // just below the order
		s.SetInt(rapid.Uint32Range(1, 300).Draw(t, name))
		s.Negate()
	case 2: // one digit
		b := make([]byte, 32)
		b[rapid.IntRange(0, 31).Draw(t, name+" place")] = byte(rapid.SampledFrom([]int{1, 0x10, 0xf0, 0x0f, 0x80}).Draw(t, name))
		s.SetByteSlice(b)
	default:
		s.SetByteSlice(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name))
	}
	if s.IsZero() {
		s.SetInt(1)
	}
	return s
}

// hotKey is a key with its table, which takes longer to build than many checks.
type hotKey struct {
	scalar secp256k1.ModNScalar
	id     *Identity
	table  *keyTable
}

// someKeys are ones at the edges and some in between.
var someKeys = sync.OnceValue(func() (list []hotKey) {
	r := rand.New(rand.NewPCG(3, 1))
	for i := range 12 {
		var k secp256k1.ModNScalar
		k.SetInt(uint32(i + 1))
		switch {
		case i >= 6:
			digest := sha256.Sum256([]byte{byte(r.Uint32()), byte(i)})
			k.SetByteSlice(digest[:])
		case i >= 3:
			k.Negate()
		}
		id := &Identity{key: secp256k1.NewPrivateKey(&k).PubKey()}
		list = append(list, hotKey{k, id, newKeyTable(id.key)})
	}
	return list
})

// check is a signature's fate on both paths.
func (k *hotKey) check(sig *Signature, hash []byte) (plain, table bool) {
	var cold Verifier
	return cold.verifyHash(k.id, sig, hash), k.table.verify(sig, hash)
}

func TestTheTableAgreesWithThePlainCheckOnRandomSignatures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(someKeys()).Draw(t, "key")
		priv := secp256k1.NewPrivateKey(&key.scalar)
		hash := sha256.Sum256(rapid.SliceOf(rapid.Byte()).Draw(t, "message"))
		made := ecdsa.Sign(priv, hash[:])
		sig := &Signature{r: made.R(), s: made.S()}
		if rapid.Bool().Draw(t, "mirrored") {
			sig.s.Negate()
		}
		if plain, table := key.check(sig, hash[:]); !plain || !table {
			t.Fatalf("a good signature: plain %v, table %v", plain, table)
		}
		if rapid.Bool().Draw(t, "spoil r") {
			sig.r = drawScalar(t, "r")
		} else {
			sig.s = drawScalar(t, "s")
		}
		if plain, table := key.check(sig, hash[:]); plain != table {
			t.Fatalf("a spoilt signature: plain %v, table %v", plain, table)
		}
	})
}

// Signatures are made backwards from chosen scalars u1 and u2, so that the sum
// of the check meets zero, equal and opposite points on its way.
func TestTheTableAgreesWithThePlainCheckOnCraftedScalars(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(someKeys()).Draw(t, "key")
		u1, u2 := drawScalar(t, "u1"), drawScalar(t, "u2")
		if rapid.Bool().Draw(t, "the sum meets zero") {
			u1.Mul2(&u2, &key.scalar).Negate()
		}
		if rapid.Bool().Draw(t, "u1 is zero") {
			u1.SetInt(0)
		}
		var point secp256k1.JacobianPoint
		var k secp256k1.ModNScalar
		k.Mul2(&u2, &key.scalar).Add(&u1) // the nonce of this signature
		wantValid := !k.IsZero()
		var r secp256k1.ModNScalar
		if wantValid {
			secp256k1.ScalarBaseMultNonConst(&k, &point)
			point.ToAffine()
			x := *point.X.Bytes()
			r.SetBytes(&x)
		} else {
			r.SetInt(7)
		}
		// u2 = r/s and u1 = e/s, so s = r/u2 and e = u1·s.
		var s, e, inv secp256k1.ModNScalar
		inv.InverseValNonConst(&u2)
		s.Mul2(&r, &inv)
		e.Mul2(&u1, &s)
		hash := e.Bytes()
		plain, table := key.check(&Signature{r: r, s: s}, hash[:])
		if plain != table || plain != wantValid {
			t.Fatalf("plain %v, table %v, want %v", plain, table, wantValid)
		}
	})
}

func TestAKeyEarnsItsTableByGoodSignaturesOnly(t *testing.T) {
	id, sig := identity(t, vectorPublic), signature(t, vectorLowSig)
	var v Verifier
	for range 10 * hotAfter {
		if v.Verify(id, sig, []byte("another message")) {
			t.Fatal("a wrong signature passed")
		}
	}
	if v.hot.table(id) != nil {
		t.Fatal("bad signatures earned a table")
	}
	for range hotAfter {
		if v.hot.table(id) != nil {
			t.Fatal("the table came early")
		}
		if !v.Verify(id, sig, []byte(vectorURL), []byte(vectorBody)) {
			t.Fatal("a good signature was refused")
		}
	}
	if v.hot.table(id) == nil || !v.Verify(id, sig, []byte(vectorURL), []byte(vectorBody)) {
		t.Fatal("no table after good signatures")
	}
}

func TestTablesAreBounded(t *testing.T) {
	var h hotKeys
	for i := range maxHot + 3 {
		var k secp256k1.ModNScalar
		k.SetInt(uint32(i + 1))
		id := &Identity{key: secp256k1.NewPrivateKey(&k).PubKey()}
		copy(id.compressed[:], id.key.SerializeCompressed())
		for range hotAfter {
			h.signed(id)
		}
	}
	if len(h.tables) > maxHot {
		t.Fatalf("%d tables", len(h.tables))
	}
}

// mutants is how many spoilt requests are tried.
const mutants = 100_000 / campaignShare

func TestNoMutantIsAccepted(t *testing.T) {
	signer, err := NewSigner(unhex(t, vectorKey))
	if err != nil {
		t.Fatal(err)
	}
	good := make([]mutant, 256)
	for i := range good {
		good[i] = sign(signer, i)
	}
	id := identity(t, vectorPublic)
	hot := newKeyTable(id.key)
	var mirrors, refused atomic.Int64
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(worker)))
			for n := worker; n < mutants; n += workers {
				m := mutate(r, good[n%len(good)])
				switch accepted := m.accepted(hot); {
				case accepted && m.isMirror():
					mirrors.Add(1)
				case accepted:
					t.Errorf("mutant %d was accepted: %+v", n, m)
				default:
					refused.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if mirrors.Load() == 0 || mirrors.Load()+refused.Load() != mutants {
		t.Errorf("%d mirror images accepted, %d refused", mirrors.Load(), refused.Load())
	}
}
