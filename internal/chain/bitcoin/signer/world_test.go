package signer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/money"
)

const (
	payee      = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	passphrase = "a long passphrase"
	fast       = 4 // scrypt work factor of tests
)

const bounds = "[wallet.shop]\nmax_payment = 500_000\nmax_day = 600_000\nmax_fee = 5_000\n"

// house is a signer's folder with one wallet, its process and a client.
type house struct {
	*testing.T
	dir, socket string
	policy      string
	now         time.Time
	xpub        string
	client      *Client
	stop        func()
	wait        time.Duration
}

func newHouse(t *testing.T, policy string) *house {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	h := &house{T: t, dir: dir, socket: filepath.Join(dir, "s.sock"), policy: policy, now: time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)}
	h.xpub = h.keep("shop", "bip84", 7).XPub
	h.start()
	var err error
	h.client, err = NewClient(h.socket)
	must(t, err)
	t.Cleanup(func() { h.stop() })
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keep puts a wallet into the folder.
func (h *house) keep(name, kind string, seed byte) *Wallet {
	h.Helper()
	w, err := NewWallet(name, bitcoin.Regtest, kind, 0, bytes.Repeat([]byte{seed}, 32), passphrase, fast)
	must(h, err)
	must(h, w.Keep(h.dir))
	return w
}

// start opens everything that is in the folder, as the command does.
func (h *house) start() {
	h.Helper()
	p, err := ParsePolicy(h.policy)
	must(h, err)
	keys, err := OpenAll(h.dir, passphrase, p, func() time.Time { return h.now })
	must(h, err)
	l, err := Listen(h.socket, false)
	must(h, err)
	h.serve(l, keys, p.AllowUIDs)
}

func (h *house) serve(l net.Listener, keys *Keyring, uids []int) {
	s := NewServer(Config{Wallets: keys.Open, AllowUIDs: uids, Log: slog.New(slog.DiscardHandler), ReadTimeout: h.wait})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	stopped := false
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		_ = s.Close(ctx)
		if err := <-ended; err != nil {
			h.Error(err)
		}
		must(h, keys.Close())
	}
}

func (h *house) restart() {
	h.Helper()
	h.stop()
	h.start()
}

// plan pays the payee out of a coin of 900,000 satoshi, named by n.
func (h *house) plan(n int, amount uint64) *chain.Plan {
	h.Helper()
	s := spending.New(bitcoin.Regtest)
	acc, path := chain.Account{XPub: h.xpub, Kind: "bip84"}, chain.Path{Index: int64(n)}
	_, own, err := s.Own(acc, path)
	must(h, err)
	to, err := s.Destination(payee)
	must(h, err)
	p, err := s.Plan(chain.Outlay{
		Account: acc, Outputs: []chain.Output{{To: to, Amount: money.NewUnits(amount)}}, Change: chain.Path{Change: true, Index: 3}, FeeRate: 1000, MaxFee: money.NewUnits(100_000),
		Must: []chain.Coin{{Outpoint: chain.Outpoint{Txid: fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n)}))}, Amount: money.NewUnits(900_000), To: own, Path: path, Confirmed: true}},
	})
	must(h, err)
	return p
}

func (h *house) sign(transfer string, p *chain.Plan) ([]byte, error) {
	return h.client.Sign(h.Context(), chain.SignRequest{Transfer: transfer, Account: chain.Account{XPub: h.xpub, Kind: "bip84"}, Packet: p.Packet})
}

func (h *house) signs(transfer string, p *chain.Plan) {
	h.Helper()
	packet, err := h.sign(transfer, p)
	must(h, err)
	s := spending.New(bitcoin.Regtest)
	_, err = s.Finish(p, packet)
	must(h, err)
}

// key is an approver's of the policies in these tests.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// approve does what the command does.
func (h *house) approve(name string, with ed25519.PrivateKey) (int, error) {
	h.Helper()
	list, err := h.client.Status(h.Context())
	must(h, err)
	a := list[0].Waiting[0]
	must(h, CheckStatement(a.Statement, a.Digest))
	return h.client.Approve(h.Context(), Approval{XPub: list[0].XPub, Digest: a.Digest, Name: name, Signature: ed25519.Sign(with, []byte(a.Statement))})
}
