package bitcoin

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
)

// Kind says which addresses an account gives.
type Kind string

// The kinds of account.
const (
	BIP84 Kind = "bip84" // P2WPKH, m/84'/coin'/account'
	BIP86 Kind = "bip86" // P2TR with a single key, m/86'/coin'/account'
)

// purpose is the first step of the account's path (BIP 43).
func (k Kind) purpose() (uint32, error) {
	switch k {
	case BIP84:
		return 84, nil
	case BIP86:
		return 86, nil
	}
	return 0, fmt.Errorf("bitcoin: %q is not a kind of account; use bip84 or bip86", string(k))
}

// accountDepth is the depth of m/purpose'/coin'/account' (BIP 44).
const accountDepth = 3

// ErrNoSuchChild is returned for the indices, less than one in 2^127, that
// BIP 32 says give no key. The caller takes the next index.
var ErrNoSuchChild = errors.New("bitcoin: this index gives no key (BIP 32); use the next one")

// Account is the public key of a BIP 44 account. It holds no private key. It
// is immutable, so all its methods are safe for concurrent use.
type Account struct {
	kind   Kind
	params *chaincfg.Params
	key    *hdkeychain.ExtendedKey
	branch *branchKey // key/0, the external chain
	change *branchKey // key/1, the chain for change
	origin string     // "[fingerprint/84h/0h/0h]", or "" when unknown
}

// ParseAccount reads an account's extended public key: xpub, or tpub for the
// test networks, for either kind, and zpub or vpub (SLIP-132) for BIP84. A
// private key is refused with ErrPrivateKey; so is a key of another network,
// of another script type, or one from below the account level.
func ParseAccount(xpub string, kind Kind, network string) (*Account, error) {
	if _, err := kind.purpose(); err != nil {
		return nil, err
	}
	params, err := Params(network)
	if err != nil {
		return nil, err
	}
	key, err := parsePublic(strings.TrimSpace(xpub), kind, network)
	if err != nil {
		return nil, err
	}
	// Electrum puts its account at depth 1, so less than three is fine; deeper
	// is a branch or an address key, whose 0/i no wallet would look at.
	if key.Depth() > accountDepth {
		return nil, fmt.Errorf("bitcoin: the key is at depth %d; give the account key, at depth %d", key.Depth(), accountDepth)
	}
	return newAccount(key, kind, params, "")
}

// AccountFromSeed derives the public account m/purpose'/coin'/accountIndex'
// from a BIP 39 or BIP 32 seed of 16 to 64 bytes. accountIndex is below 2^31.
func AccountFromSeed(seed []byte, kind Kind, network string, accountIndex uint32) (*Account, error) {
	params, err := Params(network)
	if err != nil {
		return nil, err
	}
	key, master, err := accountKey(seed, kind, params, accountIndex)
	if err != nil {
		return nil, err
	}
	defer key.Zero()
	pub, err := key.Neuter()
	if err != nil {
		return nil, err
	}
	// Neuter shares the bytes that Zero wipes, so the account keeps a copy.
	if pub, err = hdkeychain.NewKeyFromString(pub.String()); err != nil {
		return nil, err
	}
	purpose, _ := kind.purpose()
	origin := fmt.Sprintf("[%s/%dh/%dh/%dh]", master, purpose, params.HDCoinType, accountIndex)
	return newAccount(pub, kind, params, origin)
}

// accountKey derives the private account key, and the fingerprint of the
// master key it comes from.
func accountKey(seed []byte, kind Kind, params *chaincfg.Params, index uint32) (*hdkeychain.ExtendedKey, string, error) {
	purpose, err := kind.purpose()
	if err != nil {
		return nil, "", err
	}
	if index >= hdkeychain.HardenedKeyStart {
		return nil, "", fmt.Errorf("bitcoin: account index %d is not below 2^31", index)
	}
	master, err := hdkeychain.NewMaster(seed, params)
	if err != nil {
		return nil, "", fmt.Errorf("bitcoin: seed: %w", err)
	}
	fp, err := fingerprint(master)
	if err != nil {
		return nil, "", err
	}
	key := master
	for _, step := range []uint32{purpose, params.HDCoinType, index} {
		parent := key
		if key, err = parent.Derive(hdkeychain.HardenedKeyStart + step); err != nil {
			return nil, "", fmt.Errorf("bitcoin: deriving the account: %w", err)
		}
		parent.Zero()
	}
	return key, fp, nil
}

