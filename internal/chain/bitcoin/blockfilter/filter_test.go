package blockfilter

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/btcsuite/btcd/btcutil/gcs"
	"github.com/btcsuite/btcd/btcutil/gcs/builder"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"pgregory.net/rapid"

	"github.com/quittance/quittance/internal/chain"
)

// script is a P2WPKH or P2TR output script of a number.
func script(i uint64) []byte {
	size := 20
	if i%2 == 1 {
		size = 32
	}
	s := make([]byte, 2+size)
	s[0], s[1] = byte(i%2*0x51), byte(size)
	rng := rand.NewPCG(i, 1)
	binary.LittleEndian.PutUint64(s[2:], rng.Uint64())
	binary.LittleEndian.PutUint64(s[10:], i)
	return s
}

func pack(scripts ...[]byte) chain.Destinations {
	var d chain.Destinations
	for _, s := range scripts {
		d = append(d, chain.Run{Width: len(s), Bytes: s})
	}
	return d
}

func filterOf(t testing.TB, hash chainhash.Hash, scripts [][]byte) *gcs.Filter {
	t.Helper()
	b := builder.WithKeyHash(&hash)
	b.AddEntries(scripts)
	f, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func rawOf(t testing.TB, f *gcs.Filter) []byte {
	t.Helper()
	raw, err := f.NBytes()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The answer is the library's, for scripts in the filter and for strangers, false
// matches included.
func TestItAnswersWhatTheLibraryAnswers(t *testing.T) {
	var matcher Matcher
	rapid.Check(t, func(rt *rapid.T) {
		var hash chainhash.Hash
		binary.LittleEndian.PutUint64(hash[:], rapid.Uint64().Draw(rt, "hash"))
		inside := rapid.SliceOfN(rapid.Uint64Range(0, 1<<20), 0, 300).Draw(rt, "inside")
		asked := rapid.SliceOfN(rapid.Uint64Range(0, 1<<20), 0, 20).Draw(rt, "asked")
		if len(inside) > 0 && rapid.Bool().Draw(rt, "hit") {
			asked = append(asked, inside[rapid.IntRange(0, len(inside)-1).Draw(rt, "which")])
		}
		var in, ask [][]byte
		for _, i := range inside {
			in = append(in, script(i))
		}
		for _, i := range asked {
			ask = append(ask, script(i))
		}
		f := filterOf(t, hash, in)
		want := false
		if f.N() > 0 {
			var err error
			if want, err = f.MatchAny(builder.DeriveKey(&hash), ask); err != nil {
				rt.Fatal(err)
			}
		}
		got, err := matcher.Match((*[32]byte)(&hash), rawOf(t, f), pack(ask...))
		if err != nil || got != want {
			rt.Fatalf("%v %v, the library says %v", got, err, want)
		}
	})
}

// Every script of a filter as large as a mainnet block's is found in it.
func TestNothingInALargeFilterIsMissed(t *testing.T) {
	hash := chainhash.Hash{7}
	var in [][]byte
	for i := range uint64(8000) {
		in = append(in, script(i))
	}
	raw := rawOf(t, filterOf(t, hash, in))
	var matcher Matcher
	for i, s := range in {
		if ok, err := matcher.Match((*[32]byte)(&hash), raw, pack(script(1<<40), s)); err != nil || !ok {
			t.Fatalf("script %d: %v %v", i, ok, err)
		}
	}
	strangers := 0
	for i := range uint64(2000) {
		if ok, _ := matcher.Match((*[32]byte)(&hash), raw, pack(script(1<<40+i))); ok {
			strangers++
		}
	}
	if strangers > 2 {
		t.Errorf("%d of 2,000 strangers matched", strangers)
	}
}

func TestADamagedFilterIsAnError(t *testing.T) {
	hash := *chaincfg.MainNetParams.GenesisHash
	raw := rawOf(t, filterOf(t, hash, [][]byte{script(1), script(2), script(3)}))
	var matcher Matcher
	for name, bad := range map[string][]byte{
		"empty": {}, "cut short": raw[:len(raw)-3], "more elements than it holds": append([]byte{200}, raw[1:]...),
		"an absurd number": {0xff, 1, 1, 1, 1, 1, 1, 1, 1}, "a number that is cut": {0xfd, 1}, "only ones": {2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := matcher.Match((*[32]byte)(&hash), bad, pack(script(9))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if ok, err := matcher.Match((*[32]byte)(&hash), []byte{0}, pack(script(9))); ok || err != nil {
		t.Errorf("a block without scripts: %v %v", ok, err)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte{3, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var matcher Matcher
		_, _ = matcher.Match(&[32]byte{1}, raw, pack(script(1), script(2)))
	})
}

func BenchmarkMatch(b *testing.B) {
	hash := chainhash.Hash{7}
	var in [][]byte
	for i := range uint64(6500) {
		in = append(in, script(i))
	}
	f := filterOf(b, hash, in)
	raw := rawOf(b, f)
	for _, n := range []uint64{1000, 100_000} {
		var flat [][]byte
		small, large := chain.Run{Width: 22}, chain.Run{Width: 34}
		for i := range n {
			s := script(1<<40 + i)
			flat = append(flat, s)
			if len(s) == 22 {
				small.Bytes = append(small.Bytes, s...)
			} else {
				large.Bytes = append(large.Bytes, s...)
			}
		}
		name := map[uint64]string{1000: "1000", 100_000: "100000"}[n]
		b.Run("library/"+name, func(b *testing.B) {
			key := builder.DeriveKey(&hash)
			for b.Loop() {
				_, _ = f.MatchAny(key, flat)
			}
		})
		b.Run("own/"+name, func(b *testing.B) {
			var matcher Matcher
			for b.Loop() {
				_, _ = matcher.Match((*[32]byte)(&hash), raw, chain.Destinations{small, large})
			}
		})
	}
}
