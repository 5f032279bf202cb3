package paypro

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/store/pgtest"
	"github.com/quittance/quittance/wire"
)

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
	return rec
}

func (w *world) published(h http.Handler) (keys wire.SigningKeys, body string) {
	w.t.Helper()
	body = get(h, "/signingKeys/paymentProtocol.json").Body.String()
	w.check(json.Unmarshal([]byte(body), &keys))
	return keys, body
}

// Two servers on one PostgreSQL database sign with keys of their own and publish the
// same list, byte for byte, so that a wallet may ask either.
func TestServersOnOneDatabasePublishTheSameKeys(t *testing.T) {
	url := pgtest.Open(t)
	w := newWorld(t, func(w *world) { w.db = url })
	st, err := store.Open(t.Context(), url, "")
	w.check(err)
	t.Cleanup(func() { _ = st.Close() })
	_, _, other := w.newServer(st, t.TempDir())
	w.pass(time.Minute)
	keys, first := w.published(w.mux)
	if _, second := w.published(other); first != second || len(keys.PublicKeys) != 2 {
		t.Errorf("published\n%s\n%s", first, second)
	}
	if diff := cmp.Diff([]string{"pay.example.com"}, keys.ValidDomains); diff != "" || keys.Owner != "pay.example.com" || keys.ExpirationDate != "2027-04-05T12:00:00.000Z" {
		t.Errorf("%+v %s", keys, diff)
	}
	inv := w.invoice()
	a, b := w.ask(inv, wire.PaymentOptionsType, ""), w.askOf(other, inv.ID, wire.PaymentOptionsType, "", nil)
	a.ok()
	b.ok()
	if a.Header().Get("x-identity") == b.Header().Get("x-identity") {
		t.Error("both sign with one key")
	}
}

// A new key is published before it signs; an old one is published until it is taken
// back or expires, and then signs no more. A server that lost its keys makes new ones.
func TestKeysAreRotated(t *testing.T) {
	w := newWorld(t)
	inv := w.invoice()
	signer := func() string {
		w.t.Helper()
		a := w.ask(inv, wire.PaymentOptionsType, "")
		a.ok()
		return a.Header().Get("x-identity")
	}
	old := signer()
	w.pass(time.Minute)
	next, err := w.keys.Add(t.Context(), w.clock().Add(5*time.Minute))
	w.check(err)
	if keys, _ := w.published(w.mux); len(keys.PublicKeys) != 2 || keys.PublicKeys[1] != next.Public || signer() != old {
		t.Errorf("published %v, signed by %s", keys.PublicKeys, signer())
	}
	w.pass(5 * time.Minute)
	if signer() != next.Identity {
		t.Error("the new key does not sign")
	}
	w.check(w.app.RetireSigningKey(t.Context(), next.Identity))
	w.pass(11 * time.Second)
	if keys, _ := w.published(w.mux); len(keys.PublicKeys) != 1 || signer() != old {
		t.Errorf("after it was taken back: %v, signed by %s", keys.PublicKeys, signer())
	}
	if err := w.app.RetireSigningKey(t.Context(), next.Identity); err == nil || !strings.Contains(err.Error(), "protocol keys") {
		t.Errorf("taking it back again: %v", err)
	}
	w.check(w.app.RetireSigningKey(t.Context(), old))
	w.pass(11 * time.Second)
	third := signer()
	if third == old || third == next.Identity {
		t.Error("a key that was taken back signs")
	}
	if info, err := os.Stat(w.keys.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secrets' file: %v %v", info.Mode(), err)
	}
	w.on()
	if signer() != third {
		t.Error("the key is another one after a restart")
	}
	w.check(os.Remove(w.keys.File))
	w.on()
	if lost := signer(); lost == third {
		t.Error("it signs with a key that it has not")
	}
}

// The next key is made in time, without anybody's doing.
func TestTheNextKeyIsMadeInTime(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		after time.Duration
		keys  int
	}{{0, 1}, {keyLife - keyPublish, 1}, {time.Hour, 2}, {keyPublish - keyHandOff, 2}, {keyHandOff, 1}} {
		w.pass(c.after)
		w.check(w.keys.Keep(t.Context()))
		if keys, _ := w.published(w.mux); len(keys.PublicKeys) != c.keys {
			t.Errorf("%v later there are %d keys", c.after, len(keys.PublicKeys))
		}
		if _, _, err := w.keys.Sign(t.Context(), make([]byte, 32)); err != nil {
			t.Error(err)
		}
	}
}

// The operator's PGP signatures are passed on by the hash of what they sign; where
// there is none the list is empty, and what was never published has none.
func TestTheOperatorsSignaturesAreListed(t *testing.T) {
	w := newWorld(t)
	_, body := w.published(w.mux)
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if got := get(w.mux, "/signatures/"+hash+".json"); got.Code != 200 || got.Body.String() != `{"keyHash":"`+hash+`","signatures":[]}` {
		t.Errorf("without any: %d %s", got.Code, got.Body)
	}
	folder := filepath.Join(w.server.Signatures, hash)
	w.check(os.MkdirAll(folder, 0o700))
	print := strings.Repeat("3C", 20)
	w.check(os.WriteFile(filepath.Join(folder, print+".asc"), []byte("-----BEGIN PGP SIGNATURE-----\n"), 0o600))
	w.check(os.WriteFile(filepath.Join(folder, "notes.txt"), []byte("secret"), 0o600))
	w.check(os.Chtimes(filepath.Join(folder, print+".asc"), start, start))
	want := `{"keyHash":"` + hash + `","signatures":[{"created":"2026-03-01T12:00:00.000Z","identifier":"` + strings.ToLower(print) + `","signature":"` +
		hex.EncodeToString([]byte("-----BEGIN PGP SIGNATURE-----\n")) + `"}]}`
	if got := get(w.mux, "/signatures/"+hash+".json"); got.Code != 200 || got.Body.String() != want {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	for _, path := range []string{"/signatures/" + strings.Repeat("0", 64) + ".json", "/signatures/..%2f..%2fkeys.json", "/signatures/" + strings.ToUpper(hash) + ".json"} {
		if got := get(w.mux, path); got.Code != 404 || got.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}
