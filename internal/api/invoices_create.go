package api

import (
	"strings"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
)

const maxGUID = 128

// postInvoice makes an invoice: POST /invoices. Fields that are not named here
// (status, id, url, universalCodes …) are ignored.
func (s *Server) postInvoice(c *call) (any, error) {
	in, err := readInvoice(c)
	if err != nil {
		return nil, err
	}
	in.Merchant, in.Token = c.merchant, c.token
	inv, err := s.App.CreateInvoice(c.r.Context(), in)
	if err != nil {
		return nil, err
	}
	if inv.Version > 0 { // made earlier under the same guid: it may have payments by now
		return s.getByID(c, inv.ID)
	}
	// Its addresses were derived, or checked, a moment ago.
	return c.envelope(s.Renderer.Invoice(app.Shown{Invoice: inv}, c.facade, s.App.Now())), nil
}

func readInvoice(c *call) (app.NewInvoice, error) {
	f := &fieldReader{o: c.fields, code: c.invalid()}
	in := app.NewInvoice{Price: f.number("price"), GUID: f.text("guid"), Email: f.text("buyerEmail"), SMS: f.text("buyerSms")}
	extended := f.flag("extendedNotifications")
	in.Order = invoice.Order{
		Currency: f.text("currency"), OrderID: f.text("orderId"), ItemDesc: f.text("itemDesc"), ItemCode: f.text("itemCode"),
		PosData: f.text("posData"), NotificationURL: f.text("notificationURL"), NotificationEmail: f.text("notificationEmail"),
		RedirectURL: f.text("redirectURL"), CloseURL: f.text("closeURL"), AutoRedirect: f.flag("autoRedirect"),
		Speed: invoice.Speed(strings.ToLower(f.text("transactionSpeed"))), Full: f.flagOr("fullNotifications", true) || extended, Extended: extended,
		Physical: f.flag("physical"), PaymentCurrencies: codes(f.texts("paymentCurrencies")), Window: min(f.whole("acceptanceWindow"), invoice.MaxWindow.Milliseconds()),
		PresetCurrency: preset(f), PresetWallet: f.text("forcedBuyerSelectedWallet"), MerchantName: f.text("merchantName"),
		JSONPayPro: f.flag("jsonPayProRequired"), BitpayID: f.flag("bitpayIdRequired"),
	}
	in.Order.Buyer, in.Order.Items = readBuyer(f), readItems(f)
	switch {
	case f.err != nil:
		return in, f.err
	case in.Price == "":
		return in, fault.Missing(c.missing(), "price")
	case in.Order.Currency == "":
		return in, fault.Missing(c.missing(), "currency")
	case len(in.GUID) > maxGUID:
		return in, fault.Invalid(c.invalid(), "guid", "at most %d bytes", maxGUID)
	case len(in.Order.PresetWallet) > maxGUID:
		return in, fault.Invalid(c.invalid(), "forcedBuyerSelectedWallet", "at most %d bytes", maxGUID)
	case in.Order.Window < 0:
		return in, fault.Invalid(c.invalid(), "acceptanceWindow", "must not be negative")
	}
	return in, nil
}

func preset(f *fieldReader) string {
	if forced := f.text("forcedBuyerSelectedTransactionCurrency"); forced != "" {
		return canonical(forced)
	}
	return canonical(f.text("selectedTransactionCurrency"))
}

// canonical is a currency's code as the table spells it; unknown ones stay.
func canonical(code string) string {
	if cur, ok := money.Lookup(code); ok {
		return cur.Code
	}
	return code
}

func codes(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, canonical(s))
		}
	}
	return out
}

func readBuyer(f *fieldReader) *invoice.Buyer {
	o, err := f.o.object(f.code, "buyer")
	f.keep(err)
	if len(o) == 0 {
		return nil
	}
	b := &fieldReader{o: o, code: f.code, prefix: "buyer."}
	buyer := &invoice.Buyer{
		Name: b.text("name"), Address1: b.text("address1"), Address2: b.text("address2"), Locality: b.text("locality"),
		Region: b.text("region"), PostalCode: b.text("postalCode"), Country: b.text("country"), Email: b.text("email"),
		Phone: b.text("phone"), Notify: b.flag("notify"),
	}
	f.keep(b.err)
	if *buyer == (invoice.Buyer{}) {
		return nil
	}
	return buyer
}

func readItems(f *fieldReader) []invoice.Item {
	list, err := f.o.list(f.code, "itemizedDetails")
	f.keep(err)
	var items []invoice.Item
	for _, v := range list {
		o, ok := v.(object)
		if !ok {
			f.keep(fault.Invalid(f.code, "itemizedDetails", "expected a list of objects"))
			return nil
		}
		r := &fieldReader{o: o, code: f.code, prefix: "itemizedDetails."}
		it := invoice.Item{Amount: r.number("amount"), Description: r.text("description"), IsFee: r.flag("isFee") || r.flag("IsFee")}
		if it.Amount == "" {
			it.Amount = "0"
		}
		f.keep(r.err)
		items = append(items, it)
	}
	return items
}
