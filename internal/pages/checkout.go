package pages

import (
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/wire"
)

// checkoutPage is what the template of the checkout page reads.
type checkoutPage struct {
	T         *text
	Languages []*text
	Route     route
	State     string // what the script compares, as JSON
	Phase     phase
	Status    string
	Head      string
	Body      string
	Over      string // sentence, empty unless too much was paid

	Merchant, Description string
	Price                 string // with the currency
	Items                 []line
	Rate, Fee             string

	Options   []choice
	CanChoose bool
	Asset     string
	Network   string // the chain's name
	Amount    string // what is to be paid now
	Address   string
	URI       string
	Link      template.URL
	Protocol  template.URL // for a wallet that speaks the payment protocol; empty where none can
	QR        *picture
	ExpiresMS int64
	WindowMS  int64
	NowMS     int64
	ExpiresAt string

	Refunds []refundNews // oldest first

	Have, Need int64
	Steps      []bool // one per confirmation needed

	Redirect, Cancel string // addresses
	Auto             bool
	EmailOpen        bool
	EmailSaved       bool
	Sandbox          bool
	PlayPay          bool
	PlayMine         bool
	PlayLate         bool
	Test             bool // a public test network
	Reload           bool // without a script, the page reloads itself
}

type line struct{ Description, Amount string }

type choice struct {
	Code, Name, Amount string
	Chosen             bool
}

func (p *Pages) checkout(w http.ResponseWriter, r *http.Request) error {
	rt := routeOf(r)
	s, err := p.App.Invoice(r.Context(), rt.ID)
	if err != nil {
		return err
	}
	now := p.Now()
	ph := phaseOf(s.Invoice, now)
	if ph.Payable() {
		if err := p.App.CheckAddresses(r.Context(), s.Invoice); err != nil {
			return err
		}
	}
	if rt.Modal {
		// Shops show it inside their own pages; which ones cannot be known.
		secure(w.Header(), "https: http:")
	}
	m, err := p.model(s, ph, choose(r), rt, now)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Language", m.T.Code)
	w.Header().Set("Vary", "Accept-Language")
	return p.show(w, http.StatusOK, "checkout", m)
}

func routeOf(r *http.Request) route {
	rt := route{ID: r.FormValue("id"), Modal: r.FormValue("view") == "modal"}
	if t, ok := language(r.FormValue("lang")); ok {
		rt.Lang = t.Code
	}
	return rt
}

// shortLink is what the payment codes and the universal link hold. A wallet that
// speaks the payment protocol says so in the headers; everybody else is shown the
// page.
func (p *Pages) shortLink(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Vary", "Accept")
	if p.Wallet != nil && strings.Contains(r.Header.Get("Accept"), wire.PaymentOptionsType) {
		p.Wallet.ServeHTTP(w, r)
		return nil
	}
	http.Redirect(w, r, route{ID: r.PathValue("id")}.String(), http.StatusFound)
	return nil
}

// dashboardPayment is where plugins send the merchant to look at a payment. What may
// be seen without signing in is on the checkout page.
func (p *Pages) dashboardPayment(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, route{ID: r.PathValue("id")}.String(), http.StatusFound)
	return nil
}

func (p *Pages) model(s app.Shown, ph phase, t *text, rt route, now time.Time) (*checkoutPage, error) {
	inv, o := s.Invoice, &s.Terms.Order
	state, err := encodeState(s, now)
	if err != nil {
		return nil, err
	}
	m := &checkoutPage{
		T: t, Languages: languages, Route: rt, State: state, Phase: ph, Status: string(inv.Status),
		Merchant: o.MerchantName, Description: o.ItemDesc, Price: amount(o.Currency, o.Price) + " " + o.Currency,
		ExpiresMS: inv.Expires.UnixMilli(), WindowMS: inv.Expires.Sub(inv.Created).Milliseconds(), NowMS: now.UnixMilli(),
		ExpiresAt: inv.Expires.UTC().Format("15:04 UTC"),
		Cancel:    webLink(o.CloseURL), Redirect: webLink(o.RedirectURL),
		Reload: ph != complete && ph != declined && ph != cancelled,
	}
	for _, it := range o.Items {
		m.Items = append(m.Items, line{it.Description, it.Amount + " " + o.Currency})
	}
	m.Auto = o.AutoRedirect && m.Redirect != "" && ph.Settled()
	m.contact(inv)
	p.sandboxButtons(m, inv)
	if err := p.way(m, inv); err != nil {
		return nil, err
	}
	m.progress(s)
	m.refunds(s, now)
	m.words(inv)
	return m, nil
}