func newAccount(key *hdkeychain.ExtendedKey, kind Kind, params *chaincfg.Params, origin string) (*Account, error) {
	key, err := key.CloneWithVersion(params.HDPublicKeyID[:])
	if err != nil {
		return nil, err
	}
	branch, err := key.Derive(0)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: this key has no external chain: %w", err)
	}
	inner, err := key.Derive(1)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: this key has no chain for change: %w", err)
	}
	keys, err1 := newBranchKey(branch)
	change, err2 := newBranchKey(inner)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return &Account{kind: kind, params: params, key: key, branch: keys, change: change, origin: origin}, nil
}

// Kind is the account's kind of address.
func (a *Account) Kind() Kind { return a.kind }

// XPub is the canonical text of the key, always with the version bytes of
// BIP 32 (xpub or tpub), whichever spelling was parsed.
func (a *Account) XPub() string { return a.key.String() }

// Fingerprint is the BIP 32 fingerprint of the account key, eight hex digits.
func (a *Account) Fingerprint() string {
	fp, err := fingerprint(a.key)
	if err != nil {
		panic(err) // the key was parsed when the account was made
	}
	return fp
}

// Descriptor is the output descriptor (BIP 380) of the external chain, with
// its checksum and, when the account came from a seed, the key's origin.
func (a *Account) Descriptor() string {
	function := "wpkh"
	if a.kind == BIP86 {
		function = "tr"
	}
	text := fmt.Sprintf("%s(%s%s/0/*)", function, a.origin, a.XPub())
	sum, err := DescriptorChecksum(text)
	if err != nil {
		panic(err) // the text above holds only descriptor characters
	}
	return text + "#" + sum
}

// Address gives the address 0/index of the external chain and its output
// script. The index is below 2^31. It returns ErrNoSuchChild for the
// practically non-existent indices without a key.
func (a *Account) Address(index uint32) (addr string, script []byte, err error) {
	return a.address(false, index)
}

// Change gives the address 1/index, of the chain for change, and its output
// script. It fails as Address does.
func (a *Account) Change(index uint32) (addr string, script []byte, err error) {
	return a.address(true, index)
}

func (a *Account) address(change bool, index uint32) (addr string, script []byte, err error) {
	pub, err := a.PublicKey(change, index)
	if err != nil {
		return "", nil, err
	}
	version, program := a.program(pub)
	addr, err = segwitAddress(a.params, version, program)
	if err != nil {
		return "", nil, err
	}
	return addr, witnessScript(version, program), nil
}

// PublicKey is the key of the address 0/index, or 1/index for change, before any
// taproot tweak.
func (a *Account) PublicKey(change bool, index uint32) (*btcec.PublicKey, error) {
	if index >= hdkeychain.HardenedKeyStart {
		return nil, fmt.Errorf("bitcoin: address index %d is not below 2^31", index)
	}
	if change {
		return a.change.child(index)
	}
	return a.branch.child(index)
}

// program is the witness program of a public key: its HASH160 for P2WPKH, and
// the key tweaked without a script tree (BIP 86) for P2TR.
func (a *Account) program(pub *btcec.PublicKey) (version byte, program []byte) {
	if a.kind == BIP86 {
		return 1, schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(pub))
	}
	return 0, btcutil.Hash160(pub.SerializeCompressed())
}

// PrivateKey derives the private key of address 0/index of the same account
// that AccountFromSeed gives. Only hot wallets and the sandbox need it.
func PrivateKey(seed []byte, kind Kind, network string, accountIndex, index uint32) (*btcec.PrivateKey, error) {
	return PrivateKeyAt(seed, kind, network, accountIndex, 0, index)
}

// PrivateKeyAt derives the private key of address branch/index: branch 0 is the
// external chain, 1 the one for change.
func PrivateKeyAt(seed []byte, kind Kind, network string, accountIndex, branchIndex, index uint32) (*btcec.PrivateKey, error) {
	params, err := Params(network)
	if err != nil {
		return nil, err
	}
	key, _, err := accountKey(seed, kind, params, accountIndex)
	if err != nil {
		return nil, err
	}
	defer key.Zero()
	branch, err := key.Derive(branchIndex)
	if err != nil {
		return nil, err
	}
	defer branch.Zero()
	child, err := branch.Derive(index)
	if err != nil {
		return nil, err
	}
	defer child.Zero()
	return child.ECPrivKey()
}

func fingerprint(key *hdkeychain.ExtendedKey) (string, error) {
	pub, err := key.ECPubKey()
	if err != nil {
		return "", err
	}
	hash := btcutil.Hash160(pub.SerializeCompressed())
	return hex.EncodeToString(binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(hash))), nil
}
