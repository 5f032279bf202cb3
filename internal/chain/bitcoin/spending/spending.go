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
	"github.com/quittance/quittance/internal/money"
)

// Spending is chain.Spending for one chain of the family.
type Spending struct {
	chain *bitcoin.Chain

	mu       sync.RWMutex
	accounts map[chain.Account]*bitcoin.Account // guarded by mu
}

var _ chain.Spending = (*Spending)(nil)

// New returns the spending of a chain.
func New(c *bitcoin.Chain) *Spending {
	return &Spending{chain: c, accounts: map[chain.Account]*bitcoin.Account{}}
}

// MaxFee is what the chain's table says, in satoshi.
func (s *Spending) MaxFee(payments int) money.Units {
	return money.NewUnits(s.chain.MaxFee + s.chain.MaxMemberFee*uint64(payments))
}

// Destination reads an address of this network that coins can be sent to.
func (s *Spending) Destination(address string) ([]byte, error) {
	address = strings.TrimSpace(address)
	script, err := bitcoin.AddressScript(address, s.chain)
	if err == nil {
		return script, nil
	}
	var other *bitcoin.OtherNetwork
	if errors.As(err, &other) {
		return nil, fmt.Errorf("this address belongs to network %s, but payments from here go over network %s. Give an address of that network", other.Is, other.Wanted)
	}
	if is := s.lookAlike(strings.ToLower(address)); is != "" {
		return nil, errors.New(is)
	}
	return nil, errors.New(strings.TrimPrefix(err.Error(), "bitcoin: ") + mistyped(strings.ToLower(address)))
}

// lookAlike says what else was given in place of an address, if that can be told.
func (s *Spending) lookAlike(text string) string {
	needed := fmt.Sprintf("; a %s address is needed", s.chain.Name)
	for _, k := range []struct{ prefix, is string }{
		{"lnbc", "this is a Lightning request" + needed}, {"lntb", "this is a Lightning request" + needed}, {"lnurl", "this is a Lightning request" + needed},
		{"xpub", "this is the key of a whole wallet; give one address of it"}, {"ypub", "this is the key of a whole wallet; give one address of it"},
		{"zpub", "this is the key of a whole wallet; give one address of it"}, {"tpub", "this is the key of a whole wallet; give one address of it"},
		{"vpub", "this is the key of a whole wallet; give one address of it"},
		{"0x", "this is an Ethereum address" + needed},
		{s.chain.Scheme + ":", "this is a payment link; give the address in it alone"},
	} {
		if strings.HasPrefix(text, k.prefix) {
			return k.is
		}
	}
	if text == "" {
		return "no address was given"
	}
	for _, code := range bitcoin.Codes() {
		if c, err := bitcoin.Find(code, s.chain.Network); err == nil && code != s.chain.Code {
			if _, err := bitcoin.AddressScript(text, c); err == nil || strings.HasPrefix(text, c.Scheme+":") {
				return "this is a " + c.Name + " address" + needed
			}
		}
	}
	return ""
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
	addr, ok := bitcoin.ScriptAddress(destination, s.chain)
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
	acc, err := bitcoin.ParseAccount(a.XPub, bitcoin.Kind(a.Kind), s.chain)
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
