package merchant

import (
	"slices"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
)

// Facade is what a token is good for.
type Facade string

// The facades. Public is the absence of a token.
const (
	Public   Facade = "public"
	POS      Facade = "pos"
	Full     Facade = "merchant"
	Payout   Facade = "payout"
	PairLife        = 24 * time.Hour // how long a pairing code can be used
	MaxLabel        = 60             // characters
)

// ParseFacade reads the facade of a token request; empty means pos.
func ParseFacade(s string) (Facade, error) {
	switch f := Facade(s); f {
	case "":
		return POS, nil
	case POS, Full, Payout:
		return f, nil
	}
	return "", fault.Invalid(fault.Invalid0, "facade", "%q is not one of merchant, pos, payout", s)
}

// TokenState says how far pairing has come.
type TokenState string

// Inactive waits for the merchant's approval, Unclaimed for a client with the
// code, Active can be used, Invalidated never again.
const (
	Inactive    TokenState = "inactive"
	Unclaimed   TokenState = "unclaimed"
	Active      TokenState = "active"
	Invalidated TokenState = "invalidated"
)

// Token is an API token. It is a secret: it must not be logged.
type Token struct {
	Token      string
	Merchant   string // empty while a client's request waits for approval
	Facade     Facade
	Label      string
	State      TokenState
	RequireSIN bool // requests must be signed by one of SINs
	SINs       []string
	Code       string    // pairing code, empty once used
	CodeExpiry time.Time // zero once used
	GUID       string
	Created    time.Time
}

// Request is a client's wish for a token that a merchant has yet to approve.
func Request(token, code, sin string, f Facade, label, guid string, now time.Time) (Token, error) {
	if err := checkLabel(label); err != nil {
		return Token{}, err
	}
	return Token{
		Token: token, Facade: f, Label: label, State: Inactive, RequireSIN: true,
		SINs: []string{sin}, Code: code, CodeExpiry: now.Add(PairLife), GUID: guid, Created: now,
	}, nil
}

// Offer is a merchant's token that a client with the code may claim. Without a
// code (open) it is active at once and needs no signature: for pos terminals only.
func Offer(token, code, merchant string, f Facade, label string, open bool, now time.Time) (Token, error) {
	if err := checkLabel(label); err != nil {
		return Token{}, err
	}
	t := Token{
		Token: token, Merchant: merchant, Facade: f, Label: label, State: Unclaimed, RequireSIN: true,
		Code: code, CodeExpiry: now.Add(PairLife), Created: now,
	}
	if open {
		if f != POS {
			return Token{}, fault.Invalid(fault.Invalid0, "facade", "only a pos token can be used without signatures")
		}
		t.State, t.RequireSIN, t.Code, t.CodeExpiry = Active, false, "", time.Time{}
	}
	return t, nil
}

func checkLabel(label string) error {
	if len([]rune(label)) > MaxLabel {
		return fault.Invalid(fault.Invalid0, "label", "at most %d characters", MaxLabel)
	}
	for _, r := range label {
		if r < ' ' || r == 0x7f {
			return fault.Invalid(fault.Invalid0, "label", "control characters are not allowed")
		}
	}
	return nil
}

// Approve gives a client's waiting request to a merchant.
func (t *Token) Approve(merchant string, now time.Time) error {
	if t.State != Inactive {
		return fault.New(fault.Invalid0, "Pairing code %s was already used", t.Code)
	}
	if err := t.fresh(now); err != nil {
		return err
	}
	t.Merchant, t.State, t.Code, t.CodeExpiry = merchant, Active, "", time.Time{}
	return nil
}

// Claim binds a merchant's offered token to the client that knows the code.
func (t *Token) Claim(sin string, now time.Time) error {
	if t.State != Unclaimed {
		return unknownCode(t.Code)
	}
	if err := t.fresh(now); err != nil {
		return err
	}
	t.SINs, t.State, t.Code, t.CodeExpiry = []string{sin}, Active, "", time.Time{}
	return nil
}

func (t *Token) fresh(now time.Time) error {
	if now.After(t.CodeExpiry) {
		return fault.New(fault.NotFound, "Pairing code %s expired at %s; ask for a new one", t.Code, t.CodeExpiry.UTC().Format(time.RFC3339))
	}
	return nil
}

func unknownCode(code string) error {
	return fault.New(fault.NotFound, "Pairing code %s is unknown or was already used; ask for a new one", code)
}

// UnknownCode says that nobody waits for this pairing code.
func UnknownCode(code string) error { return unknownCode(code) }

// Has reports whether a SIN is linked to the token.
func (t *Token) Has(sin string) bool { return slices.Contains(t.SINs, sin) }

// Link adds a SIN; linking it twice changes nothing.
func (t *Token) Link(sin string) {
	if !t.Has(sin) {
		t.SINs = append(t.SINs, sin)
		slices.Sort(t.SINs)
	}
}

// Unlink removes a SIN. by is the SIN that signed the request: it cannot remove
// itself, so one always stays.
func (t *Token) Unlink(sin, by string) error {
	i := slices.Index(t.SINs, sin)
	if i < 0 {
		return fault.New(fault.NotFound, "SIN %s is not linked to this token", sin)
	}
	if sin == by || len(t.SINs) == 1 {
		return fault.Invalid(fault.Invalid0, "sin", "%s signed this request or is the last one linked; sign with another linked SIN to remove it", sin)
	}
	t.SINs = slices.Delete(t.SINs, i, i+1)
	return nil
}

// CheckPairingCode verifies the form: exactly seven letters or digits.
func CheckPairingCode(s string) error {
	if len(s) == 7 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}) {
		return nil
	}
	return fault.Invalid(fault.Invalid0, "pairingCode", "expected 7 letters or digits")
}
