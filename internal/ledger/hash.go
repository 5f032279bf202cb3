package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Seal sets the entry's place in the chain of its merchant and its hash:
// SHA-256 over the hash before it and everything in the row, each field with its
// length, so that no two different entries are written the same. It returns Refs
// as they are hashed and stored.
func (e *Entry) Seal(n int64, prev string) (refs string, err error) {
	text, err := json.Marshal(e.Refs)
	if err != nil {
		return "", err
	}
	e.N, e.Prev, e.StoredRefs = n, prev, string(text)
	e.Hash = e.digest(e.StoredRefs)
	return e.StoredRefs, nil
}

// hashVersion changes with the way an entry is written down for its hash.
const hashVersion = 1

func (e *Entry) digest(refs string) string {
	b := make([]byte, 0, 512)
	number := func(n int64) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	text := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	number(hashVersion)
	text(e.Prev)
	text(e.Merchant)
	number(e.N)
	for _, s := range []string{e.ID, string(e.Kind), e.Key, e.Reverses, refs} {
		text(s)
	}
	number(e.At.UnixMilli())
	number(int64(len(e.Postings)))
	for _, p := range e.Postings {
		text(p.Account)
		text(p.Asset)
		text(p.Amount.String())
		number(int64(p.Code))
		text(p.Text)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Verify reports whether the hash of an entry that was read is right and follows
// another.
func (e *Entry) Verify(n int64, prev string) error {
	switch {
	case e.N != n:
		return fmt.Errorf("ledger: entry %s of merchant %s has number %d where %d is expected", e.ID, e.Merchant, e.N, n)
	case e.Prev != prev:
		return fmt.Errorf("ledger: entry %d of merchant %s does not follow the one before it", n, e.Merchant)
	case e.Hash != e.digest(e.StoredRefs):
		return fmt.Errorf("ledger: entry %d of merchant %s was changed: its hash is not that of its contents", n, e.Merchant)
	}
	return nil
}
