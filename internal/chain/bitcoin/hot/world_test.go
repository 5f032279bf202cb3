package hot

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/psbt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/money"
)

// world is one wallet, its signer with a memory on disk, and the host that asks.
type world struct {
	*testing.T
	kind   string
	seed   byte
	now    time.Time
	policy Policy
	memory string
	signer *Signer
	file   *File
	spend  *spending.Spending
}

func newWorld(t *testing.T, kind string, p Policy) *world {
	t.Helper()
	s := spending.New(bitcoin.Regtest)
	w := &world{T: t, kind: kind, seed: 7, now: time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC), policy: p, memory: filepath.Join(t.TempDir(), "memory.jsonl"), spend: s}
	w.start()
	t.Cleanup(func() { w.file.Close() })
	return w
}

// start opens the signer on the memory that is there, as after a restart.
func (w *world) start() {
	w.Helper()
	var err error
	if w.file != nil {
		must(w, w.file.Close())
	}
	w.file, err = OpenFile(w.memory)
	must(w, err)
	w.signer, err = New(Config{Chain: bitcoin.Regtest, Kind: w.kind, Seed: NewSeed(bytes.Repeat([]byte{w.seed}, 32)), Policy: w.policy, Memory: w.file, Now: func() time.Time { return w.now }})
	must(w, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) account() chain.Account { return chain.Account{XPub: w.signer.XPub(), Kind: w.kind} }

// coin is an output of the wallet's, named by n.
func (w *world) coin(n int, amount uint64) chain.Coin {
	w.Helper()
	path := chain.Path{Index: int64(n)}
	_, to, err := w.spend.Own(w.account(), path)
	must(w, err)
	return chain.Coin{Outpoint: chain.Outpoint{Txid: fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n)}))}, Amount: money.NewUnits(amount), To: to, Path: path, Confirmed: true}
}

const payee = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// plan pays the payee out of coins.
func (w *world) plan(amount uint64, coins ...chain.Coin) *chain.Plan {
	w.Helper()
	to, err := w.spend.Destination(payee)
	must(w, err)
	p, err := w.spend.Plan(chain.Outlay{
		Account: w.account(), Must: coins, Outputs: []chain.Output{{To: to, Amount: money.NewUnits(amount)}},
		Change: chain.Path{Change: true, Index: 3}, FeeRate: 1000, MaxFee: money.NewUnits(1_000_000),
	})
	must(w, err)
	return p
}

func (w *world) sign(transfer string, packet []byte) ([]byte, error) {
	return w.signer.Sign(w.Context(), chain.SignRequest{Transfer: transfer, Account: w.account(), Packet: packet})
}

// signs insists on a signature that the network would take.
func (w *world) signs(transfer string, p *chain.Plan) {
	w.Helper()
	packet, err := w.sign(transfer, p.Packet)
	must(w, err)
	_, err = w.spend.Finish(p, packet)
	must(w, err)
}

// refuses insists on a refusal that says a word.
func (w *world) refuses(transfer string, packet []byte, final bool, says string) {
	w.Helper()
	out, err := w.sign(transfer, packet)
	var held *chain.Withheld
	if out != nil || !errors.As(err, &held) {
		w.Fatalf("signed, or failed otherwise: %v", err)
	}
	if held.Final != final || !strings.Contains(held.Reason, says) {
		w.Fatalf("final %v: %s; want final %v with %q", held.Final, held.Reason, final, says)
	}
}

// altered is a packet that the host changed.
func (w *world) altered(packet []byte, change func(pk *psbt.Packet)) []byte {
	w.Helper()
	pk, err := spending.Parse(packet)
	must(w, err)
	change(pk)
	var b bytes.Buffer
	must(w, pk.Serialize(&b))
	return b.Bytes()
}

// approver is somebody with a key.
type approver struct {
	name string
	key  ed25519.PrivateKey
}

func person(name string) approver {
	seed := sha256.Sum256([]byte(name))
	return approver{name, ed25519.NewKeyFromSeed(seed[:])}
}

func people(list ...approver) map[string]ed25519.PublicKey {
	m := map[string]ed25519.PublicKey{}
	for _, a := range list {
		m[a.name] = a.key.Public().(ed25519.PublicKey)
	}
	return m
}

// foreign is an output script of another wallet.
func (w *world) foreign(index uint32) []byte {
	acc, err := bitcoin.AccountFromSeed(bytes.Repeat([]byte{99}, 32), bitcoin.Kind(w.kind), bitcoin.Regtest, 0)
	must(w, err)
	_, script, err := acc.Change(index)
	must(w, err)
	return script
}
