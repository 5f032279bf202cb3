package bitcoin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/chaincfg"
)

// Chain is one chain of Bitcoin's family on one of its networks: all in which
// they differ as far as somebody cares who receives and pays. It is immutable.
// Amounts are in the chain's smallest unit, 10^-8 of a coin, which is called a
// satoshi here whatever the chain calls it.
type Chain struct {
	Code    string // as in the API and in cursors: BTC, LTC, BCH or DOGE
	Name    string // as people say it
	Network string // main, test, testnet4, signet or regtest
	Scheme  string // of payment links, without the colon
	// Params has the versions of addresses and keys, and block 0.
	Params *chaincfg.Params
	// Kinds of account that the chain has addresses for; the first is the usual one.
	Kinds []Kind
	// CashPrefix begins addresses in the CashAddr form; empty where there are none.
	CashPrefix string
	// RelayFee is what nodes ask for at least unless told otherwise, FallbackFee what
	// is taken where nobody has an estimate; both per 1,000 virtual bytes.
	RelayFee, FallbackFee uint64
	// MaxFee is what one transaction may cost, MaxMemberFee what it may cost on top
	// for each payment in it.
	MaxFee, MaxMemberFee uint64
	// DustFee is the fee rate, per 1,000 virtual bytes, at which nodes judge whether
	// an output is worth spending; MinOutput is a bound beside it.
	DustFee, MinOutput uint64
	// MaxMoney is more than any transaction can move.
	MaxMoney uint64
	// Confirmed and Complete are how many confirmations a payment needs to be trusted
	// with an ordinary sale, and to be in the books.
	Confirmed, Complete int64
	// Replaceable is whether nodes let a waiting transaction be replaced (BIP 125).
	Replaceable bool
	// ForkID is whether signatures commit to amounts as in BIP 143, with the bit
	// 0x40 in their type (Bitcoin Cash).
	ForkID bool
	// Marks are blocks by which the chain is told from one that it shares its
	// beginning with.
	Marks []Mark
}

// Mark is a block that a chain has, or that only another one has.
type Mark struct {
	Height  int64
	Hash    string
	Foreign bool // this chain has another block there
}

// Find returns a chain by its code and its network.
func Find(code, network string) (*Chain, error) {
	for _, c := range family {
		if c.Code == code && c.Network == network {
			return c, nil
		}
	}
	if networks := networksOf(code); len(networks) > 0 {
		return nil, fmt.Errorf("bitcoin: %q is not a network of %s; use %s", network, code, strings.Join(networks, ", "))
	}
	return nil, fmt.Errorf("bitcoin: %q is not a chain of the family; use BTC, LTC, BCH or DOGE", code)
}

// Bitcoin's own networks.
var (
	Mainnet = mustFind("BTC", "main")
	Testnet = mustFind("BTC", "test") // testnet3
	Signet  = mustFind("BTC", "signet")
	Regtest = mustFind("BTC", "regtest")
)

// Codes lists the chains of the family.
func Codes() []string { return []string{"BTC", "LTC", "BCH", "DOGE"} }

func mustFind(code, network string) *Chain {
	c, err := Find(code, network)
	if err != nil {
		panic(err) // the table below does not have what this package names
	}
	return c
}

func networksOf(code string) (list []string) {
	for _, c := range family {
		if c.Code == code {
			list = append(list, c.Network)
		}
	}
	return list
}

// siblings are the chain's other networks, to name the one that an address is of.
func (c *Chain) siblings() []*Chain {
	return slices.DeleteFunc(slices.Clone(family), func(o *Chain) bool { return o.Code != c.Code || o == c })
}

// Has reports whether the chain has addresses for a kind of account.
func (c *Chain) Has(k Kind) bool { return slices.Contains(c.Kinds, k) }

// String names chain and network, such as "LTC regtest".
func (c *Chain) String() string { return c.Code + " " + c.Network }

// Wallet names the chain where wallets are told apart. Bitcoin's is the network
// alone: approvals that were given rest upon the words.
func (c *Chain) Wallet() string { return c.where() }

// where names the network alone, as far as Bitcoin is meant anyway.
func (c *Chain) where() string {
	if c.Code == "BTC" {
		return c.Network
	}
	return c.String()
}
