package signer

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/btcsuite/btcd/btcutil"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
)

// Policy is a signer's policy file.
type Policy struct {
	// AllowUIDs are the users besides the signer's own that may ask.
	AllowUIDs []int `toml:"allow_uids"`
	// Approvers are the people who may approve, by name, with their public keys.
	Approvers map[string]string `toml:"approvers"`
	// Wallets are the bounds of each wallet, by its name.
	Wallets map[string]Bounds `toml:"wallet"`
}

// Bounds are one wallet's. Amounts are satoshi.
type Bounds struct {
	MaxPayment   int64    `toml:"max_payment"`   // one payment
	MaxDay       int64    `toml:"max_day"`       // everything within any 24 hours, fees included
	MaxFee       int64    `toml:"max_fee"`       // one transaction's fee
	Allow        []string `toml:"allow"`         // the only addresses that may be paid; empty: any
	Delay        string   `toml:"delay"`         // from the first time something is asked for, such as "10m"
	ApproveAbove int64    `toml:"approve_above"` // what leaves with one transaction above this needs two people; 0: never
}

// maxDelay keeps what waits within the time in which it is shown.
const maxDelay = 14 * 24 * time.Hour

// nameForm is what wallets and approvers may be called.
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

func checkName(what, name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%s %q: a name is 1 to 32 small letters, digits, - and _", what, name)
	}
	return nil
}

// ReadPolicy reads a policy file. Without one nothing is signed: bounds are not
// to be guessed.
func ReadPolicy(path string) (*Policy, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no policy at %s, and without bounds nothing is signed: copy signer.example.toml there and set each wallet's limits", path)
	}
	if err == nil {
		err = checkFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the policy: %w", err)
	}
	p, err := ParsePolicy(string(text))
	if err != nil {
		return nil, fmt.Errorf("the policy %s: %w", path, err)
	}
	return p, nil
}

// ParsePolicy reads a policy and refuses what makes no sense in it.
func ParsePolicy(text string) (*Policy, error) {
	var p Policy
	md, err := toml.Decode(text, &p)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if more := md.Undecoded(); len(more) > 0 {
		return nil, fmt.Errorf("%q is not a rule; signer.example.toml lists them all", more[0].String())
	}
	if len(p.Wallets) == 0 {
		return nil, errors.New("it bounds no wallet: add a table such as [wallet.shop]")
	}
	for _, uid := range p.AllowUIDs {
		if uid < 0 {
			return nil, fmt.Errorf("allow_uids: %d is not a user's number; `id -u USER` prints it", uid)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Wallets)) {
		b := p.Wallets[name]
		for _, key := range []string{"max_payment", "max_day", "max_fee"} {
			if !md.IsDefined("wallet", name, key) {
				return nil, fmt.Errorf("[wallet.%s] does not say %s; a limit that is missing is not guessed", name, key)
			}
		}
		if err := b.check(); err != nil {
			return nil, fmt.Errorf("[wallet.%s]: %w", name, err)
		}
		if _, err := p.bounds(&b); err != nil {
			return nil, fmt.Errorf("[wallet.%s]: %w", name, err)
		}
	}
	return &p, nil
}

// Shared reports whether other users may ask, and refuses where the system could
// not tell them apart.
func (p *Policy) Shared() (bool, error) {
	shared := slices.ContainsFunc(p.AllowUIDs, func(uid int) bool { return uid != os.Geteuid() })
	if shared && !peersAreKnown {
		return false, errors.New("allow_uids: this system does not say who asks on a socket: run the signer and the server as one user, or the signer on Linux")
	}
	return shared, nil
}

func (b *Bounds) check() error {
	for _, l := range []struct {
		key    string
		amount int64
		least  int64
	}{{"max_payment", b.MaxPayment, 1}, {"max_day", b.MaxDay, 1}, {"max_fee", b.MaxFee, 1}, {"approve_above", b.ApproveAbove, 0}} {
		if l.amount < l.least || l.amount > btcutil.MaxSatoshi {
			return fmt.Errorf("%s is %d; it is a number of satoshi from %d to %d", l.key, l.amount, l.least, int64(btcutil.MaxSatoshi))
		}
	}
	if b.MaxPayment > b.MaxDay {
		return fmt.Errorf("max_payment (%d) is above max_day (%d): such a payment could never leave", b.MaxPayment, b.MaxDay)
	}
	if b.ApproveAbove > b.MaxDay {
		return fmt.Errorf("approve_above (%d) is above max_day (%d): nobody would ever be asked", b.ApproveAbove, b.MaxDay)
	}
	if d, err := b.delay(); err != nil || d < 0 || d > maxDelay {
		return fmt.Errorf("delay is %q; it is a time such as \"10m\" or \"2h\", at most %s", b.Delay, maxDelay)
	}
	return nil
}

func (b *Bounds) delay() (time.Duration, error) {
	if b.Delay == "" {
		return 0, nil
	}
	return time.ParseDuration(b.Delay)
}

// bounds are a wallet's as the signer holds to them.
func (p *Policy) bounds(b *Bounds) (hot.Policy, error) {
	out := hot.Policy{
		MaxPayment: uint64(b.MaxPayment), MaxDay: uint64(b.MaxDay), MaxFee: uint64(b.MaxFee), Allow: b.Allow,
		ApproveAbove: uint64(b.ApproveAbove), Approvers: map[string]ed25519.PublicKey{},
	}
	out.Delay, _ = b.delay() // was checked
	for name, text := range p.Approvers {
		if err := checkName("approver", name); err != nil {
			return out, err
		}
		key, err := parsePublic(text)
		if err != nil {
			return out, fmt.Errorf("approver %s: %w", name, err)
		}
		out.Approvers[name] = key
	}
	return out, out.Check()
}

// of is what holds for a wallet that is there: every wallet has a table, and an
// address on its list is one of its network.
func (p *Policy) of(w *Wallet) (hot.Policy, error) {
	b, ok := p.Wallets[w.Name]
	if !ok {
		return hot.Policy{}, fmt.Errorf("the policy has no table [wallet.%s]: say what may leave that wallet", w.Name)
	}
	out, err := p.bounds(&b)
	if err != nil {
		return out, err
	}
	out.Allow = nil
	c, err := w.Chain()
	if err != nil {
		return out, fmt.Errorf("wallet %s: %w", w.Name, err)
	}
	for _, a := range b.Allow {
		script, err := bitcoin.AddressScript(strings.TrimSpace(a), c)
		if err != nil {
			return out, fmt.Errorf("[wallet.%s] allow: %w", w.Name, err)
		}
		// As it will be read from packets, whatever its letters' case here.
		canonical, ok := bitcoin.ScriptAddress(script, c)
		if !ok {
			return out, fmt.Errorf("[wallet.%s] allow: %q cannot be paid", w.Name, a)
		}
		out.Allow = append(out.Allow, canonical)
	}
	return out, nil
}
