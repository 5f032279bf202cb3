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
// SLIP-132.
type prefix struct {
	name    string
	main    bool
	private bool
	script  string // "": any single-key script; otherwise what the key is for
}

const (
	scriptNested = "nested segwit (BIP 49)"
	scriptNative = "native segwit (BIP 84)"
	scriptMulti  = "multisignature"
)

// prefixes is the table of registered version bytes for Bitcoin in SLIP-132.
var prefixes = map[uint32]prefix{
	0x0488b21e: {name: "xpub", main: true},
	0x049d7cb2: {name: "ypub", main: true, script: scriptNested},
	0x04b24746: {name: "zpub", main: true, script: scriptNative},
	0x0295b43f: {name: "Ypub", main: true, script: scriptMulti},
	0x02aa7ed3: {name: "Zpub", main: true, script: scriptMulti},
	0x043587cf: {name: "tpub"},
	0x044a5262: {name: "upub", script: scriptNested},
	0x045f1cf6: {name: "vpub", script: scriptNative},
	0x024289ef: {name: "Upub", script: scriptMulti},
	0x02575483: {name: "Vpub", script: scriptMulti},
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
}

// parsePublic reads an extended public key text and checks that its version
// bytes belong to the network and allow the kind of address.
func parsePublic(text string, kind Kind, network string) (*hdkeychain.ExtendedKey, error) {
	key, err := hdkeychain.NewKeyFromString(text)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: not an extended public key: %w", err)
	}
	p, ok := prefixes[binary.BigEndian.Uint32(key.Version())]
	if key.IsPrivate() || p.private {
		return nil, ErrPrivateKey
	}
	if !ok {
		return nil, fmt.Errorf("bitcoin: version bytes %x are not those of a Bitcoin public key", key.Version())
	}
	if p.main != (network == "main") {
		return nil, fmt.Errorf("bitcoin: a %s does not belong to network %s", p.name, network)
	}
	if p.script != "" && (kind != BIP84 || p.script != scriptNative) {
		return nil, fmt.Errorf("bitcoin: a %s is for %s addresses, not for %s", p.name, p.script, kind)
	}
	return key, nil
}
