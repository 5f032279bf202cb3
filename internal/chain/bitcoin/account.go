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
	"github.com/btcsuite/btcd/txscript"
)

// Kind says which addresses an account gives.
type Kind string

// The kinds of account.
const (
	BIP44 Kind = "bip44" // P2PKH, m/44'/coin'/account'
	BIP49 Kind = "bip49" // P2WPKH nested in P2SH, m/49'/coin'/account'
	BIP84 Kind = "bip84" // P2WPKH, m/84'/coin'/account'
	BIP86 Kind = "bip86" // P2TR with a single key, m/86'/coin'/account'
)

// purpose is the first step of the account's path (BIP 43).
func (k Kind) purpose() (uint32, error) {
	switch k {
	case BIP44:
		return 44, nil
	case BIP49:
		return 49, nil
	case BIP84:
		return 84, nil
	case BIP86:
		return 86, nil
	}
	return 0, fmt.Errorf("bitcoin: %q is not a kind of account; use bip84, bip86, bip49 or bip44", string(k))
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
	chain  *Chain
	key    *hdkeychain.ExtendedKey
	branch *branchKey // key/0, the external chain
	change *branchKey // key/1, the chain for change
	origin string     // "[fingerprint/84h/0h/0h]", or "" when unknown
}

// ParseAccount reads an account's extended public key: xpub, or tpub for the
// test networks, for any kind, and the spellings of SLIP-132 for the kind that
// they are for. A private key is refused with ErrPrivateKey; so is a key of
// another network, of another script type, or one from below the account level.
func ParseAccount(xpub string, kind Kind, c *Chain) (*Account, error) {
	if err := kind.on(c); err != nil {
		return nil, err
	}
	key, err := parsePublic(strings.TrimSpace(xpub), kind, c)
	if err != nil {
		return nil, err
	}
	// Electrum puts its account at depth 1, so less than three is fine; deeper
	// is a branch or an address key, whose 0/i no wallet would look at.
	if key.Depth() > accountDepth {
		return nil, fmt.Errorf("bitcoin: the key is at depth %d; give the account key, at depth %d", key.Depth(), accountDepth)
	}
	return newAccount(key, kind, c, "")
}

// on refuses a kind that the chain has no addresses for.
func (k Kind) on(c *Chain) error {
	if _, err := k.purpose(); err != nil {
		return err
	}
	if !c.Has(k) {
		return fmt.Errorf("bitcoin: %s has no addresses of kind %s; use %s", c.Name, k, c.Kinds[0])
	}
	return nil
}

// AccountFromSeed derives the public account m/purpose'/coin'/accountIndex'
// from a BIP 39 or BIP 32 seed of 16 to 64 bytes. accountIndex is below 2^31.
func AccountFromSeed(seed []byte, kind Kind, c *Chain, accountIndex uint32) (*Account, error) {
	key, master, err := accountKey(seed, kind, c, accountIndex)
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
	origin := fmt.Sprintf("[%s/%dh/%dh/%dh]", master, purpose, c.Params.HDCoinType, accountIndex)
	return newAccount(pub, kind, c, origin)
}

// accountKey derives the private account key, and the fingerprint of the
// master key it comes from.
func accountKey(seed []byte, kind Kind, c *Chain, index uint32) (*hdkeychain.ExtendedKey, string, error) {
	if err := kind.on(c); err != nil {
		return nil, "", err
	}
	purpose, err := kind.purpose()
	if err != nil {
		return nil, "", err
	}
	if index >= hdkeychain.HardenedKeyStart {
		return nil, "", fmt.Errorf("bitcoin: account index %d is not below 2^31", index)
	}
	master, err := hdkeychain.NewMaster(seed, c.Params)
	if err != nil {
		return nil, "", fmt.Errorf("bitcoin: seed: %w", err)
	}
	fp, err := fingerprint(master)
	if err != nil {
		return nil, "", err
	}
	key := master
	for _, step := range []uint32{purpose, c.Params.HDCoinType, index} {
		parent := key
		if key, err = parent.Derive(hdkeychain.HardenedKeyStart + step); err != nil {
			return nil, "", fmt.Errorf("bitcoin: deriving the account: %w", err)
		}
		parent.Zero()
	}
	return key, fp, nil
}

func newAccount(key *hdkeychain.ExtendedKey, kind Kind, c *Chain, origin string) (*Account, error) {
	key, err := key.CloneWithVersion(c.Params.HDPublicKeyID[:])
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
	return &Account{kind: kind, chain: c, key: key, branch: keys, change: change, origin: origin}, nil
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
// its checksum and, when it is known, the key's origin.
func (a *Account) Descriptor() string { return a.descriptor("0") }

// ChangeDescriptor is the descriptor of the chain for change.
func (a *Account) ChangeDescriptor() string { return a.descriptor("1") }

// BothDescriptor is one descriptor of both chains (BIP 389).
func (a *Account) BothDescriptor() string { return a.descriptor("<0;1>") }

func (a *Account) descriptor(branch string) string {
	text := fmt.Sprintf(descriptorForms[a.kind], a.origin+a.XPub()+"/"+branch+"/*")
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
	script = a.script(pub)
	addr, ok := ScriptAddress(script, a.chain)
	if !ok {
		return "", nil, fmt.Errorf("bitcoin: %s has no address for kind %s", a.chain.Name, a.kind)
	}
	return addr, script, nil
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

// script is the output script that pays a public key in the account's kind.
func (a *Account) script(pub *btcec.PublicKey) []byte {
	switch a.kind {
	case BIP44:
		return keyHashScript(btcutil.Hash160(pub.SerializeCompressed()))
	case BIP49:
		return scriptHashScript(btcutil.Hash160(KeyScript(pub)))
	case BIP86:
		return witnessScript(1, schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(pub)))
	}
	return KeyScript(pub)
}

// KeyScript is the version 0 witness program of a key (P2WPKH, BIP 141): the
// output script of BIP 84, and what an output of BIP 49 hides behind its hash.
func KeyScript(pub *btcec.PublicKey) []byte {
	return witnessScript(0, btcutil.Hash160(pub.SerializeCompressed()))
}

// PrivateKey derives the private key of address 0/index of the same account
// that AccountFromSeed gives. Only hot wallets and the sandbox need it.
func PrivateKey(seed []byte, kind Kind, c *Chain, accountIndex, index uint32) (*btcec.PrivateKey, error) {
	return PrivateKeyAt(seed, kind, c, accountIndex, 0, index)
}

// PrivateKeyAt derives the private key of address branch/index: branch 0 is the
// external chain, 1 the one for change.
func PrivateKeyAt(seed []byte, kind Kind, c *Chain, accountIndex, branchIndex, index uint32) (*btcec.PrivateKey, error) {
	key, _, err := accountKey(seed, kind, c, accountIndex)
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
