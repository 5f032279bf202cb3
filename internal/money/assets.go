package money

// assets are the coins and tokens that exist on the wire. Decimals are those of
// the chain or of the token's contract. A suffix names the chain of a code that
// lives elsewhere too: _m Polygon, _e Ethereum, _arb Arbitrum, _base Base, _op Optimism.
var assets = []Currency{
	coin("BTC", "₿", "Bitcoin", "btc xbt", 8, "21000000"),
	coin("BCH", "Ƀ", "Bitcoin Cash", "bch", 8, "21000000"),
	coin("ETH", "Ξ", "Ether", "eth ethereum", 18, ""),
	coin("LTC", "Ł", "Litecoin", "ltc", 8, "84000000"),
	coin("DOGE", "Ð", "Dogecoin", "doge", 8, ""),
	coin("XRP", "✕", "Ripple", "xrp", 6, "100000000000"),
	on("MATIC", coin("MATIC", "", "Matic", "matic polygon", 18, "10000000000")),
	on("MATIC", coin("POL", "", "Polygon Ecosystem Token", "pol polygon", 18, "")),
	token("MATIC_e", "ETH", "MATIC", "Matic", "", 18, 6),
	token("POL_e", "ETH", "POL", "Polygon Ecosystem Token", "", 18, 6),
	token("ETH_m", "MATIC", "ETH", "Ether", "Ξ", 18, 6),
	on("ARB", parent("ETH", coin("ETH_arb", "Ξ", "Ether", "", 18, ""))),
	on("BASE", parent("ETH", coin("ETH_base", "Ξ", "Ether", "", 18, ""))),
	on("OP", parent("ETH", coin("ETH_op", "Ξ", "Ether", "", 18, ""))),

	token("USDC", "ETH", "", "Circle USD Coin", "$", 6, 2),
	token("USDC_m", "MATIC", "USDC", "Circle USD Coin", "$", 6, 2),
	token("USDC_arb", "ARB", "USDC", "Circle USD Coin", "$", 6, 2),
	token("USDC_base", "BASE", "USDC", "Circle USD Coin", "$", 6, 2),
	token("USDC_op", "OP", "USDC", "Circle USD Coin", "$", 6, 2),
	token("USDT", "ETH", "", "Tether", "₮", 6, 2),
	token("USDT_m", "MATIC", "USDT", "Tether", "₮", 6, 2),
	token("USDT_arb", "ARB", "USDT", "Tether", "₮", 6, 2),
	token("GUSD", "ETH", "", "Gemini US Dollar", "$", 2, 2),
	token("PAX", "ETH", "", "Paxos Standard USD", "$", 18, 2),
	token("BUSD", "ETH", "", "Binance USD", "$", 18, 2),
	token("BUSD_m", "MATIC", "BUSD", "Binance USD", "$", 18, 2),
	token("DAI", "ETH", "", "Dai", "$", 18, 2),
	token("DAI_m", "MATIC", "DAI", "Dai", "$", 18, 2),
	token("PYUSD", "ETH", "", "PayPal USD", "$", 6, 2),
	token("EUROC", "ETH", "", "Circle Euro Coin", "€", 6, 2),
	token("WBTC", "ETH", "", "Wrapped BTC", "₿", 8, 6),
	token("WBTC_m", "MATIC", "WBTC", "Wrapped BTC", "₿", 8, 6),
	least("20000", token("SHIB", "ETH", "", "Shiba Inu", "", 18, 6)),
	least("20000", token("SHIB_m", "MATIC", "SHIB", "Shiba Inu", "", 18, 6)),
	token("APE", "ETH", "", "ApeCoin", "", 18, 6),
}

const coinPrecision = 6

func coin(code, symbol, name, alts string, decimals int, maxSupply string) Currency {
	return Currency{
		Code: code, Symbol: symbol, Name: name, Plural: name, Alts: alts,
		Decimals: decimals, Precision: coinPrecision, Minimum: "0.000006",
		Kind: Coin, Chain: code, MaxSupply: maxSupply,
	}
}

func token(code, chain, parent, name, symbol string, decimals, precision int) Currency {
	minimum := "0.01"
	if precision == coinPrecision {
		minimum = "0.000006"
	}
	return Currency{
		Code: code, Symbol: symbol, Name: name, Plural: name,
		Decimals: decimals, Precision: precision, Minimum: minimum,
		Kind: Token, Chain: chain, Parent: parent,
	}
}

func on(chain string, c Currency) Currency {
	c.Chain = chain
	return c
}

func parent(code string, c Currency) Currency {
	c.Parent = code
	return c
}

func least(minimum string, c Currency) Currency {
	c.Minimum = minimum
	return c
}
