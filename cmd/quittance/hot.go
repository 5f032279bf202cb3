package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/chain/bitcoin/signer"
	"github.com/quittance/quittance/internal/merchant"
)

// sandboxPassphrase seals the seeds of play money, which are no secret.
const sandboxPassphrase = "sandbox"

// hotWallets finds who signs for a wallet when something is to be signed: the
// signer process that it was given; else this process, with the sealed seed of this
// machine; else nobody. A wallet whose seed does not open is watch-only.
type hotWallets struct {
	folder     string // of the signers' memories
	passphrase string
	policy     hot.Policy
	now        func() time.Time
	log        *slog.Logger

	mu      sync.Mutex
	signers map[string]chain.Signer // by wallet; nil for one that does not open
	files   []*hot.File
}

// Signer finds who signs for a wallet.
func (h *hotWallets) Signer(w *merchant.Wallet) (chain.Signer, bool) {
	if w.Custody() == merchant.External {
		return external(w)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s, known := h.signers[w.ID]
	if !known {
		opened, err := h.open(w)
		if err != nil {
			h.log.Error("a wallet's seed stays closed: what is paid out of it has to be signed elsewhere", "wallet", w.ID, "error", err)
		} else if opened != nil {
			s = opened
		}
		if h.signers == nil {
			h.signers = map[string]chain.Signer{}
		}
		h.signers[w.ID] = s
	}
	return s, s != nil
}

// external is the signer process of a wallet. It is asked anew each time, so it
// may come and go.
func external(w *merchant.Wallet) (chain.Signer, bool) {
	c, err := signer.NewClient(w.Signer)
	if err != nil {
		return unusable{err}, true // no seed that is here may sign in its place
	}
	return c, true
}

// unusable is a signer that cannot be asked.
type unusable struct{ why error }

// Sign says why.
func (u unusable) Sign(context.Context, chain.SignRequest) ([]byte, error) { return nil, u.why }

// open opens one seed; nil for a watch-only wallet.
func (h *hotWallets) open(w *merchant.Wallet) (*hot.Signer, error) {
	if w.SealedSeed == "" {
		return nil, nil
	}
	sealed, err := hex.DecodeString(w.SealedSeed)
	if err != nil {
		return nil, fmt.Errorf("the sealed seed is damaged: %w", err)
	}
	c, err := bitcoin.Find(w.Asset, w.Network)
	if err != nil {
		return nil, err
	}
	seed, err := []byte(nil), bitcoin.ErrWrongPassphrase
	if h.passphrase != "" {
		seed, err = bitcoin.Open(sealed, h.passphrase)
	}
	if errors.Is(err, bitcoin.ErrWrongPassphrase) && w.Network == "regtest" {
		seed, err = bitcoin.Open(sealed, sandboxPassphrase)
	}
	if errors.Is(err, bitcoin.ErrWrongPassphrase) {
		return nil, errors.New("QUITTANCE_SEED_PASSPHRASE does not open it, or is not set")
	}
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(h.folder, 0o700); err != nil {
		return nil, err
	}
	memory, err := hot.OpenFile(filepath.Join(h.folder, w.ID+".jsonl"))
	if err != nil {
		return nil, err
	}
	s, err := hot.New(hot.Config{Chain: c, Kind: w.Kind, Seed: hot.NewSeed(seed), Policy: h.policy, Memory: memory, Now: h.now})
	if err == nil && s.XPub() != w.XPub {
		err = errors.New("it holds the keys of another wallet")
	}
	if err != nil {
		return nil, errors.Join(err, memory.Close())
	}
	h.files = append(h.files, memory)
	return s, nil
}

// close lets go of the memories.
func (h *hotWallets) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var err error
	for _, f := range h.files {
		err = errors.Join(err, f.Close())
	}
	h.files = nil
	return err
}
