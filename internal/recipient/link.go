package recipient

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/quittance/quittance/internal/fault"
)

const (
	// LinkLife is how long a link can be used.
	LinkLife = 7 * 24 * time.Hour
	// LinkPause is the least time between two mails that an API client asks for.
	LinkPause = time.Hour
)

// Link is a one-time way to a recipient's page. Its text is in the mail alone.
type Link struct {
	Hash      string // of its text, see HashLink
	Recipient string
	Event     string // that the mail tells of
	Created   time.Time
	Expires   time.Time
	Used      bool // an address was proven with it, or a newer one took its place
}

// HashLink is how a link is kept. It holds 256 random bits, so a plain hash
// cannot be searched.
func HashLink(text string) string {
	h := sha256.Sum256([]byte("quittance recipient link:" + text))
	return hex.EncodeToString(h[:])
}

// UnknownLink says that no page belongs to a link.
func UnknownLink() *fault.Error {
	return fault.New(fault.NotFound, "This link is not known. Open it from the mail again, whole; if that does not help, ask the sender for a new one")
}

// Check refuses a link that leads nowhere any more.
func (l *Link) Check(r *Recipient, now time.Time) error {
	switch {
	case r.Status == Removed:
		return fault.New(fault.NotFound, "This invitation was withdrawn. If you expect a payment, ask the sender for a new one")
	case l.Used:
		return fault.New(fault.NotFound, "This link was already used. To change your address, ask the sender for a new link")
	case now.After(l.Expires):
		return fault.New(fault.NotFound, "This link expired on %s. Ask the sender for a new one", l.Expires.UTC().Format("2 January 2006"))
	case r.Status == Paused:
		return fault.New(fault.Invalid0, "Payments to you are on hold. Ask the sender why; this link works again afterwards, until %s", l.Expires.UTC().Format("2 January 2006"))
	}
	return nil
}

// AskLink orders a mail with a fresh link.
func (r *Recipient) AskLink(now time.Time) ([]Change, error) {
	if r.Status == Removed || r.Status == Paused {
		return nil, fault.New(fault.Invalid0, "A recipient that is %s gets no link", r.Status)
	}
	r.State.LinkAsked = now
	return []Change{{Kind: LinkAsked, To: r.Status}}, nil
}

// Resend tells the merchant once more how things stand. While it is the
// recipient's turn, a reminder with a fresh link goes out too, but not more often
// than every LinkPause.
func (r *Recipient) Resend(now time.Time) []Change {
	list := []Change{{Kind: Resent, To: r.Status}}
	turn := r.Status == Invited || r.Status == Verified
	if turn && now.Sub(r.State.LinkAsked) >= LinkPause {
		r.State.LinkAsked = now
		list = append(list, Change{Kind: LinkAsked, To: r.Status})
	}
	return list
}