// way fills in how to pay: the asset that is shown, its amount and its code.
func (p *Pages) way(m *checkoutPage, inv *invoice.Invoice) error {
	o := inv.Chosen()
	m.Asset, m.Network = o.Asset, o.Chain
	if c, ok := money.Lookup(o.Chain); ok {
		m.Network = c.Name
	}
	m.Rate = rateLine(inv, o.Asset)
	if !o.Fee.IsZero() {
		m.Fee = amount(o.Asset, o.Fee) + " " + o.Asset
	}
	asset, ok := p.App.Asset(o.Asset)
	if ok {
		m.Test = asset.Network != "main" && !p.Sandbox
	}
	m.Amount = amount(o.Asset, o.Due)
	if !m.Phase.Payable() {
		return nil
	}
	if !ok {
		return fault.New(fault.InvoiceGeneric, "%s is not enabled on this server at present", o.Asset)
	}
	rest := inv.Missing()
	m.Amount, m.Address = amount(o.Asset, rest), o.Address
	m.Link = walletLink(p.Renderer.PaymentURI(inv, o))
	if p.Wallet != nil {
		m.Protocol = walletLink(p.Renderer.ProtocolURI(inv, o))
	}
	// Without the shop's name the code has fewer and larger squares.
	m.URI = asset.Keys.URI(o.Address, rest, "", "")
	m.CanChoose = len(inv.Terms.Options) > 1 && inv.PaymentAsset() == ""
	for i := range inv.Terms.Options {
		m.Options = append(m.Options, option(&inv.Terms.Options[i], o))
	}
	if !asset.Unconfirmed && m.Phase == open {
		m.Body = m.T.BlocksOnly
	}
	var err error
	m.QR, err = draw(m.URI)
	return err
}

func option(o, shown *invoice.Option) choice {
	c := choice{Code: o.Asset, Name: o.Asset, Amount: amount(o.Asset, o.Due), Chosen: o.Asset == shown.Asset}
	if cur, ok := money.Lookup(o.Asset); ok {
		c.Name = cur.Name
	}
	return c
}

func (m *checkoutPage) progress(s app.Shown) {
	if m.Phase != paid && m.Phase != confirmed {
		return
	}
	pr := s.Progress(s.Tips)
	m.Have, m.Need = pr.Have, pr.Need
	for i := range pr.Need {
		m.Steps = append(m.Steps, i < pr.Have)
	}
}

// words fills in the sentences.
func (m *checkoutPage) words(inv *invoice.Invoice) {
	values := wordsOf(inv)
	head, body := m.Phase.words(m.T)
	if m.Body != "" {
		body = m.Body
	}
	m.Head, m.Body = fill(head, values...), fill(body, values...)
	if _, over := inv.Difference(); m.Phase.Settled() && !over.IsZero() {
		m.Over = fill(m.T.OverText, values...)
	}
}

// wordsOf are the words in braces of a phase's sentences.
func wordsOf(inv *invoice.Invoice) []string {
	o := inv.Chosen()
	under, over := inv.Difference()
	return []string{
		"asset", o.Asset, "due", amount(o.Asset, o.Due), "received", amount(o.Asset, inv.Received()),
		"missing", amount(o.Asset, under), "over", amount(o.Asset, over), "merchant", inv.Terms.Order.MerchantName,
	}
}

func (m *checkoutPage) contact(inv *invoice.Invoice) {
	known := inv.Contact() != ""
	m.EmailSaved = known && inv.State.Email != ""
	switch m.Phase {
	case open, partial, paid, expiredPartial, late:
		m.EmailOpen = !known
	}
}

func (p *Pages) sandboxButtons(m *checkoutPage, inv *invoice.Invoice) {
	m.Sandbox = p.Sandbox
	if !p.Sandbox {
		return
	}
	m.PlayPay = m.Phase.Payable()
	m.PlayMine = m.Phase == paid || m.Phase == confirmed
	m.PlayLate = inv.Status == invoice.Expired && !inv.IsCancelled()
}
