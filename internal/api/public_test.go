package api

import (
	"encoding/json"
	"strings"
	"testing"
)

func byKey(list []any, key string) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, v := range list {
		o := v.(map[string]any)
		out[o[key].(string)] = o
	}
	return out
}

func TestRates(t *testing.T) {
	w := newWorld(t)
	all := w.till.do("GET", "/rates", nil)
	rates := byKey(all.list(), "code")
	want(t, rates["USD"], fields{"code": "USD", "name": "US Dollar", "rate": 50000})
	want(t, rates["BTC"], fields{"code": "BTC", "name": "Bitcoin", "rate": 1})
	for _, code := range []string{"BCH", "ETH", "EUR", "JPY", "USDC_m"} {
		if rates[code] == nil {
			t.Errorf("%s is missing", code)
		}
	}
	if len(rates) < 150 || len(rates) != len(all.list()) {
		t.Errorf("%d rates, %d of them different", len(all.list()), len(rates))
	}
	if _, there := all.body["facade"]; there {
		t.Error("rates have no facade")
	}
	bch := byKey(w.till.do("GET", "/rates/bch", nil).list(), "code")
	want(t, bch["USD"], fields{"rate": 400})
	want(t, bch["BCH"], fields{"rate": 1})
	want(t, w.till.do("GET", "/rates/BTC/USD", nil).ok(), fields{"code": "USD", "name": "US Dollar", "rate": 50000})
	want(t, w.till.do("GET", "/rates/eth/btc", nil).ok(), fields{"code": "BTC", "rate": json.Number("0.05")})
	for _, code := range []string{"BTC", "BCH", "ETH", "XRP", "DOGE", "LTC"} {
		w.till.do("GET", "/rates/"+code, nil).list()
	}
	for code, r := range byKey(w.till.do("GET", "/rates/SHIB", nil).list(), "code") {
		if strings.ContainsAny(r["rate"].(json.Number).String(), "eE") {
			t.Errorf("the rate in %s has an exponent: %v", code, r["rate"])
		}
	}
}

func TestCurrencies(t *testing.T) {
	w := newWorld(t)
	list := w.till.do("GET", "/currencies", nil).list()
	cur := byKey(list, "code")
	want(t, cur["BTC"], fields{"code": "BTC", "name": "Bitcoin", "plural": "Bitcoin", "precision": 6, "decimals": 8, "minimum": json.Number("0.000006"), "sanctioned": false, "chain": "BTC", "parent": nil})
	want(t, cur["USD"], fields{"name": "US Dollar", "precision": 2, "decimals": 2, "minimum": json.Number("0.01"), "chain": nil})
	want(t, cur["JPY"], fields{"decimals": 0})
	want(t, cur["USDC_m"], fields{"parent": "USDC", "chain": "MATIC", "decimals": 6, "precision": 2})
	want(t, cur["ETH"], fields{"decimals": 18})
	want(t, cur["GUSD"], fields{"decimals": 2})
	want(t, cur["SHIB"], fields{"minimum": 20000})
	for _, code := range []string{"BDT", "BOB", "CUP", "IRR", "KGS", "KPW", "SDG", "SYP"} {
		want(t, cur[code], fields{"sanctioned": true})
	}
	fiat := 0
	for _, c := range cur {
		if c["chain"] == nil {
			fiat++
		}
	}
	if fiat < 150 || len(cur) != len(list) {
		t.Errorf("%d fiat currencies in %d rows, %d of them different", fiat, len(list), len(cur))
	}
}

func TestWallets(t *testing.T) {
	w := newWorld(t)
	list := w.till.do("GET", "/supportedwallets", nil).list()
	// One SDK parses the first only, by a schema in which collapsed is a text.
	first := list[0].(map[string]any)
	for _, c := range first["currencies"].([]any) {
		if _, there := c.(map[string]any)["qr"].(map[string]any)["collapsed"]; there {
			t.Error("the first wallet has qr.collapsed")
		}
	}
	wallets := byKey(list, "key")
	want(t, wallets["electrum"], fields{"displayName": "Electrum", "lightning": true, "invoiceDefault": "BTC", "payPro": false})
	want(t, wallets["bitpay"], fields{"payPro": false, "invoiceDefault": nil}) // the payment protocol is not served
	for key, wallet := range wallets {
		for code := range byKey(wallet["currencies"].([]any), "code") {
			if code != "BTC" {
				t.Errorf("%s is said to pay in %s, which is not taken", key, code)
			}
		}
	}
	if wallets["electronCash"] != nil {
		t.Error("a wallet is listed that can pay nothing")
	}
}
