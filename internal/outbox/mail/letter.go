package mail

import (
	"embed"
	html "html/template"
	"strings"
	text "text/template"
	"unicode/utf8"

	"github.com/quittance/quittance/internal/money"
)

//go:embed letter.txt letter.html
var files embed.FS

var (
	textLetter = text.Must(text.ParseFS(files, "letter.txt"))
	htmlLetter = html.Must(html.ParseFS(files, "letter.html"))
)

// Letter is what a mail says. Every mail of the system is one, written once and
// sent as HTML and as plain text.
type Letter struct {
	Subject  string   // empty: the title
	Title    string   // one sentence without its full stop
	Text     []string // paragraphs
	Rows     []Row
	Link     string // where to go; empty for none
	LinkText string // what that does, in words
	From     string // for whom it is sent; empty for nobody
}

// Row is one line of a letter's table.
type Row struct{ Name, Value string }

// Padded is the name as plain text aligns it.
func (r Row) Padded() string {
	const width = 11
	return r.Name + ":" + strings.Repeat(" ", max(1, width-1-utf8.RuneCountInString(r.Name)))
}

// row adds a line unless it would be empty. It stays one line: else a text that a
// merchant or a buyer chose could look like further lines of ours.
func (l *Letter) row(name, value string) {
	if value = flat(value); value != "" {
		l.Rows = append(l.Rows, Row{name, value})
	}
}

// Message renders the letter, still without sender, recipient and date.
func (l Letter) Message() (Message, error) {
	paragraphs := make([]string, len(l.Text))
	for i, p := range l.Text {
		paragraphs[i] = flat(p)
	}
	l.Title, l.Text, l.From = flat(l.Title), paragraphs, flat(l.From)
	var plain, page strings.Builder
	if err := textLetter.Execute(&plain, l); err != nil {
		return Message{}, err
	}
	if err := htmlLetter.Execute(&page, l); err != nil {
		return Message{}, err
	}
	subject := l.Subject
	if subject == "" {
		subject = l.Title
	}
	return Message{Subject: oneLine(subject), Text: plain.String(), HTML: page.String()}, nil
}

func amount(code string, u money.Units) string {
	if cur, ok := money.Lookup(code); ok {
		return money.Display(cur, u) + " " + code
	}
	return u.String() + " " + code
}

// oneLine makes a text fit for a header: flat, and at most 200 characters.
func oneLine(s string) string {
	s = flat(s)
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200])
	}
	return s
}

// flat takes out of a text what would break its line or turn its direction around.
func flat(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == 0x7f, r == '\u0085', r == '\u2028', r == '\u2029', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
