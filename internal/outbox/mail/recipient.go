package mail

import (
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

var (
	invited        = recipient.Invited.Notice().Name
	linkSent       = recipient.Change{Kind: recipient.LinkAsked}.Notice().Name
	addressChanged = recipient.Change{Kind: recipient.AddressChanged}.Notice().Name
)

// HasLink reports whether the mail about an event of a recipient takes a
// one-time link along.
func HasLink(e store.Event) bool { return e.Name == invited || e.Name == linkSent }

// ComposeRecipient writes the mail for an event of a recipient: an invitation, a
// fresh link, or the news that the address was changed. by is who pays; url is
// the page of the one-time link.
func ComposeRecipient(e store.Event, r *recipient.Recipient, by, url string) (Message, error) {
	l := Letter{From: by, Link: url}
	days := int(recipient.LinkLife / (24 * time.Hour))
	private := fmt.Sprintf("The link is for you alone: whoever has it can say where you are paid. It can be used once and for %d days. Nobody will ask you for it.", days)
	switch {
	case e.Name == invited:
		l.Title = by + " wants to pay you in cryptocurrency"
		l.Text = []string{"Confirm that this is your e-mail address and say at which address of your wallet you want to be paid. You need no account.", private,
			"If you do not know " + by + ", you can ignore this mail."}
		l.LinkText = "Say where to pay you"
	case e.Name == linkSent && r.Status == recipient.Active:
		l.Title = "Change where " + by + " pays you"
		l.Text = []string{"With this link you can give another address of your wallet. Until then everything stays as it is.", private,
			"If you did not ask for it, leave it alone and tell " + by + "."}
		l.LinkText = "Give another address"
	case e.Name == linkSent:
		l.Title = by + " is waiting for your address"
		l.Text = []string{"Go on where you left off. This link takes the place of earlier ones.", private}
		l.LinkText = "Say where to pay you"
	case e.Name == addressChanged:
		l.Title = "Your payout address at " + by + " was changed"
		l.Text = []string{"You need not do anything if it was you.", "If it was not you, tell " + by + " at once: until the time below the address you had before is still the one that is used."}
		if n := len(r.State.Addresses); n > 0 {
			a := r.State.Addresses[n-1]
			l.row("New", a.Address+" ("+a.Asset+")")
			l.row("Used from", when(a.From))
		}
	default:
		return Message{}, fmt.Errorf("no mail is written for event %d %s", e.Code, e.Name)
	}
	if r.State.Label != "" && HasLink(e) {
		l.row("Reference", r.State.Label)
	}
	return l.Message()
}
