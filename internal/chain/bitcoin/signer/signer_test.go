//go:build !windows

package signer

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

func withApprovers() string {
	line := func(name string) string {
		return fmt.Sprintf("%s = %q\n", name, keyForm+base64.StdEncoding.EncodeToString(key(name)[32:]))
	}
	return "[approvers]\n" + line("ann") + line("bob") + bounds + "approve_above = 100_000\n"
}

// withheld insists on a refusal that came through the socket as one.
func withheld(t *testing.T, err error, final bool, says string) {
	t.Helper()
	var held *chain.Withheld
	if !errors.As(err, &held) || held.Final != final || !strings.Contains(held.Reason, says) {
		t.Fatalf("%#v; want withheld, final %v, with %q", err, final, says)
	}
}

func TestASignatureComesThroughTheSocket(t *testing.T) {
	h := newHouse(t, bounds)
	h.signs("t1", h.plan(1, 400_000))
	_, err := h.sign("t2", h.plan(2, 500_001))
	withheld(t, err, true, "above the wallet's limit of 500000 for one payment")
	_, err = h.sign("t2", h.plan(2, 300_000))
	withheld(t, err, false, "within 24 hours")
	h.restart()
	_, err = h.sign("t2", h.plan(2, 300_000))
	withheld(t, err, false, "within 24 hours")
	list, err := h.client.Status(t.Context())
	must(t, err)
	if len(list) != 1 || list[0].Name != "shop" || list[0].XPub != h.xpub || list[0].Today < 400_000 || list[0].MaxDay != 600_000 {
		t.Errorf("%+v", list)
	}
}

func TestASignerThatIsAwayIsNoRefusal(t *testing.T) {
	h := newHouse(t, bounds)
	h.stop()
	_, err := h.sign("t1", h.plan(1, 1_000))
	var held *chain.Withheld
	if err == nil || errors.As(err, &held) || !strings.Contains(err.Error(), "no signer answers at "+h.socket) {
		t.Fatalf("%v", err)
	}
	h.start()
	h.signs("t1", h.plan(1, 1_000))
}

func TestAWalletThatItHasNoKeysOfWaits(t *testing.T) {
	h := newHouse(t, bounds)
	other := newHouse(t, bounds)
	other.stop()
	h.xpub = other.keep("else", "bip84", 9).XPub
	_, err := h.sign("t1", h.plan(1, 1_000))
	withheld(t, err, false, "no keys of this wallet")
}

// The day of one wallet is not another's.
func TestEachWalletHasItsOwnDay(t *testing.T) {
	h := newHouse(t, bounds)
	h.stop()
	first, second := h.xpub, h.keep("branch", "bip84", 9).XPub
	h.policy += strings.Replace(bounds, "shop", "branch", 1)
	h.start()
	h.signs("t1", h.plan(1, 400_000))
	h.xpub = second
	h.signs("t2", h.plan(2, 400_000))
	_, err := h.sign("t3", h.plan(3, 400_000))
	withheld(t, err, false, "within 24 hours")
	h.xpub = first
	_, err = h.sign("t4", h.plan(4, 400_000))
	withheld(t, err, false, "within 24 hours")
}

