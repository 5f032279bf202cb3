package pages

import (
	"html/template"
	"net/url"
	"regexp"
	"strings"
)

// webLink returns an address of the merchant's if a browser may be sent there,
// else "". Anything but http and https could run a script in our page.
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

var payment = regexp.MustCompile(`^([a-z][a-z0-9+.-]*):[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+$`)

// walletLink marks a payment request as safe for a link. html/template knows
// only the web's own schemes and would replace the others.
func walletLink(uri string) template.URL {
	m := payment.FindStringSubmatch(uri)
	if m == nil {
		return ""
	}
	switch m[1] {
	case "javascript", "data", "vbscript", "http", "https", "file", "blob", "about":
		return ""
	}
	return template.URL(uri) //nolint:gosec // checked above
}

// route is how a page was asked for; its links and forms keep it.
type route struct {
	ID    string
	Modal bool   // inside a shop's page
	Lang  string // asked for explicitly
}

// With is the same page in another language.
func (r route) With(lang string) string { r.Lang = lang; return r.String() }

// String is the address of the page.
func (r route) String() string {
	var b strings.Builder
	b.WriteString("/invoice?id=" + url.QueryEscape(r.ID))
	if r.Modal {
		b.WriteString("&view=modal")
	}
	if r.Lang != "" {
		b.WriteString("&lang=" + url.QueryEscape(r.Lang))
	}
	return b.String()
}
