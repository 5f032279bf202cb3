package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	btcwire "github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/wire"
)

// visitor is a recipient's browser, mailbox and wallet.
type visitor struct {
	t    *testing.T
	s    *server
	key  *btcec.PrivateKey
	coin *bitcoin.Chain // of the wallet
}

func newVisitor(t *testing.T, s *server) *visitor {
	key, err := btcec.NewPrivateKey()
	must(t, err)
	return &visitor{t, s, key, bitcoin.Regtest}
}

func (v *visitor) address() string {
	v.t.Helper()
	hash := btcutil.Hash160(v.key.PubKey().SerializeCompressed())
	script := append([]byte{0, 20}, hash...)
	if !v.coin.Has(bitcoin.BIP84) {
		script = slices.Concat([]byte{0x76, 0xa9, 20}, hash, []byte{0x88, 0xac})
	}
	a, ok := bitcoin.ScriptAddress(script, v.coin)
	if !ok {
		v.t.Fatal("no address")
	}
	return a
}

// magicName is what signed messages of a chain's wallets begin with.
var magicName = map[string]string{"BTC": "Bitcoin", "BCH": "Bitcoin", "LTC": "Litecoin"}

// sign is what a wallet's "sign message" prints.
func (v *visitor) sign(text string) string {
	var b bytes.Buffer
	must(v.t, btcwire.WriteVarString(&b, 0, magicName[v.coin.Code]+" Signed Message:\n"))
	must(v.t, btcwire.WriteVarString(&b, 0, text))
	return base64.StdEncoding.EncodeToString(ecdsa.SignCompact(v.key, chainhash.DoubleHashB(b.Bytes()), true))
}

func (v *visitor) read(resp *http.Response, err error) string {
	v.t.Helper()
	must(v.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(v.t, err)
	return html.UnescapeString(string(b))
}

var mailedLink = regexp.MustCompile(`/recipient\?link=([1-9A-HJ-NP-Za-km-z]{44})`)

// link waits for a mail with a link that was not seen before.
func (v *visitor) link(seen map[string]bool) string {
	v.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, m := range mailedLink.FindAllStringSubmatch(v.s.mails(v.t), -1) {
			if !seen[m[1]] {
				seen[m[1]] = true
				return m[1]
			}
		}
	}
	v.t.Fatal("no mail with a new link came")
	return ""
}

// post sends a form of the server's pages.
func (v *visitor) post(path string, form url.Values) (*http.Response, error) {
	return http.PostForm(v.s.url+path, form)
}

func (v *visitor) step(link, step string, more url.Values) string {
	v.t.Helper()
	f := url.Values{"link": {link}, "step": {step}}
	for k, values := range more {
		f[k] = values
	}
	return v.read(http.PostForm(v.s.url+"/recipient", f))
}

// prove gives the visitor's address and signs for it.
func (v *visitor) prove(link string) string {
	v.t.Helper()
	page := v.step(link, "address", url.Values{"asset": {v.coin.Code}, "address": {v.address()}})
	text := v.part(page, `data-testid="text">([^<]+)<`)
	nonce := v.part(page, `name="nonce" value="([^"]+)"`)
	return v.step(link, "sign", url.Values{"nonce": {nonce}, "signature": {v.sign(text)}})
}

func (v *visitor) part(page, pattern string) string {
	v.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if m == nil {
		v.t.Fatalf("no %s in\n%s", pattern, page)
	}
	return m[1]
}

// A merchant invites through the Go client, the operator checks, the recipient
// proves an address and later another one, on both engines.
func TestARecipientIsInvitedCheckedAndProven(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, database(t))
			s.operator(nil, "merchant", "set", "--recipient-check=true", "--recipient-ipn", "http://127.0.0.1:9/ipn")
			key, err := client.NewKey(rand.Reader)
			must(t, err)
			c := client.New(s.url, key)
			token, err := c.RequestToken(t.Context(), client.Payout, "payroll")
			must(t, err)
			s.operator(nil, "pair", "approve", token.PairingCode)
			list, err := c.SubmitRecipients(t.Context(), "run-1", wire.NewRecipient{Email: "ada@example.com", Label: "Ada"})
			must(t, err)
			id, v, seen := list[0].ID, newVisitor(t, s), map[string]bool{}
			is := func(want string) {
				t.Helper()
				if r, err := c.Recipient(t.Context(), id); err != nil || r.Status != want {
					t.Fatalf("the recipient is %+v, %v; want %s", r, err, want)
				}
			}
			v.part(v.step(v.link(seen), "confirm", nil), `data-step="(wait)"`)
			is("unverified")
			s.operator(nil, "recipient", "verify", id)
			is("verified")
			v.part(v.prove(v.link(seen)), `data-step="(done)"`)
			is("active")
			s.operator(nil, "recipient", "pause", id)
			is("paused")
			s.operator(nil, "recipient", "resume", id)
			is("active")
			s.operator(nil, "recipient", "invite", id)
			moved := newVisitor(t, s)
			v.part(moved.prove(v.link(seen)), `Until then the (address)`)
			var rows []struct {
				Status    string
				Addresses []struct{ Address, Proof string }
			}
			s.operator(&rows, "recipient", "list")
			if len(rows) != 1 || len(rows[0].Addresses) != 2 || rows[0].Addresses[0].Address != v.address() || rows[0].Addresses[1].Address != moved.address() || rows[0].Addresses[1].Proof != "signature" {
				t.Errorf("the operator sees %+v", rows)
			}
			renamed, err := c.UpdateRecipient(t.Context(), id, "Ada L.", "")
			must(t, err)
			found, err := c.Recipients(t.Context(), client.RecipientFilter{Status: "active", Limit: 5})
			must(t, err)
			if renamed.Label != "Ada L." || len(found) != 1 || found[0].ID != id || found[0].ShopperID == nil {
				t.Errorf("renamed to %+v, listed %+v", renamed, found)
			}
			must(t, c.ResendRecipientNotification(t.Context(), id))
			must(t, c.RemoveRecipient(t.Context(), id))
			is("removed")
		})
	}
}