func TestTwoPeopleApproveThroughTheSocket(t *testing.T) {
	h := newHouse(t, withApprovers())
	p := h.plan(1, 400_000)
	_, err := h.sign("t1", p)
	withheld(t, err, false, "0 of 2")
	for _, forged := range []string{"ann", "bob", "eve"} { // with a key that the policy does not have
		if _, err := h.approve(forged, key("host")); err == nil {
			t.Fatalf("a forged approval of %s was taken", forged)
		}
	}
	for range 2 {
		if n, err := h.approve("ann", key("ann")); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	_, err = h.sign("t1", p)
	withheld(t, err, false, "1 of 2")
	h.restart()
	if n, err := h.approve("bob", key("bob")); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	h.restart()
	h.signs("t1", p)
}

// raw sends bytes to the socket and returns the status of the answer.
func (h *house) raw(method, path, body string) int {
	h.Helper()
	c, err := net.Dial("unix", h.socket)
	must(h, err)
	defer c.Close()
	must(h, c.SetDeadline(time.Now().Add(20*time.Second)))
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: signer\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		h.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	h := newHouse(t, bounds)
	packet := base64.StdEncoding.EncodeToString(h.plan(1, 1_000).Packet)
	whole := fmt.Sprintf(`{"transfer":"t1","xpub":%q,"kind":"bip84","packet":%q}`, h.xpub, packet)
	for name, c := range map[string]struct {
		method, path, body string
		want               int
	}{
		"it is right":           {"POST", "/sign", whole, 200},
		"nothing":               {"POST", "/sign", "", 400},
		"null":                  {"POST", "/sign", "null", 400},
		"a list":                {"POST", "/sign", "[]", 400},
		"cut":                   {"POST", "/sign", whole[:len(whole)-1], 400},
		"something behind it":   {"POST", "/sign", whole + whole, 400},
		"a field nobody knows":  {"POST", "/sign", strings.Replace(whole, "{", `{"approved":true,`, 1), 400},
		"a field twice":         {"POST", "/sign", strings.Replace(whole, "{", `{"transfer":"t0",`, 1), 400},
		"not base64":            {"POST", "/sign", strings.Replace(whole, packet, "%", 1), 400},
		"an escape in the name": {"POST", "/sign", strings.Replace(whole, `"t1"`, `"\u001b[2J"`, 1), 400},
		"no name":               {"POST", "/sign", strings.Replace(whole, `"t1"`, `""`, 1), 400},
		"a very long name":      {"POST", "/sign", strings.Replace(whole, `"t1"`, `"`+strings.Repeat("t", 101)+`"`, 1), 400},
		"very large":            {"POST", "/sign", whole + strings.Repeat(" ", maxRequest), 413},
		"deeply nested":         {"POST", "/sign", `{"transfer":` + strings.Repeat("[", 100_000), 400},
		"another method":        {"GET", "/sign", "", 405},
		"another path":          {"POST", "/export", whole, 404},
		"an approval of nobody": {"POST", "/approve", fmt.Sprintf(`{"xpub":%q,"digest":"","name":"","signature":""}`, h.xpub), 403},
		"of another wallet":     {"POST", "/approve", `{"xpub":"x","digest":"","name":"","signature":""}`, 404},
		"a status with a body":  {"GET", "/status", whole, 200},
	} {
		if got := h.raw(c.method, c.path, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// Those who send slowly, or nothing, hold nobody up for longer than the time
// limit.
func TestSlowClientsAreCutOff(t *testing.T) {
	h := newHouse(t, bounds)
	h.stop()
	h.wait = 300 * time.Millisecond
	h.start()
	for i := range 2 * maxConnections {
		c, err := net.Dial("unix", h.socket)
		must(t, err)
		defer c.Close()
		if i%2 == 0 {
			_, err = io.WriteString(c, "POST /sign HTTP/1.1\r\nHost: signer\r\nContent-Length: 1000\r\n\r\n{")
			must(t, err)
		}
	}
	h.signs("t1", h.plan(1, 1_000))
}

func TestTheSocketIsForItsOwnUser(t *testing.T) {
	h := newHouse(t, bounds)
	for path, want := range map[string]os.FileMode{h.socket: 0o600, h.dir: 0o700} {
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
	}
	if _, err := Listen(h.socket, false); err == nil || !strings.Contains(err.Error(), "another signer answers") {
		t.Errorf("a socket that is in use: %v", err)
	}
	h.signs("t1", h.plan(1, 1_000)) // and it still answers
}

func TestASocketThatACrashLeftIsReplaced(t *testing.T) {
	h := newHouse(t, bounds)
	h.stop()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: h.socket})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
	h.start()
	h.signs("t1", h.plan(1, 1_000))
	h.stop()
	must(t, os.WriteFile(h.socket, nil, 0o600))
	if _, err := Listen(h.socket, false); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("a file: %v", err)
	}
}

func TestAFolderThatOthersReachIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "open")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Chmod(dir, 0o755))
	if _, err := Listen(filepath.Join(dir, "s"), false); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("%v", err)
	}
	l, err := Listen(filepath.Join(dir, "s"), true)
	must(t, err)
	must(t, l.Close())
	must(t, os.Chmod(dir, 0o777))
	if _, err := Listen(filepath.Join(dir, "s"), true); err == nil || !strings.Contains(err.Error(), "other users can reach") {
		t.Errorf("%v", err)
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"/run/s.sock": "unix:///run/s.sock", "unix:///run/s.sock": "unix:///run/s.sock", "unix:///run/../run/s.sock": "unix:///run/s.sock",
		"s.sock": "", "unix://host/s": "", "https:///s": "", "unix:///s?a=1": "", "": "", "/" + strings.Repeat("a", maxPath): "",
	} {
		got, err := Address(text)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestWhatIsMissingIsNotGuessed(t *testing.T) {
	h := newHouse(t, bounds)
	h.stop()
	open := func(policy, pass string) error {
		p, err := ParsePolicy(policy)
		must(t, err)
		k, err := OpenAll(h.dir, pass, p, time.Now)
		if err == nil {
			_ = k.Close()
		}
		return err
	}
	says := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	must(t, open(bounds, passphrase))
	says(open(bounds, "another passphrase"), "does not open the seed of wallet shop")
	says(open(strings.Replace(bounds, "shop", "stall", 1), passphrase), `bounds a wallet "stall" that is not in`)
	says(open(bounds+"allow = [\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"]\n", passphrase), "allow")
	must(t, open(bounds+"allow = [\""+strings.ToUpper(payee)+"\"]\n", passphrase))
	h.keep("twin", "bip84", 7)
	says(open(bounds+strings.Replace(bounds, "shop", "twin", 1), passphrase), "it is wallet shop once more")
	must(t, os.Remove(filepath.Join(h.dir, "twin.wallet")))
	h.keep("second", "bip86", 3)
	says(open(bounds, passphrase), "no table [wallet.second]")
	must(t, os.Remove(filepath.Join(h.dir, "second.wallet")))
	memory := filepath.Join(h.dir, "shop.memory")
	must(t, os.Rename(memory, memory+".gone"))
	says(open(bounds, passphrase), "the memory of wallet shop")
	must(t, os.Rename(memory+".gone", memory))
	must(t, os.Chmod(h.dir, 0o750))
	says(open(bounds, passphrase), "other users can reach")
}

func TestAWalletIsNotReplaced(t *testing.T) {
	h := newHouse(t, bounds)
	w, err := NewWallet("shop", bitcoin.Regtest, "bip84", 0, bytes.Repeat([]byte{1}, 32), passphrase, fast)
	must(t, err)
	if err := w.Keep(h.dir); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("%v", err)
	}
	if _, err := NewWallet("../shop", bitcoin.Regtest, "bip84", 0, bytes.Repeat([]byte{1}, 32), passphrase, fast); err == nil {
		t.Error("a name that leaves the folder was taken")
	}
}

// answers reports whether a server that runs as one user, and lets others in,
// answers this process.
func (h *house) answers(own int, uids ...int) error {
	h.Helper()
	h.stop()
	l, err := Listen(h.socket, false)
	must(h, err)
	s := NewServer(Config{AllowUIDs: uids, Log: slog.New(slog.DiscardHandler)})
	s.own = own
	go s.Serve(l) //nolint:errcheck // ends with Close
	_, err = h.client.Status(h.Context())
	must(h, s.Close(h.Context()))
	return err
}
