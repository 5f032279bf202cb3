package sweep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// accountDepth is the depth of m/purpose'/coin'/account' (BIP 44).
const accountDepth = 3

// Old is an old wallet: all that its secret may own. It never shows the secret.
type Old struct {
	chain    *bitcoin.Chain
	branches []*branch
	single   []owned // of one key
}

// String hides the keys from logs and errors.
func (*Old) String() string { return "[keys]" }

// GoString hides them from %#v.
func (*Old) GoString() string { return "[keys]" }

// LogValue hides them from slog.
func (*Old) LogValue() slog.Value { return slog.StringValue("[keys]") }

// branch is one branch of an account, for receiving or for change.
type branch struct {
	account *bitcoin.Account
	private *hdkeychain.ExtendedKey
	change  bool
	next    uint32 // the first index that was not looked at
	used    int64  // the highest index that was ever paid, -1 for none
}

// owned is one destination with its key.
type owned struct {
	kind       bitcoin.Kind
	script     []byte
	compressed bool
	key        func() (*btcec.PrivateKey, error)
	branch     *branch // nil for a single key
	index      uint32
}

// Open reads a secret: 12 to 24 words of a seed (BIP 39) with its passphrase, which is
// empty for most; an extended private key (xprv and the spellings of SLIP-132), of the
// seed or of one account; or a single private key (WIF). accounts is how many accounts
// of a seed are looked at, from the first on. No error repeats any of the secret.
func Open(secret, passphrase string, accounts int, c *bitcoin.Chain) (*Old, error) {
	secret = strings.TrimSpace(secret)
	if secret == "" {
		return nil, errors.New("there are no words and no key")
	}
	if wif, err := btcutil.DecodeWIF(secret); err == nil {
		return openSingle(wif, c)
	}
	if key, err := hdkeychain.NewKeyFromString(secret); err == nil {
		if !key.IsPrivate() {
			return nil, errors.New("this is a public key: nothing can be signed with it")
		}
		return openExtended(key, accounts, c)
	}
	if len(strings.Fields(secret)) < 12 {
		return nil, errors.New("these are neither 12 to 24 words of a seed (BIP 39), nor an extended private key (xprv), nor a private key (WIF); a character may be wrong")
	}
	seed, err := bitcoin.SeedFromMnemonic(secret, passphrase)
	if err != nil {
		return nil, errors.New("the words are not a seed of BIP 39: one may be wrong, or they are another wallet's own kind (Electrum's are), whose extended private key works")
	}
	master, err := hdkeychain.NewMaster(seed, c.Params)
	if err != nil {
		return nil, errors.New("no wallet has this seed")
	}
	return openMaster(master, accounts, c)
}

func openMaster(master *hdkeychain.ExtendedKey, accounts int, c *bitcoin.Chain) (*Old, error) {
	o := &Old{chain: c}
	for _, kind := range c.Kinds {
		for account := range accounts {
			key, err := derive(master, hard(purposes[kind]), hard(c.Params.HDCoinType), hard(uint32(account)))
			if err != nil {
				return nil, err
			}
			if err := o.add(key, kind); err != nil {
				return nil, err
			}
		}
	}
	return o, nil
}

// purposes are the first steps of the kinds' paths (BIP 43).
var purposes = map[bitcoin.Kind]uint32{bitcoin.BIP44: 44, bitcoin.BIP49: 49, bitcoin.BIP84: 84, bitcoin.BIP86: 86}

func hard(n uint32) uint32 { return n + hdkeychain.HardenedKeyStart }

func derive(key *hdkeychain.ExtendedKey, steps ...uint32) (*hdkeychain.ExtendedKey, error) {
	var err error
	for _, n := range steps {
		if key, err = key.Derive(n); err != nil {
			return nil, errors.New("this secret has no key at a path of its accounts")
		}
	}
	return key, nil
}

// versions are the kinds that the spellings of private keys name (SLIP-132), and
// whether they are of a main network.
var versions = map[uint32]struct {
	kind bitcoin.Kind
	main bool
}{
	0x0488ade4: {"", true}, 0x049d7878: {bitcoin.BIP49, true}, 0x04b2430c: {bitcoin.BIP84, true},
	0x04358394: {"", false}, 0x044a4e28: {bitcoin.BIP49, false}, 0x045f18bc: {bitcoin.BIP84, false},
	0x019d9cfe: {"", true}, 0x01b26792: {bitcoin.BIP49, true}, 0x0436ef7d: {"", false}, 0x02fac398: {"", true},
}

// openExtended takes a master key, or that of an account, of which every kind of
// address is looked at unless its spelling names one.
func openExtended(key *hdkeychain.ExtendedKey, accounts int, c *bitcoin.Chain) (*Old, error) {
	v, known := versions[binary.BigEndian.Uint32(key.Version())]
	switch {
	case !known:
		return nil, errors.New("this extended private key is of a kind that is not known here, such as multisignature")
	case v.main != (c.Network == "main"):
		return nil, fmt.Errorf("this extended private key is not of network %s", c.Network)
	case key.Depth() > accountDepth:
		return nil, fmt.Errorf("the key is at depth %d; give the key of the account, at depth %d, or of the seed", key.Depth(), accountDepth)
	}
	key, err := key.CloneWithVersion(c.Params.HDPrivateKeyID[:])
	if err != nil {
		return nil, errors.New("this extended private key cannot be read")
	}
	o := &Old{chain: c}
	if key.Depth() == 0 {
		if o, err = openMaster(key, accounts, c); err != nil {
			return nil, err
		}
	}
	for _, kind := range c.Kinds {
		if v.kind != "" && v.kind != kind {
			continue
		}
		if err := o.add(key, kind); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// add adds both branches of an account.
func (o *Old) add(key *hdkeychain.ExtendedKey, kind bitcoin.Kind) error {
	pub, err := key.Neuter()
	if err != nil {
		return errors.New("this secret has no public key")
	}
	acc, err := bitcoin.ParseAccount(pub.String(), kind, o.chain)
	if err != nil {
		return err // it names the public key's fault
	}
	for n, change := range []bool{false, true} {
		private, err := derive(key, uint32(n))
		if err != nil {
			return err
		}
		o.branches = append(o.branches, &branch{account: acc, private: private, change: change, used: -1})
	}
	return nil
}

// destination derives the next destination of a branch.
func (b *branch) destination() (owned, error) {
	i := b.next
	b.next++
	own := b.account.Address
	if b.change {
		own = b.account.Change
	}
	_, script, err := own(i)
	return owned{kind: b.account.Kind(), script: script, compressed: true, branch: b, index: i, key: func() (*btcec.PrivateKey, error) {
		k, err := derive(b.private, i)
		if err != nil {
			return nil, err
		}
		return k.ECPrivKey()
	}}, err
}

// openSingle takes one key, which owns an address of each kind.
func openSingle(wif *btcutil.WIF, c *bitcoin.Chain) (*Old, error) {
	if !wif.IsForNet(c.Params) {
		return nil, fmt.Errorf("this private key is not of network %s", c)
	}
	o := &Old{chain: c}
	key := func() (*btcec.PrivateKey, error) { return wif.PrivKey, nil }
	for _, kind := range c.Kinds {
		if !wif.CompressPubKey && kind != bitcoin.BIP44 {
			continue // there is no segregated witness for such keys (BIP 143)
		}
		script, err := scriptOf(kind, wif.PrivKey.PubKey(), wif.CompressPubKey)
		if err != nil {
			return nil, err
		}
		o.single = append(o.single, owned{kind: kind, script: script, compressed: wif.CompressPubKey, key: key})
	}
	return o, nil
}
