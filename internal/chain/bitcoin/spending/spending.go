package spending

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/btcsuite/btcd/txscript"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// Spending is chain.Spending for one Bitcoin network.
type Spending struct {
	network string

	mu       sync.RWMutex
	accounts map[chain.Account]*bitcoin.Account // guarded by mu
}

var _ chain.Spending = (*Spending)(nil)

// New returns the spending of "main", "test", "signet" or "regtest".
func New(network string) (*Spending, error) {
	if _, err := bitcoin.Params(network); err != nil {
		return nil, err
	}
	return &Spending{network: network, accounts: map[chain.Account]*bitcoin.Account{}}, nil
}

// Destination reads an address of this network that coins can be sent to.
func (s *Spending) Destination(address string) ([]byte, error) {
	address = strings.TrimSpace(address)
	script, err := bitcoin.AddressScript(address, s.network)
	if err == nil {
		return script, nil
	}
	text := strings.ToLower(address)
	var other *bitcoin.OtherNetwork
	switch {
	case errors.As(err, &other):
		return nil, fmt.Errorf("this address belongs to network %s, but payments from here go over network %s. Give an address of that network", other.Is, other.Wanted)
	case address == "":
		return nil, errors.New("no address was given")
	case strings.HasPrefix(text, "lnbc") || strings.HasPrefix(text, "lntb") || strings.HasPrefix(text, "lnurl"):
		return nil, errors.New("this is a Lightning request; an on-chain Bitcoin address is needed")
	case strings.HasPrefix(text, "bitcoin:"):
		return nil, errors.New("this is a payment link; give the address in it alone")
	case strings.HasPrefix(text, "0x"):
		return nil, errors.New("this is an Ethereum address; a Bitcoin address is needed")
	case strings.HasPrefix(text, "ltc1"):
		return nil, errors.New("this is a Litecoin address; a Bitcoin address is needed")
	case strings.HasPrefix(text, "bitcoincash:"):
		return nil, errors.New("this is a Bitcoin Cash address; a Bitcoin address is needed")
	case strings.HasPrefix(text, "xpub") || strings.HasPrefix(text, "zpub") || strings.HasPrefix(text, "tpub") || strings.HasPrefix(text, "vpub"):
		return nil, errors.New("this is the key of a whole wallet; give one address of it")
	}
	return nil, errors.New(strings.TrimPrefix(err.Error(), "bitcoin: ") + mistyped(text))
}

// mistyped adds a hint where the checksum alone is wrong.
func mistyped(text string) string {
	if _, _, _, err := bech32.DecodeGeneric(text); err != nil && strings.Contains(err.Error(), "checksum") {
		return "; a character is wrong, please copy it again"
	}
	return ""
}

// AddressOf writes an output script as an address.
func (s *Spending) AddressOf(destination []byte) (string, error) {
	addr, ok := bitcoin.ScriptAddress(destination, s.network)
	if !ok {
		return "", errors.New("bitcoin: this output script has no address")
	}
	return addr, nil
}

// Own derives the address 0/index of an account, or 1/index for change.
func (s *Spending) Own(a chain.Account, p chain.Path) (string, []byte, error) {
	acc, err := s.account(a)
	if err != nil {
		return "", nil, err
	}
	if p.Index < 0 || p.Index > 1<<31-1 {
		return "", nil, fmt.Errorf("bitcoin: address index %d is not from 0 to 2^31-1", p.Index)
	}
	if p.Change {
		return acc.Change(uint32(p.Index))
	}
	return acc.Address(uint32(p.Index))
}

func (s *Spending) account(a chain.Account) (*bitcoin.Account, error) {
	s.mu.RLock()
	acc := s.accounts[a]
	s.mu.RUnlock()
	if acc != nil {
		return acc, nil
	}
	acc, err := bitcoin.ParseAccount(a.XPub, bitcoin.Kind(a.Kind), s.network)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a] = acc
	return acc, nil
}

// taproot reports whether an output of ours is spent with one Schnorr signature.
func taproot(script []byte) bool { return txscript.IsPayToTaproot(script) }
