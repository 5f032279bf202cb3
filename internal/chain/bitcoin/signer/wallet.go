package signer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
)

// Wallet is one sealed seed in a signer's folder, NAME.wallet. What was signed
// with it is beside it, NAME.memory.
type Wallet struct {
	Name    string `json:"-"`
	Asset   string `json:"asset,omitempty"` // code of the chain; empty is BTC
	Network string `json:"network"`
	Kind    string `json:"kind"`    // bip44, bip49, bip84 or bip86
	Account uint32 `json:"account"` // index of the account
	XPub    string `json:"xpub"`
	Seed    []byte `json:"seed"` // an age file
}

const (
	walletEnd = ".wallet"
	memoryEnd = ".memory"
)

// Chain is the chain that the wallet is of.
func (w *Wallet) Chain() (*bitcoin.Chain, error) {
	return bitcoin.Find(cmp.Or(w.Asset, "BTC"), w.Network)
}

// NewWallet seals a seed. workFactor is that of bitcoin.Seal.
func NewWallet(name string, c *bitcoin.Chain, kind string, account uint32, seed []byte, passphrase string, workFactor int) (*Wallet, error) {
	if err := checkName("wallet", name); err != nil {
		return nil, err
	}
	acc, err := bitcoin.AccountFromSeed(seed, bitcoin.Kind(kind), c, account)
	if err != nil {
		return nil, err
	}
	sealed, err := bitcoin.Seal(seed, passphrase, workFactor)
	if err != nil {
		return nil, err
	}
	return &Wallet{Name: name, Asset: c.Code, Network: c.Network, Kind: kind, Account: account, XPub: acc.XPub(), Seed: sealed}, nil
}

// Keep writes a new wallet into a folder, with an empty memory. It replaces
// neither.
func (w *Wallet) Keep(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := checkFolder(dir, 0o077); err != nil {
		return err
	}
	b, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	// The memory is there first: a wallet without one is not opened.
	for _, f := range []struct {
		end  string
		text []byte
	}{{memoryEnd, nil}, {walletEnd, append(b, '\n')}} {
		if err := create(filepath.Join(dir, w.Name+f.end), f.text); err != nil {
			return err
		}
	}
	return syncFolder(dir)
}

// create writes a file that is not there yet and returns once it is on the disk.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: choose another name", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// Wallets reads a folder's wallets, by name.
func Wallets(dir string) ([]*Wallet, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+walletEnd))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no wallet in %s: make one with `quittance signer init NAME --dir %s`", dir, dir)
	}
	if err := checkFolder(dir, 0o077); err != nil {
		return nil, err
	}
	list := []*Wallet{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		w := &Wallet{Name: strings.TrimSuffix(filepath.Base(f), walletEnd)}
		if err := json.Unmarshal(b, w); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", f, err)
		}
		list = append(list, w)
	}
	return list, nil
}

// Keyring is the open wallets of one folder.
type Keyring struct {
	Open  []Open
	files []*hot.File
}

// OpenAll opens the wallets of a folder under a policy that bounds each of them
// and no other.
func OpenAll(dir, passphrase string, p *Policy, now func() time.Time) (k *Keyring, err error) {
	list, err := Wallets(dir)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, w := range list {
		there[w.Name] = true
	}
	for name := range p.Wallets {
		if !there[name] {
			return nil, fmt.Errorf("the policy bounds a wallet %q that is not in %s: correct the name, or make it with `quittance signer init`", name, dir)
		}
	}
	k = &Keyring{}
	for _, w := range list {
		if err := k.open(dir, passphrase, w, p, now); err != nil {
			return nil, errors.Join(err, k.Close())
		}
	}
	return k, nil
}

func (k *Keyring) open(dir, passphrase string, w *Wallet, p *Policy, now func() time.Time) error {
	policy, err := p.of(w)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, w.Name+memoryEnd)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the memory of wallet %s (%s) is gone, and with it what left today: bring it back, or, if it is lost for good, make an empty file there after a day in which nothing was signed", w.Name, path)
	}
	seed, err := bitcoin.Open(w.Seed, passphrase)
	if errors.Is(err, bitcoin.ErrWrongPassphrase) {
		return fmt.Errorf("the passphrase does not open the seed of wallet %s", w.Name)
	}
	if err != nil {
		return fmt.Errorf("wallet %s: %w", w.Name, err)
	}
	memory, err := hot.OpenFile(path)
	if err != nil {
		return err
	}
	k.files = append(k.files, memory)
	c, err := w.Chain()
	if err != nil {
		return fmt.Errorf("wallet %s: %w", w.Name, err)
	}
	s, err := hot.New(hot.Config{Chain: c, Kind: w.Kind, Account: w.Account, Seed: hot.NewSeed(seed), Policy: policy, Memory: memory, Now: now})
	if err == nil && s.XPub() != w.XPub {
		err = errors.New("its seed is not the one of its account key")
	}
	for _, o := range k.Open {
		if err == nil && o.Signer.XPub() == s.XPub() {
			err = fmt.Errorf("it is wallet %s once more: one seed with two memories would have two days", o.Name)
		}
	}
	if err != nil {
		return fmt.Errorf("wallet %s: %w", w.Name, err)
	}
	k.Open = append(k.Open, Open{w.Name, s})
	return nil
}

// Close lets go of the memories.
func (k *Keyring) Close() error {
	var err error
	for _, f := range k.files {
		err = errors.Join(err, f.Close())
	}
	return err
}
