package bitcoin

import (
	"fmt"
	"sync"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// maxAccounts bounds how many parsed accounts are kept. Parsing one checks a
// curve point and derives the branch, some ten times the work of an address.
const maxAccounts = 10_000

// Keys is chain.Keys for one chain of the family. Accounts are parsed once and kept.
type Keys struct {
	chain *Chain

	mu       sync.RWMutex
	accounts map[accountID]*Account // guarded by mu
}

type accountID struct{ xpub, kind string }

var _ chain.Keys = (*Keys)(nil)

// NewKeys returns the keys of a chain.
func NewKeys(c *Chain) *Keys {
	return &Keys{chain: c, accounts: map[accountID]*Account{}}
}

// Check parses an account key as ParseAccount does and returns its canonical
// text, which always starts with xpub or tpub.
func (k *Keys) Check(xpub, kind string) (string, error) {
	a, err := ParseAccount(xpub, Kind(kind), k.chain)
	if err != nil {
		return "", err
	}
	return a.XPub(), nil
}

// Origin holds a key's origin against the key, as Account.WithOrigin does.
func (k *Keys) Origin(xpub, kind, origin string) (string, error) {
	a, err := ParseAccount(xpub, Kind(kind), k.chain)
	if err != nil {
		return "", err
	}
	if a, err = a.WithOrigin(origin); err != nil {
		return "", err
	}
	return a.Origin(), nil
}

// Address derives the address 0/index of an account and its output script.
// index is from 0 to 2^31-1.
func (k *Keys) Address(xpub, kind string, index int64) (address string, destination []byte, err error) {
	if index < 0 || index >= hdkeychain.HardenedKeyStart {
		return "", nil, fmt.Errorf("bitcoin: address index %d is not from 0 to 2^31-1", index)
	}
	a, err := k.account(accountID{xpub, kind})
	if err != nil {
		return "", nil, err
	}
	return a.Address(uint32(index))
}

// URI is PaymentURI.
func (k *Keys) URI(address string, amount money.Units, label, message string) string {
	return PaymentURI(k.chain, address, amount, label, message)
}

// Dust is DustLimit, in satoshi.
func (k *Keys) Dust(destination []byte) money.Units {
	return money.NewUnits(DustLimit(destination, k.chain))
}

func (k *Keys) account(id accountID) (*Account, error) {
	k.mu.RLock()
	a := k.accounts[id]
	k.mu.RUnlock()
	if a != nil {
		return a, nil
	}
	a, err := ParseAccount(id.xpub, Kind(id.kind), k.chain)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.accounts) >= maxAccounts {
		for old := range k.accounts {
			delete(k.accounts, old)
			break // any one: with so many wallets none is hot
		}
	}
	k.accounts[id] = a
	return a, nil
}
