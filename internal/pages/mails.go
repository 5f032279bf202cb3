package pages

import "net/http"

// shownMails is how many messages the sandbox shows, newest first.
const shownMails = 100

type mailsPage struct {
	T     *text
	Mails []mail
}

type mail struct{ Sent, To, Subject, Text string }

// mails shows what was not sent, as plain text: a message's HTML is never
// rendered on this server's pages.
func (p *Pages) mails(w http.ResponseWriter, r *http.Request) error {
	list, err := p.App.SandboxMails(r.Context(), shownMails)
	if err != nil {
		return err
	}
	m := &mailsPage{T: &english}
	for _, e := range list {
		m.Mails = append(m.Mails, mail{e.Sent.UTC().Format("2006-01-02 15:04:05 UTC"), e.Recipient, e.Subject, e.Text})
	}
	return p.show(w, http.StatusOK, "mails", m)
}
