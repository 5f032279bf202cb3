package smtptest

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Letter is a mail taken apart.
type Letter struct {
	To         string // the bare address of the envelope
	Header     netmail.Header
	Subject    string
	Text, HTML string // with plain line ends
}

// Letter takes a mail apart, and fails the test unless it has exactly the parts
// that each mail has.
func (r Received) Letter(t testing.TB) Letter {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(r.Data))
	if err != nil {
		t.Fatal(err)
	}
	l := Letter{To: between(r.To, "<", ">"), Header: m.Header}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the mail is %s, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	l.Text, l.HTML = part(t, parts, "text/plain"), part(t, parts, "text/html")
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Errorf("a third part, %v", err)
	}
	return l
}

func part(t testing.TB, parts *multipart.Reader, want string) string {
	t.Helper()
	p, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Header.Get("Content-Type"); !strings.HasPrefix(got, want+"; charset=UTF-8") {
		t.Errorf("a part is %q, want %s", got, want)
	}
	b, err := io.ReadAll(quotedprintable.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

func between(s, open, shut string) string {
	_, s, _ = strings.Cut(s, open)
	s, _, _ = strings.Cut(s, shut)
	return s
}

// Links are all addresses that the HTML part leads to or loads, as a mail program
// reads it.
func (l Letter) Links() (out []string) {
	doc, err := html.Parse(strings.NewReader(l.HTML))
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "href", "src", "srcset", "action", "formaction", "background", "data", "poster":
				out = append(out, a.Val)
			}
		}
	}
	return out
}

// Check fails the test unless the mail is as each one has to be: with the headers
// of an automatic mail, each once, readable without HTML, and leading to pages
// below public only.
func (l Letter) Check(t testing.TB, public string) {
	t.Helper()
	for _, name := range []string{"Message-Id", "Date", "From", "To", "Subject", "Auto-Submitted", "Mime-Version", "Content-Type"} {
		if got := l.Header[name]; len(got) != 1 || got[0] == "" {
			t.Errorf("%q: header %s is %q", l.Subject, name, got)
		}
	}
	for _, name := range []string{"Bcc", "Cc", "Reply-To", "X-Evil"} {
		if got := l.Header[name]; got != nil {
			t.Errorf("%q: there is a header %s: %q", l.Subject, name, got)
		}
	}
	if l.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%q: Auto-Submitted is %q", l.Subject, l.Header.Get("Auto-Submitted"))
	}
	if _, err := l.Header.Date(); err != nil {
		t.Errorf("%q: %v", l.Subject, err)
	}
	if to, err := netmail.ParseAddress(l.Header.Get("To")); err != nil || to.Address != l.To {
		t.Errorf("%q: To is %q, the envelope %q", l.Subject, l.Header.Get("To"), l.To)
	}
	if strings.Contains(l.Text, "<p") || strings.Contains(l.Text, "&amp;") || strings.TrimSpace(l.Text) == "" {
		t.Errorf("%q: the plain text is %q", l.Subject, l.Text)
	}
	for _, link := range l.Links() {
		if !strings.HasPrefix(link, public+"/") {
			t.Errorf("%q leads to %q", l.Subject, link)
		}
		if !strings.Contains(l.Text, "\n"+link+"\n") {
			t.Errorf("%q: the plain text has no line %q:\n%s", l.Subject, link, l.Text)
		}
	}
}
