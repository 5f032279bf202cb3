package bitauth

import (
	"crypto/sha256"
	"testing"
)

func BenchmarkVerify(b *testing.B) {
	id, sig := identity(b, vectorPublic), signature(b, vectorLowSig)
	digest := sha256.Sum256([]byte(vectorURL + vectorBody))
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			var cold Verifier
			cold.verifyHash(id, sig, digest[:])
		}
	})
	b.Run("table", func(b *testing.B) {
		hot := newKeyTable(id.key)
		for b.Loop() {
			hot.verify(sig, digest[:])
		}
	})
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			newKeyTable(id.key)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	s, err := NewSigner(unhex(b, vectorKey))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Sign(vectorURL, []byte(vectorBody))
	}
}
