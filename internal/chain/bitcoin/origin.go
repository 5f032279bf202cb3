package bitcoin

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// Origin says where a key comes from (BIP 380): the fingerprint of the master key,
// and the steps from there. Signers that keep nothing but a master seed find their
// key by it.
type Origin struct {
	Master [4]byte
	Path   []uint32
}

// maxSteps bounds a path; BIP 32 counts a key's depth in one byte.
const maxSteps = 255

// ParseOrigin reads [d34db33f/84h/0h/0h]; the brackets may be left out, and hardened
// steps may be written with h, H or an apostrophe.
func ParseOrigin(text string) (o Origin, err error) {
	wrong := fmt.Errorf("bitcoin: %q is not the origin of a key, such as [d34db33f/84h/0h/0h]: the master key's fingerprint and the path to the account", text)
	inner := strings.TrimSpace(text)
	if strings.HasPrefix(inner, "[") != strings.HasSuffix(inner, "]") {
		return o, wrong
	}
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(inner, "["), "]"), "/")
	fp, err := hex.DecodeString(parts[0])
	if err != nil || len(fp) != len(o.Master) || len(parts)-1 > maxSteps {
		return o, wrong
	}
	copy(o.Master[:], fp)
	for _, p := range parts[1:] {
		n, err := parseStep(p)
		if err != nil {
			return o, err
		}
		o.Path = append(o.Path, n)
	}
	return o, nil
}

// parseStep reads one step of a path, such as 84h or 0.
func parseStep(text string) (uint32, error) {
	plain := strings.TrimRight(text, "h'H")
	n, err := strconv.ParseUint(plain, 10, 31)
	if err != nil || len(text)-len(plain) > 1 {
		return 0, fmt.Errorf("bitcoin: %q is not a step of a path, such as 84h or 0", text)
	}
	if len(text) > len(plain) {
		n += hdkeychain.HardenedKeyStart
	}
	return uint32(n), nil
}

// String writes the origin as descriptors have it, with h for hardened steps.
func (o Origin) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%x", o.Master)
	for _, n := range o.Path {
		b.WriteString("/" + step(n))
	}
	return b.String() + "]"
}

func step(n uint32) string {
	if n >= hdkeychain.HardenedKeyStart {
		return fmt.Sprintf("%dh", n-hdkeychain.HardenedKeyStart)
	}
	return strconv.FormatUint(uint64(n), 10)
}

// WithOrigin is the account with its key's origin, which is held against what the
// key says of itself: its depth, its last step, and the key above it where that is
// the master key (BIP 32). An empty text leaves the origin unknown.
func (a *Account) WithOrigin(text string) (*Account, error) {
	if text == "" {
		return a, nil
	}
	o, err := ParseOrigin(text)
	if err != nil {
		return nil, err
	}
	if err := a.fits(o); err != nil {
		return nil, err
	}
	b := *a
	b.origin = o.String()
	return &b, nil
}

func (a *Account) fits(o Origin) error {
	depth, last := int(a.key.Depth()), a.key.ChildIndex()
	if depth != len(o.Path) {
		return fmt.Errorf("bitcoin: the origin %s has %d steps, but the key says that it is at depth %d: one of the two belongs to another account", o, len(o.Path), depth)
	}
	master := binary.BigEndian.Uint32(o.Master[:])
	switch {
	case depth == 0 && a.Fingerprint() != hex.EncodeToString(o.Master[:]),
		depth == 1 && a.key.ParentFingerprint() != master:
		return fmt.Errorf("bitcoin: the origin %s names another master key than the one this key comes from", o)
	case depth > 0 && o.Path[depth-1] != last:
		return fmt.Errorf("bitcoin: the origin %s ends in step %s, but the key says that its last step is %s: one of the two belongs to another account", o, step(o.Path[depth-1]), step(last))
	}
	return nil
}

// Origin is where the account's key comes from, such as [d34db33f/84h/0h/0h], or
// empty when that is not known.
func (a *Account) Origin() string { return a.origin }

// Doubts are sentences about what is allowed and unusual, for whoever imports the
// account to look at.
func (a *Account) Doubts() (list []string) {
	if d := a.key.Depth(); d < accountDepth {
		list = append(list, fmt.Sprintf("the key is at depth %d, where most wallets have theirs at %d: compare the addresses with care", d, accountDepth))
	}
	o, err := ParseOrigin(a.origin)
	if err != nil || len(o.Path) < 2 {
		return list
	}
	const hard = hdkeychain.HardenedKeyStart
	purpose, _ := a.kind.purpose()
	if got := o.Path[0]; got != hard+purpose {
		list = append(list, fmt.Sprintf("its path begins with %s, where %s has %dh: some hardware signers refuse to sign so", step(got), a.kind, purpose))
	}
	if got := o.Path[1]; got != hard+a.chain.Params.HDCoinType {
		list = append(list, fmt.Sprintf("its path is that of coin %s, where %s has %dh: some hardware signers refuse to sign so", step(got), a.chain, a.chain.Params.HDCoinType))
	}
	return list
}
