package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
)

func TestInvoiceDataIsThePublicView(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	got := w.get("/invoiceData/" + inv.ID + "?poll=false")
	var a struct {
		Invoice struct {
			ID, Status, Currency, BuyerTotalBtcAmount, BitcoinAddress string
			Price                                                     float64
		}
	}
	if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	i := a.Invoice
	if i.ID != inv.ID || i.Status != "new" || i.Price != 20 || i.BuyerTotalBtcAmount != "0.000400" || i.BitcoinAddress != inv.Terms.Options[0].Address {
		t.Errorf("got %s", got.Body)
	}
	if got.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a wallet in a browser may not read it")
	}
}

func TestAWalletSetsCurrencyAndAddress(t *testing.T) {
	w := newWorld(t)
	inv := w.order(func(o *invoice.Order) { o.PaymentCurrencies = nil })
	if got := w.post("/invoiceData/setBuyerSelectedTransactionCurrency", `{"buyerSelectedTransactionCurrency":"LTC","invoiceId":"`+inv.ID+`"}`); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `{"invoice":{`) {
		t.Errorf("currency: %d %s", got.Code, got.Body)
	}
	if got := w.post("/invoiceData/setBuyerProvidedEmail", `{"buyerProvidedEmail":"ada@example.com","invoiceId":"`+inv.ID+`"}`); got.Code != http.StatusOK {
		t.Errorf("address: %d %s", got.Code, got.Body)
	}
	now, err := w.app.Invoice(context.Background(), inv.ID)
	if err != nil || now.State.Asset != "LTC" || now.State.Email != "ada@example.com" {
		t.Errorf("stored %+v, %v", now.State, err)
	}
}

func TestBadInvoiceDataHasADocumentedError(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	id := `"invoiceId":"` + inv.ID + `"`
	for _, c := range []struct{ route, body, code string }{
		{"setBuyerProvidedEmail", ``, "010002"},
		{"setBuyerProvidedEmail", `[]`, "010002"},
		{"setBuyerProvidedEmail", `{} {}`, "010002"},
		{"setBuyerProvidedEmail", `{}`, "010103"},
		{"setBuyerProvidedEmail", `{` + id + `}`, "010103"},
		{"setBuyerProvidedEmail", `{` + id + `,"buyerProvidedEmail":null}`, "010103"},
		{"setBuyerProvidedEmail", `{` + id + `,"buyerProvidedEmail":7}`, "010102"},
		{"setBuyerProvidedEmail", `{` + id + `,"buyerProvidedEmail":"x"}`, "010102"},
		{"setBuyerProvidedEmail", `{"invoiceId":"nope","buyerProvidedEmail":"ada@example.com"}`, "010101"},
		{"setBuyerSelectedTransactionCurrency", `{` + id + `,"buyerSelectedTransactionCurrency":"XYZ"}`, "010102"},
	} {
		got := w.post("/invoiceData/"+c.route, c.body)
		var e struct{ Status, Code, Error, Message string }
		if err := json.Unmarshal(got.Body.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		if got.Code < 400 || got.Code > 499 || e.Status != "error" || e.Code != c.code || e.Error == "" || e.Error != e.Message {
			t.Errorf("%s %s: %d %s", c.route, c.body, got.Code, got.Body)
		}
	}
}

func TestSelectableWallets(t *testing.T) {
	w := newWorld(t)
	if got := w.get("/invoiceData/selectableWallets?returnObject=true"); strings.TrimSpace(got.Body.String()) != `{"data":[]}` {
		t.Errorf("got %s", got.Body)
	}
	w = newWorld(t, func(_ *app.Config, c *Config) { c.Wallets = func() any { return []string{"electrum"} } })
	if got := w.get("/invoiceData/selectableWallets"); strings.TrimSpace(got.Body.String()) != `{"data":["electrum"]}` {
		t.Errorf("got %s", got.Body)
	}
}

func (w *world) post(target, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}
