package invoice

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/money"
)

func TestWhichWebhooksAnOrderAsksFor(t *testing.T) {
	moved := func(s Status) Change { return Change{Kind: Moved, To: s} }
	changes := []struct {
		name   string
		change Change
		code   int64
	}{
		{"paid", moved(Paid), 1003}, {"expired", moved(Expired), 1004}, {"confirmed", moved(Confirmed), 1005},
		{"complete", moved(Complete), 1006}, {"invalid", moved(Invalid), 1013}, {"declined", moved(Declined), 1019},
		{"late", Change{Kind: LatePayment}, 1014}, {"resent", Change{Kind: Resent}, 1012},
		{"payment", Change{Kind: PaymentSeen}, 0}, {"gone", Change{Kind: PaymentGone}, 0},
	}
	const all = "paid expired confirmed complete invalid declined late resent"
	for _, c := range []struct {
		order Order
		want  string
	}{
		{Order{Speed: High}, "confirmed resent"},
		{Order{Speed: Medium}, "confirmed resent"},
		{Order{Speed: Low}, "complete resent"},
		{Order{Speed: High, Full: true}, "paid confirmed complete resent"},
		{Order{Speed: Low, Full: true}, "paid confirmed complete resent"},
		{Order{Speed: Medium, Extended: true}, all},
		{Order{Speed: Low, Full: true, Extended: true}, all},
	} {
		want := map[string]bool{}
		for name := range strings.FieldsSeq(c.want) {
			want[name] = true
		}
		for _, ch := range changes {
			if got := c.order.Tells(ch.change); got != want[ch.name] {
				t.Errorf("speed %s, full %v, extended %v: %s is told: %v", c.order.Speed, c.order.Full, c.order.Extended, ch.name, got)
			}
			if n := ch.change.Notice(); n.Code != ch.code || n.Name == "" {
				t.Errorf("%s is called %+v", ch.name, n)
			}
		}
	}
}

// good is an order that is accepted.
func good() Order {
	return Order{Price: money.NewUnits(1000), Currency: "USD", Speed: Medium}
}

func TestOrdersThatCanBeHonoured(t *testing.T) {
	for i, change := range []func(*Order){
		func(*Order) {},
		func(o *Order) { o.OrderID, o.PosData = strings.Repeat("x", 1024), strings.Repeat("x", 4096) },
		func(o *Order) { o.ItemDesc = "日本語 \u00e4" },
		func(o *Order) { o.NotificationURL = "https://shop.example/ipn?x=1" },
		func(o *Order) { o.RedirectURL, o.CloseURL = "http://shop.example/", "http://localhost:8080/x" },
		func(o *Order) { o.NotificationEmail = "shop@example.com" },
		func(o *Order) { o.Window = MinWindow.Milliseconds() },
		func(o *Order) { o.Window = MaxWindow.Milliseconds() },
		func(o *Order) { o.PaymentCurrencies, o.PresetCurrency = []string{"BTC", "LTC"}, "LTC" },
		func(o *Order) { o.Buyer = &Buyer{Name: "Ada", Email: "ada@example.com"} },
		func(o *Order) { o.Items = make([]Item, 100) },
	} {
		o := good()
		change(&o)
		if err := o.Check(false); err != nil {
			t.Errorf("order %d: %v", i, err)
		}
	}
}

func TestOrdersThatAreRefusedSayWhy(t *testing.T) {
	long := strings.Repeat("x", 4097)
	for _, c := range []struct {
		field  string
		change func(*Order)
	}{
		{"orderId", func(o *Order) { o.OrderID = long[:1025] }},
		{"itemDesc", func(o *Order) { o.ItemDesc = "a\x00b" }},
		{"itemCode", func(o *Order) { o.ItemCode = "\xff" }},
		{"posData", func(o *Order) { o.PosData = long }},
		{"merchantName", func(o *Order) { o.MerchantName = long }},
		{"transactionSpeed", func(o *Order) { o.Speed = "" }},
		{"transactionSpeed", func(o *Order) { o.Speed = "fast" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "http://shop.example/" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "http://127.0.0.1/" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "ftp://shop.example/" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "https://user@shop.example/" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "https:///path" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "https://:443/" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "shop.example" }},
		{"notificationURL", func(o *Order) { o.NotificationURL = "https://shop.example/" + long }},
		{"redirectURL", func(o *Order) { o.RedirectURL = "javascript:alert(1)" }},
		{"closeURL", func(o *Order) { o.CloseURL = "data:text/html,x" }},
		{"notificationEmail", func(o *Order) { o.NotificationEmail = "shop" }},
		{"acceptanceWindow", func(o *Order) { o.Window = MinWindow.Milliseconds() - 1 }},
		{"acceptanceWindow", func(o *Order) { o.Window = MaxWindow.Milliseconds() + 1 }},
		{"acceptanceWindow", func(o *Order) { o.Window = -1 }},
		{"itemizedDetails", func(o *Order) { o.Items = make([]Item, 101) }},
		{"itemizedDetails", func(o *Order) { o.Items = []Item{{Description: long}} }},
		{"paymentCurrencies", func(o *Order) { o.PaymentCurrencies = make([]string, 51) }},
		{"forcedBuyerSelectedTransactionCurrency", func(o *Order) { o.PaymentCurrencies, o.PresetCurrency = []string{"BTC"}, "LTC" }},
		{"buyer.name", func(o *Order) { o.Buyer = &Buyer{Name: long} }},
		{"buyer.phone", func(o *Order) { o.Buyer = &Buyer{Phone: long} }},
		{"buyer.email", func(o *Order) { o.Buyer = &Buyer{Email: "x"} }},
	} {
		o := good()
		c.change(&o)
		err := o.Check(false)
		if !errors.Is(err, fault.InvoiceInvalid) || !strings.Contains(fmt.Sprint(err), c.field) {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	o := good()
	o.NotificationURL = "http://shop.example/"
	if err := o.Check(true); err != nil {
		t.Errorf("plain http where it is allowed: %v", err)
	}
}

func TestTheWindowAndThePresetsOfANewInvoice(t *testing.T) {
	o := good()
	open := func() *Invoice {
		return Open("i", "m", "t", "r", "g", o, []Option{{Asset: "BTC"}}, Lock{}, t0)
	}
	if inv := open(); !inv.Expires.Equal(after(15)) || inv.Status != New || inv.State.Asset != "" {
		t.Errorf("%+v", inv)
	}
	o.Window, o.PaymentCurrencies, o.PresetWallet = (20 * time.Minute).Milliseconds(), []string{"BTC"}, "electrum"
	if inv := open(); !inv.Expires.Equal(after(20)) || inv.State.Asset != "BTC" || inv.State.Wallet != "electrum" {
		t.Errorf("%+v", inv)
	}
}
