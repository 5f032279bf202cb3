package rate

import "time"

// Fixed is the table of the sandbox: plausible round values for every currency
// there is, so that any invoice can be made, and the same ones every time. It
// never expires.
func Fixed(now time.Time) *Table {
	t := newTable(now)
	for code, usd := range fixedAssets {
		t.set(code, MustParse(usd))
	}
	for code, perDollar := range fixedFiats {
		t.set(code, MustParse(perDollar).Inverse())
	}
	return t
}

func (t *Table) set(code string, usd Rate) {
	key, ok := keyOf(code)
	if !ok {
		panic("rate: no such currency: " + code)
	}
	e := entry{usd: usd, at: t.at, sources: []string{"fixed"}}
	t.entries[key], t.last[key] = e, e
	t.priced++
}

// Static is a table of given values, in US dollars per one unit of each code;
// it is for tests and never expires. Unknown codes panic.
func Static(now time.Time, usd map[string]Rate) *Table {
	t := newTable(now)
	for code, value := range usd {
		t.set(code, value)
	}
	return t
}

// fixedAssets are US dollars per one.
var fixedAssets = map[string]string{
	"BTC": "50000", "BCH": "400", "ETH": "2500", "LTC": "80", "DOGE": "0.1", "XRP": "0.5",
	"POL": "0.4", "USDC": "1", "USDT": "1", "GUSD": "1", "PAX": "1", "BUSD": "1", "DAI": "1",
	"PYUSD": "1", "EUROC": "1.1", "WBTC": "49950", "SHIB": "0.00001", "APE": "1.25",
}

// fixedFiats are units per one US dollar.
var fixedFiats = map[string]string{
	"AED": "3.6725", "AFN": "70", "ALL": "90", "AMD": "390", "AOA": "900", "ARS": "1000",
	"AUD": "1.5", "AWG": "1.79", "AZN": "1.7", "BAM": "1.778", "BBD": "2", "BDT": "120",
	"BHD": "0.376", "BIF": "2900", "BMD": "1", "BND": "1.35", "BOB": "6.9", "BOV": "2.7",
	"BRL": "5.5", "BSD": "1", "BTN": "84", "BWP": "13.5", "BYN": "3.25", "BZD": "2",
	"CAD": "1.35", "CDF": "2800", "CHE": "0.88", "CHF": "0.88", "CHW": "0.88", "CLF": "0.024",
	"CLP": "920", "CNY": "7.2", "COP": "4200", "COU": "11", "CRC": "510", "CUP": "24",
	"CVE": "100.25", "CZK": "23", "DJF": "177.721", "DKK": "6.8", "DOP": "60", "DZD": "134",
	"EGP": "48", "ERN": "15", "ETB": "120", "EUR": "0.90909090909090909", "FJD": "2.25", "FKP": "0.78",
	"GBP": "0.78", "GEL": "2.7", "GHS": "15.5", "GIP": "0.78", "GMD": "70", "GNF": "8600",
	"GTQ": "7.75", "GYD": "209", "HKD": "7.8", "HNL": "25", "HTG": "131", "HUF": "360",
	"IDR": "15800", "ILS": "3.7", "INR": "84", "IQD": "1310", "IRR": "42000", "ISK": "138",
	"JMD": "157", "JOD": "0.709", "JPY": "150", "KES": "129", "KGS": "86", "KHR": "4080",
	"KMF": "447", "KPW": "900", "KRW": "1350", "KWD": "0.307", "KYD": "0.833", "KZT": "480",
	"LAK": "22000", "LBP": "89500", "LKR": "300", "LRD": "193", "LSL": "17.75", "LYD": "4.8",
	"MAD": "9.8", "MDL": "17.75", "MGA": "4550", "MKD": "56", "MMK": "2100", "MNT": "3390",
	"MOP": "8.03", "MRU": "39.75", "MUR": "46", "MVR": "15.4", "MWK": "1735", "MXN": "19.5",
	"MXV": "2.35", "MYR": "4.4", "MZN": "63.9", "NAD": "17.75", "NGN": "1600", "NIO": "36.8",
	"NOK": "10.75", "NPR": "134.4", "NZD": "1.65", "OMR": "0.3845", "PAB": "1", "PEN": "3.75",
	"PGK": "3.95", "PHP": "57", "PKR": "278", "PLN": "3.9", "PYG": "7700", "QAR": "3.64",
	"RON": "4.52", "RSD": "106.5", "RUB": "95", "RWF": "1350", "SAR": "3.75", "SBD": "8.35",
	"SCR": "13.6", "SDG": "600", "SEK": "10.5", "SGD": "1.35", "SHP": "0.78", "SLE": "22.6",
	"SOS": "571", "SRD": "33", "SSP": "130", "STN": "22.3", "SVC": "8.75", "SYP": "13000",
	"SZL": "17.75", "THB": "34", "TJS": "10.65", "TMT": "3.5", "TND": "3.1", "TOP": "2.35",
	"TRY": "34", "TTD": "6.78", "TWD": "32", "TZS": "2700", "UAH": "41", "UGX": "3680",
	"UYI": "6.6", "UYU": "41", "UYW": "0.22", "UZS": "12800", "VED": "40", "VES": "40",
	"VND": "25000", "VUV": "119", "WST": "2.72", "XAF": "596", "XCD": "2.7", "XCG": "1.79",
	"XOF": "596", "XPF": "108.5", "YER": "250", "ZAR": "17.75", "ZMW": "26.5", "ZWG": "25",
}
