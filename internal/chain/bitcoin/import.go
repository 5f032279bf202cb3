package bitcoin

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// Import reads an account as wallets hand it out: its extended public key (xpub and
// the spellings of SLIP-132), the key with its origin before it in brackets, an
// output descriptor (BIP 380 to 386) that ends in /0/* or /<0;1>/* (BIP 389), or the
// two descriptors for receiving and for change, with a space or a line between them.
// A checksum is verified where there is one.
//
// kind is the kind that was asked for, empty for what the text says, else the chain's
// usual one. What is no account of one key is refused in a sentence.
func Import(text string, kind Kind, c *Chain) (*Account, error) {
	fields := strings.Fields(text)
	for i, f := range fields {
		fields[i] = strings.Trim(f, `",`) // as copied from a list in JSON
	}
	switch {
	case len(fields) == 0:
		return nil, errors.New("bitcoin: no key and no descriptor was given")
	case len(fields) > 2:
		return nil, errors.New("bitcoin: these are more than two descriptors: give the one of the account, or its two for receiving and for change")
	case len(fields) == 2:
		return importPair(fields, kind, c)
	case !strings.Contains(fields[0], "("):
		return importKey(fields[0], kind, c)
	}
	d, err := readDescriptor(fields[0])
	if err != nil {
		return nil, err
	}
	if d.branch == onlyChange {
		return nil, errors.New("bitcoin: this descriptor is the account's for change: give the one for receiving, which ends in /0/*, or both")
	}
	return d.account(kind, c)
}

// importKey reads a bare key, or one with its origin.
func importKey(text string, kind Kind, c *Chain) (*Account, error) {
	if strings.Contains(text, "#") {
		return nil, errors.New("bitcoin: a checksum belongs to a whole descriptor, such as wpkh(…)#…")
	}
	d, err := readKey(text)
	if err != nil {
		return nil, err
	}
	if d.branch == onlyChange {
		return nil, errors.New("bitcoin: this is the account's branch for change: give the account's key without /1/*")
	}
	switch {
	case kind != "":
	case KindOf(d.key) != "":
		kind = KindOf(d.key)
	default:
		kind = c.Kinds[0]
	}
	d.kind = kind
	return d.account(kind, c)
}

func importPair(fields []string, kind Kind, c *Chain) (*Account, error) {
	var pair [2]described
	for i, f := range fields {
		d, err := readDescriptor(f)
		if err != nil {
			return nil, err
		}
		if d.branch == both || pair[d.branch].key != "" {
			return nil, errors.New("bitcoin: of two descriptors one is for receiving (/0/*) and one for change (/1/*)")
		}
		if pair[d.branch] = d; i == 1 && (pair[0].kind != pair[1].kind || pair[0].key != pair[1].key || pair[0].origin != pair[1].origin) {
			return nil, errors.New("bitcoin: the two descriptors are of different accounts: give the two of one account")
		}
	}
	return pair[onlyReceive].account(kind, c)
}

// branches are what a descriptor covers of an account.
type branches int

const (
	onlyReceive branches = iota // 0/*
	onlyChange                  // 1/*
	both                        // <0;1>/*
	whole                       // the account itself, without steps
)

// described is what one descriptor says.
type described struct {
	kind   Kind
	origin string
	key    string
	branch branches
}

func (d described) account(asked Kind, c *Chain) (*Account, error) {
	if asked != "" && asked != d.kind {
		return nil, fmt.Errorf("bitcoin: the descriptor is for %s addresses and %s was asked for: leave the kind out", kindNames[d.kind], asked)
	}
	a, err := ParseAccount(d.key, d.kind, c)
	if err != nil {
		return nil, err
	}
	return a.WithOrigin(d.origin)
}

// forms are the descriptors of accounts with one key (BIP 381, 382 and 386).
var forms = []struct {
	begin, end string
	kind       Kind
}{{"sh(wpkh(", "))", BIP49}, {"wpkh(", ")", BIP84}, {"pkh(", ")", BIP44}, {"tr(", ")", BIP86}}

// readDescriptor takes a descriptor apart.
func readDescriptor(text string) (d described, err error) {
	body, err := withoutChecksum(text)
	if err != nil {
		return d, err
	}
	if err := notOneKey(body); err != nil {
		return d, err
	}
	for _, f := range forms {
		inner, ok := strings.CutPrefix(body, f.begin)
		if !ok {
			continue
		}
		if inner, ok = strings.CutSuffix(inner, f.end); !ok || strings.ContainsAny(inner, "()") {
			return d, fmt.Errorf("bitcoin: the descriptor does not end where %sKEY%s ends: copy all of it", f.begin, f.end)
		}
		d, err = readKey(inner)
		if d.kind = f.kind; err == nil && d.branch == whole {
			err = errors.New("bitcoin: the descriptor names one key and no addresses below it: it has to end in /0/* or /<0;1>/*")
		}
		return d, err
	}
	name, _, _ := strings.Cut(body, "(")
	return d, fmt.Errorf("bitcoin: %s(…) is not a descriptor that can be received with: use pkh, sh(wpkh()), wpkh or tr with one key", name)
}

