package recipient

import (
	"strings"
	"time"

	"github.com/quittance/quittance/internal/fault"
)

// Bounds of what a merchant may submit.
const (
	MaxPerCall   = 1000 // recipients in one request
	DefaultLimit = 1000 // recipients of a merchant that are not removed
	maxLabel     = 200  // characters
	maxEmail     = 254  // bytes
)

// Recipient is somebody a merchant pays out to.
type Recipient struct {
	ID       string
	Merchant string
	APIToken string // the token it was created with; also the webhook key
	Token    string // the resource's own token
	Email    string
	Status   Status
	Created  time.Time
	Version  int64 // grows with each change
	State    State
}

// State is the part that changes besides the status.
type State struct {
	Events          int64     `json:"events"` // sequence number of the last event
	Label           string    `json:"label,omitempty"`
	NotificationURL string    `json:"notificationURL,omitempty"`
	ShopperID       string    `json:"shopperId,omitempty"` // from the confirmation of the e-mail on
	PausedFrom      Status    `json:"pausedFrom,omitempty"`
	LinkAsked       time.Time `json:"linkAsked,omitzero"` // when the last mail with a link was ordered

	// Addresses is every address that was ever proven, oldest first.
	Addresses []Address `json:"addresses,omitempty"`
	// Candidate is the address that was given last and is not proven.
	Candidate *Candidate `json:"candidate,omitempty"`
	Tests     int        `json:"tests,omitempty"` // test amounts that were sent
}

// Invitation is what a merchant says of a recipient.
type Invitation struct {
	Email           string
	Label           string
	NotificationURL string
}

// Check refuses what cannot be invited. What URLs and mail addresses may look
// like is told by functions that return why a value is refused, or nothing.
func (in *Invitation) Check(url, email func(string) string) error {
	if in.Email == "" {
		return fault.Missing(fault.Missing0, "email")
	}
	if why := email(in.Email); why != "" || len(in.Email) > maxEmail {
		return fault.Invalid(fault.Invalid0, "email", "%.100q is not an e-mail address", in.Email)
	}
	return in.checkRest(url)
}

func (in *Invitation) checkRest(url func(string) string) error {
	if len([]rune(in.Label)) > maxLabel {
		return fault.Invalid(fault.Invalid0, "label", "at most %d characters", maxLabel)
	}
	for _, r := range in.Label {
		if r < ' ' || r == 0x7f {
			return fault.Invalid(fault.Invalid0, "label", "control characters are not allowed")
		}
	}
	if why := url(in.NotificationURL); in.NotificationURL != "" && why != "" {
		return fault.Invalid(fault.Invalid0, "notificationURL", "%s", why)
	}
	return nil
}

// Key is an e-mail address as it is compared: two spellings that differ in
// letter case are one recipient.
func Key(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Invite makes a new recipient.
func Invite(id, merchantID, apiToken, token string, in Invitation, now time.Time) (*Recipient, Change) {
	r := &Recipient{
		ID: id, Merchant: merchantID, APIToken: apiToken, Token: token, Email: in.Email, Status: Invited, Created: now,
		State: State{Label: in.Label, NotificationURL: in.NotificationURL, LinkAsked: now},
	}
	return r, Change{Kind: Moved, To: Invited}
}

// Update changes label and notification URL; empty ones stay as they are.
func (r *Recipient) Update(label, notificationURL string, url func(string) string) error {
	if r.Status == Removed {
		return fault.New(fault.Invalid0, "Invalid recipient: it was removed; submit the e-mail address again to invite it anew")
	}
	in := Invitation{Label: label, NotificationURL: notificationURL}
	if err := in.checkRest(url); err != nil {
		return err
	}
	if label != "" {
		r.State.Label = label
	}
	if notificationURL != "" {
		r.State.NotificationURL = notificationURL
	}
	return nil
}

// move takes one step of the state machine.
func (r *Recipient) move(e Event) (Change, error) {
	to, err := Step(r.Status, e)
	if err != nil {
		return Change{}, fault.New(fault.Invalid0, "Not possible for a recipient that is %s", r.Status)
	}
	r.Status = to
	return Change{Kind: Moved, To: to, On: e}, nil
}

// ConfirmEmail notes that the link reached its reader. Without an identity check
// the recipient counts as verified at once. Confirming twice changes nothing.
func (r *Recipient) ConfirmEmail(shopperID string, check bool) ([]Change, error) {
	if r.Status == Unverified || r.Status == Verified || r.Status == Active {
		return nil, nil
	}
	first, err := r.move(EmailConfirmed)
	if err != nil {
		return nil, err
	}
	r.State.ShopperID = shopperID
	if check {
		return []Change{first}, nil
	}
	second, err := r.move(IdentityChecked)
	return []Change{first, second}, err
}

// Verify notes that the operator checked who the recipient is. A fresh link goes
// out: the one of the invitation may have expired meanwhile.
func (r *Recipient) Verify(now time.Time) ([]Change, error) {
	if r.Status == Verified || r.Status == Active {
		return nil, nil
	}
	c, err := r.move(IdentityChecked)
	if err != nil {
		return nil, err
	}
	link, err := r.AskLink(now)
	return append([]Change{c}, link...), err
}

// Pause stops a recipient; pausing twice changes nothing.
func (r *Recipient) Pause() ([]Change, error) {
	if r.Status == Paused {
		return nil, nil
	}
	from := r.Status
	c, err := r.move(PausedByOperator)
	if err != nil {
		return nil, err
	}
	r.State.PausedFrom = from
	return []Change{c}, nil
}

// Resume takes a paused recipient back to where it was.
func (r *Recipient) Resume() ([]Change, error) {
	if r.Status != Paused {
		return nil, fault.New(fault.Invalid0, "Not possible for a recipient that is %s, not paused", r.Status)
	}
	c, err := r.move(resumed[r.State.PausedFrom])
	if err != nil {
		return nil, err
	}
	r.State.PausedFrom = ""
	return []Change{c}, nil
}

// Remove takes a recipient out; removing twice changes nothing.
func (r *Recipient) Remove() ([]Change, error) {
	if r.Status == Removed {
		return nil, nil
	}
	c, err := r.move(RemovedByMerchant)
	if err != nil {
		return nil, err
	}
	r.State.Candidate = nil
	return []Change{c}, nil
}
