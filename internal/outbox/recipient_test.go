package outbox_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

func (e *env) recipient(url string) *recipient.Recipient {
	e.tb.Helper()
	list, err := e.app.SubmitRecipients(context.Background(), app.NewRecipients{
		Merchant: e.merchant, Token: &merchant.Token{Token: apiToken, Merchant: e.merchant.ID, Facade: merchant.Payout},
		List: []recipient.Invitation{{Email: "payee@example.com", Label: "7", NotificationURL: url}},
	})
	if err != nil {
		e.tb.Fatal(err)
	}
	return list[0]
}

var linkInMail = regexp.MustCompile(`https://pay\.example/recipient\?link=(\S+)`)

func linkOf(t *testing.T, m mail.Message) string {
	t.Helper()
	found := linkInMail.FindStringSubmatch(m.Text)
	if found == nil || !strings.Contains(m.HTML, found[1]) {
		t.Fatalf("no link in %+v", m)
	}
	return found[1]
}

// lossy takes a mail over and says that it did not, as a relay whose answer is
// lost.
type lossy struct {
	mailbox
	lose bool
}

func (b *lossy) Send(ctx context.Context, m mail.Message) error {
	_ = b.mailbox.Send(ctx, m)
	if b.lose {
		return context.DeadlineExceeded
	}
	return nil
}

func TestAnInvitationThatIsTriedAgainHasALinkThatWorksEachTime(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	r := e.recipient(s.URL)
	box := &lossy{lose: true}
	o := e.outbox(func(c *outbox.Config) { c.Mailer = box })
	e.step(o)
	box.lose = false
	e.clock.Add(2 * time.Minute)
	e.step(o)
	if len(box.all) != 2 || box.all[0].To != "payee@example.com" || box.all[0].ID != box.all[1].ID {
		t.Fatalf("mails: %+v", box.all)
	}
	first, second := linkOf(t, box.all[0]), linkOf(t, box.all[1])
	if first == second || len(first) != 44 {
		t.Errorf("links %q and %q", first, second)
	}
	for _, link := range []string{first, second} {
		if got, err := e.app.RecipientPage(context.Background(), link); err != nil || got.ID != r.ID {
			t.Errorf("the link leads to %v, %v", got.Recipient, err)
		}
	}
	// A newer mail takes the place of both.
	if _, err := e.app.InviteRecipient(context.Background(), r.ID); err != nil {
		t.Fatal(err)
	}
	e.step(o)
	for _, link := range []string{first, second} {
		if _, err := e.app.RecipientPage(context.Background(), link); err == nil {
			t.Error("an old link still works")
		}
	}
	if got, err := e.app.RecipientPage(context.Background(), linkOf(t, box.all[2])); err != nil || got.ID != r.ID {
		t.Errorf("the new link leads to %v, %v", got.Recipient, err)
	}
	if got := s.received(); len(got) != 1 || got[0].ID != r.ID || got[0].Code != 4001 || got[0].header.Get("X-Signature") != hmacText([]byte(apiToken), string(got[0].body)) {
		t.Errorf("webhooks: %+v", got)
	}
}

func TestARemovedRecipientIsNotWrittenTo(t *testing.T) {
	e := newEnv(t)
	r := e.recipient("")
	if _, err := e.app.RemoveRecipient(context.Background(), r.ID); err != nil {
		t.Fatal(err)
	}
	box := &mailbox{}
	e.step(e.outbox(func(c *outbox.Config) { c.Mailer = box }))
	if len(box.all) != 0 {
		t.Errorf("sent %+v", box.all)
	}
	if d := e.deliveries(r.ID)[0]; d.State != store.Failed || !strings.Contains(d.Tries[0].Error, "removed") {
		t.Errorf("the log says %+v", d)
	}
}
