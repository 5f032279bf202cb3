package bitcoin

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// ErrPrivateKey is returned when a private extended key is given where only a
// public one belongs.
var ErrPrivateKey = errors.New("bitcoin: this is a private key; give the account's public key (xpub) and keep this one secret")

// prefix is what the four version bytes of an extended key tell, after
// SLIP-132 and the chainparams of the nodes.
type prefix struct {
	name    string
	main    bool
	private bool
	kind    Kind   // what the key is for; empty: any
	multi   bool   // for multisignature
	coin    string // whose spelling it is; empty: any chain's
}

// prefixes is the table of registered version bytes.
var prefixes = map[uint32]prefix{
	0x0488b21e: {name: "xpub", main: true},
	0x049d7cb2: {name: "ypub", main: true, kind: BIP49},
	0x04b24746: {name: "zpub", main: true, kind: BIP84},
	0x0295b43f: {name: "Ypub", main: true, multi: true},
	0x02aa7ed3: {name: "Zpub", main: true, multi: true},
	0x043587cf: {name: "tpub"},
	0x044a5262: {name: "upub", kind: BIP49},
	0x045f1cf6: {name: "vpub", kind: BIP84},
	0x024289ef: {name: "Upub", multi: true},
	0x02575483: {name: "Vpub", multi: true},
	0x019da462: {name: "Ltub", main: true, coin: "LTC"},
	0x01b26ef6: {name: "Mtub", main: true, kind: BIP49, coin: "LTC"},
	0x0436f6e1: {name: "ttub", coin: "LTC"},
	0x02facafd: {name: "dgub", main: true, coin: "DOGE"},
	0x0488ade4: {name: "xprv", main: true, private: true},
	0x049d7878: {name: "yprv", main: true, private: true},
	0x04b2430c: {name: "zprv", main: true, private: true},
	0x0295b005: {name: "Yprv", main: true, private: true},
	0x02aa7a99: {name: "Zprv", main: true, private: true},
	0x04358394: {name: "tprv", private: true},
	0x044a4e28: {name: "uprv", private: true},
	0x045f18bc: {name: "vprv", private: true},
	0x024285b5: {name: "Uprv", private: true},
	0x02575048: {name: "Vprv", private: true},
	0x019d9cfe: {name: "Ltpv", main: true, private: true},
	0x01b26792: {name: "Mtpv", main: true, private: true},
	0x0436ef7d: {name: "ttpv", private: true},
	0x02fac398: {name: "dgpv", main: true, private: true},
}

// kindNames are the kinds in words, for those who have to choose.
var kindNames = map[Kind]string{
	BIP44: "legacy (BIP 44)", BIP49: "nested segwit (BIP 49)", BIP84: "native segwit (BIP 84)", BIP86: "taproot (BIP 86)",
}

// KindOf is the kind of account that the spelling of a key names (SLIP-132), or
// "" for xpub, tpub and others that leave it open.
func KindOf(xpub string) Kind {
	key, err := hdkeychain.NewKeyFromString(xpub)
	if err != nil {
		return ""
	}
	return prefixes[binary.BigEndian.Uint32(key.Version())].kind
}

// parsePublic reads an extended public key text and checks that its version
// bytes belong to the chain and the network and allow the kind of address.
func parsePublic(text string, kind Kind, c *Chain) (*hdkeychain.ExtendedKey, error) {
	key, err := hdkeychain.NewKeyFromString(text)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: not an extended public key: %w", err)
	}
	p, ok := prefixes[binary.BigEndian.Uint32(key.Version())]
	if key.IsPrivate() || p.private {
		return nil, ErrPrivateKey
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("bitcoin: version bytes %x are not those of a public key of the family", key.Version())
	case p.main != (c.Network == "main") || p.coin != "" && p.coin != c.Code:
		return nil, fmt.Errorf("bitcoin: a %s does not belong to network %s", p.name, c.where())
	case p.multi:
		return nil, fmt.Errorf("bitcoin: a %s is for multisignature addresses, not for %s", p.name, kind)
	case p.kind != "" && p.kind != kind:
		return nil, fmt.Errorf("bitcoin: a %s is for %s addresses, not for %s", p.name, kindNames[p.kind], kind)
	}
	return key, nil
}