// withoutChecksum cuts the checksum off and verifies it.
func withoutChecksum(text string) (string, error) {
	body, sum, found := strings.Cut(text, "#")
	want, err := DescriptorChecksum(body)
	if err != nil {
		return "", err
	}
	if found && sum != want {
		return "", fmt.Errorf("bitcoin: the checksum %q does not fit the descriptor: a character is wrong or missing, copy it again", sum)
	}
	return body, nil
}

// notOneKey says what a descriptor is that is no account of one key.
func notOneKey(body string) error {
	for _, k := range []struct{ has, is string }{
		{"multi(", "of several keys (multisignature)"}, {"multi_a(", "of several keys (multisignature)"}, {"musig(", "of several keys (musig)"},
		{"wsh(", "of a script of its own (wsh)"}, {"rawtr(", "of one output key without an account (rawtr)"},
		{"addr(", "of one address"}, {"raw(", "of one script"}, {"combo(", "of several kinds of address at once (combo)"},
	} {
		if strings.Contains(body, k.has) {
			return fmt.Errorf("bitcoin: this descriptor is %s: Quittance receives with the account of one key, as pkh, sh(wpkh()), wpkh or tr", k.is)
		}
	}
	if strings.HasPrefix(body, "tr(") && strings.Contains(body, ",") {
		return errors.New("bitcoin: this descriptor has scripts beside its key (tr with a tree): Quittance receives with the account of one key")
	}
	return nil
}

// keyForm is a key as descriptors have it: its origin, the key, and steps below it.
var keyForm = regexp.MustCompile(`^(\[[^\[\]]*\])?([0-9A-Za-z]+)((?:/[^/]*)*)$`)

func readKey(text string) (d described, err error) {
	m := keyForm.FindStringSubmatch(text)
	if m == nil {
		return d, fmt.Errorf("bitcoin: %q is not a key with its origin in brackets before it, such as [d34db33f/84h/0h/0h]xpub…", short(text))
	}
	d.origin, d.key = m[1], m[2]
	if d.origin != "" {
		o, err := ParseOrigin(d.origin)
		if err != nil {
			return d, err
		}
		d.origin = o.String()
	}
	if err := publicAccount(d.key); err != nil {
		return d, err
	}
	d.branch, err = readBranch(m[3])
	return d, err
}

// short keeps a text that may be a secret out of messages and logs.
func short(text string) string {
	if len(text) > 12 {
		return text[:8] + "…"
	}
	return text
}

// publicAccount refuses what is a private key, or one key and no account.
func publicAccount(key string) error {
	if _, err := btcutil.DecodeWIF(key); err == nil {
		return ErrPrivateKey
	}
	k, err := hdkeychain.NewKeyFromString(key)
	switch {
	case err == nil && k.IsPrivate():
		return ErrPrivateKey
	case err != nil && hexKey.MatchString(key):
		return errors.New("bitcoin: this is one public key, which has one address: give the account's extended key (xpub)")
	case err != nil:
		return fmt.Errorf("bitcoin: not an extended public key: %w", err)
	}
	return nil
}

var hexKey = regexp.MustCompile(`^(0[23])?[0-9a-fA-F]{64}$`)

// readBranch reads the steps below the account's key.
func readBranch(steps string) (branches, error) {
	switch steps {
	case "":
		return whole, nil
	case "/0/*":
		return onlyReceive, nil
	case "/1/*":
		return onlyChange, nil
	case "/<0;1>/*":
		return both, nil
	case "/<1;0>/*":
		return 0, errors.New("bitcoin: /<1;0>/* has the branches for receiving and change the wrong way round: /<0;1>/* is meant")
	}
	switch {
	case strings.ContainsAny(steps, "hH'"):
		return 0, fmt.Errorf("bitcoin: %s has hardened steps below the key, which cannot be taken without the private key: give the key at the end of them", steps)
	case strings.HasSuffix(steps, "/*"):
		return 0, fmt.Errorf("bitcoin: the addresses would be at %s: an account has them at /0/* and its change at /1/*, so this is a branch and no account", steps)
	}
	return 0, fmt.Errorf("bitcoin: %s is one address and no account: the descriptor has to end in /0/* or /<0;1>/*", steps)
}
