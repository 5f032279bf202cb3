package api

// walletData is one wallet of the static list behind GET /supportedwallets
// (wire spec, section 9). Images are named, not addressed: the handler adds the
// address of this server.
type walletData struct {
	key            string
	displayName    string
	avatar         string // file name
	payPro         bool   // speaks the JSON payment protocol
	uniCode        string // prefix of its deep link; empty if it has none
	invoiceDefault string // currency preselected with this wallet; may be empty
	lightning      bool
	offChainMode   bool // an account at a company rather than keys of the payer
	currencies     []walletCurrency
}

// walletCurrency is how a wallet pays in one currency. The handler leaves out
// currencies that are not enabled.
type walletCurrency struct {
	code          string
	qrType        string // BIP72b, EIP681, EIP681b or ADDRESS
	collapsed     bool   // the QR code is shown on demand only
	payPro        bool
	p2p           bool // pays an address without the payment protocol
	dappBrowser   bool
	walletConnect bool
}

// wallets is the list in the order of the wire. BitPay's Node SDK reads the
// first wallet only, with a schema that refuses a boolean qr.collapsed: the
// first one has none (live behaviour, Node 6).
var wallets = []walletData{
	{
		key: "bitpay", displayName: "BitPay", avatar: "bitpay-wallet.png", payPro: true,
		currencies: append(payProCoins("BTC", "BCH", "LTC", "DOGE", "XRP"),
			payProTokens("ETH", "USDC", "USDT", "GUSD", "PAX", "BUSD", "DAI", "PYUSD", "EUROC",
				"WBTC", "SHIB", "APE", "MATIC", "ETH_m", "USDC_m", "USDT_m", "DAI_m", "WBTC_m")...),
	},
	{
		key: "copay", displayName: "Copay", avatar: "copay-wallet.svg", payPro: true,
		currencies: append(payProCoins("BTC", "BCH", "LTC", "DOGE", "XRP"),
			payProTokens("ETH", "USDC", "GUSD", "PAX", "BUSD", "DAI", "WBTC")...),
	},
	{
		key: "edge", displayName: "Edge", avatar: "edge-wallet.svg", payPro: true,
		currencies: append(payProCoins("BTC", "BCH", "LTC", "DOGE", "XRP"),
			payProTokens("ETH", "USDC", "DAI")...),
	},
	{
		key: "electrum", displayName: "Electrum", avatar: "electrum-wallet.svg",
		invoiceDefault: "BTC", lightning: true,
		currencies: byAddress("BTC"),
	},
	{
		key: "bluewallet", displayName: "BlueWallet", avatar: "bluewallet.svg",
		uniCode: "bluewallet:", invoiceDefault: "BTC", lightning: true,
		currencies: byAddress("BTC"),
	},
	{
		key: "sparrow", displayName: "Sparrow", avatar: "sparrow-wallet.svg", invoiceDefault: "BTC",
		currencies: byAddress("BTC"),
	},
	{
		key: "phoenix", displayName: "Phoenix", avatar: "phoenix-wallet.svg",
		uniCode: "phoenix:", invoiceDefault: "BTC", lightning: true,
		currencies: byAddress("BTC"),
	},
	{
		key: "electronCash", displayName: "Electron Cash", avatar: "electron-cash.svg", invoiceDefault: "BCH",
		currencies: byAddress("BCH"),
	},
	{
		key: "exodus", displayName: "Exodus", avatar: "exodus-wallet.svg",
		currencies: append(byAddress("BTC", "BCH", "LTC", "DOGE", "XRP"),
			byDapp(false, "ETH", "USDC", "USDT", "DAI", "MATIC", "USDC_m")...),
	},
	{
		key: "trust", displayName: "Trust Wallet", avatar: "trust-wallet.svg",
		currencies: append(byAddress("BTC", "BCH", "LTC", "DOGE", "XRP"),
			byDapp(true, "ETH", "USDC", "USDT", "DAI", "WBTC", "SHIB", "APE", "MATIC", "USDC_m", "USDT_m")...),
	},
	{
		key: "metamask", displayName: "MetaMask", avatar: "metamask.svg",
		uniCode: "https://metamask.app.link/dapp/", invoiceDefault: "ETH",
		currencies: byDapp(true, "ETH", "USDC", "USDT", "GUSD", "PAX", "BUSD", "DAI", "PYUSD", "EUROC",
			"WBTC", "SHIB", "APE", "MATIC", "ETH_m", "USDC_m", "USDT_m", "DAI_m"),
	},
	{
		key: "ledger", displayName: "Ledger Live", avatar: "ledger-live.svg", uniCode: "ledgerlive:",
		currencies: append(byAddress("BTC", "BCH", "LTC", "DOGE", "XRP"),
			byDapp(false, "ETH", "USDC", "USDT", "DAI", "MATIC")...),
	},
	{
		key: "trezor", displayName: "Trezor Suite", avatar: "trezor-suite.svg",
		currencies: append(byAddress("BTC", "BCH", "LTC", "DOGE", "XRP"),
			byDapp(false, "ETH", "USDC", "USDT", "DAI")...),
	},
	{
		key: "squareCash", displayName: "Cash App", avatar: "square-cash-app.svg",
		invoiceDefault: "BTC", lightning: true, offChainMode: true,
		currencies: collapsed(byAddress("BTC")),
	},
	{
		key: "coinbase", displayName: "Coinbase", avatar: "coinbase.svg", offChainMode: true,
		currencies: collapsed(byAddress("BTC", "BCH", "LTC", "DOGE", "XRP", "ETH", "USDC", "USDT", "DAI")),
	},
	{
		key: "kraken", displayName: "Kraken", avatar: "kraken.svg", offChainMode: true, lightning: true,
		currencies: collapsed(byAddress("BTC", "BCH", "LTC", "DOGE", "XRP", "ETH", "USDC", "USDT", "DAI")),
	},
}

// payProCoins are paid by payment protocol link, or straight to the address.
func payProCoins(codes ...string) []walletCurrency {
	return each(codes, walletCurrency{qrType: "BIP72b", payPro: true, p2p: true})
}

// payProTokens are the same on chains with accounts: EIP681 for the coin of the
// chain, EIP681b for all else.
func payProTokens(codes ...string) []walletCurrency {
	return accounts(codes, walletCurrency{payPro: true})
}

// byDapp pays from the browser inside the wallet, if it has one, or by
// WalletConnect.
func byDapp(browser bool, codes ...string) []walletCurrency {
	return accounts(codes, walletCurrency{p2p: true, dappBrowser: browser, walletConnect: true})
}

func byAddress(codes ...string) []walletCurrency {
	return each(codes, walletCurrency{qrType: "ADDRESS", p2p: true})
}

func accounts(codes []string, like walletCurrency) []walletCurrency {
	list := each(codes, like)
	for i := range list {
		list[i].qrType = "EIP681b"
		if code := list[i].code; code == "ETH" || code == "MATIC" {
			list[i].qrType = "EIP681"
		}
	}
	return list
}

func each(codes []string, like walletCurrency) []walletCurrency {
	list := make([]walletCurrency, len(codes))
	for i, code := range codes {
		list[i] = like
		list[i].code = code
	}
	return list
}

func collapsed(list []walletCurrency) []walletCurrency {
	for i := range list {
		list[i].collapsed = true
	}
	return list
}
