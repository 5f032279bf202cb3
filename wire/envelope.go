package wire

// Envelope wraps every answer about resources.
type Envelope struct {
	Facade string `json:"facade,omitempty"`
	Data   any    `json:"data"`
}

// Error is the body of every refusal: the superset that all official SDKs read.
type Error struct {
	Status  string       `json:"status"` // always "error"
	Code    string       `json:"code"`   // six digits
	Data    any          `json:"data"`   // always null
	Error   string       `json:"error"`
	Message string       `json:"message"` // the same text
	Errors  []ParamError `json:"errors,omitempty"`
}

// ParamError names one bad field of a request.
type ParamError struct {
	Error string `json:"error"`
	Param string `json:"param"`
}

// TokenRequest is the body of POST /tokens.
type TokenRequest struct {
	ID          string `json:"id"`
	Facade      string `json:"facade,omitempty"`
	PairingCode string `json:"pairingCode,omitempty"`
	Label       string `json:"label,omitempty"`
	GUID        string `json:"guid,omitempty"`
}

// Token is an API token as POST /tokens answers it. Times are Unix milliseconds.
type Token struct {
	Policies          []Policy `json:"policies"`
	Token             string   `json:"token"`
	Facade            string   `json:"facade"`
	Label             string   `json:"label,omitempty"`
	DateCreated       int64    `json:"dateCreated"`
	PairingExpiration int64    `json:"pairingExpiration,omitempty"`
	PairingCode       string   `json:"pairingCode,omitempty"`
}

// Policy says what a token asks of a request.
type Policy struct {
	Policy string   `json:"policy"`
	Method string   `json:"method"`
	Params []string `json:"params"`
}

// Rate is how many units of Code one unit of the base is worth.
type Rate struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Rate Number `json:"rate"`
}

// Currency is a row of GET /currencies.
type Currency struct {
	Code       string  `json:"code"`
	Symbol     *string `json:"symbol,omitempty"`
	Name       string  `json:"name"`
	Plural     string  `json:"plural"`
	Precision  int     `json:"precision"`
	Decimals   int     `json:"decimals"`
	Alts       string  `json:"alts"`
	Minimum    Number  `json:"minimum"`
	Sanctioned bool    `json:"sanctioned"`
	Chain      string  `json:"chain,omitempty"`
	Parent     string  `json:"parent,omitempty"`
	MaxSupply  Number  `json:"maxSupply,omitempty"`
}

// Wallet is a row of GET /supportedwallets.
type Wallet struct {
	Key            string           `json:"key"`
	DisplayName    string           `json:"displayName"`
	Avatar         string           `json:"avatar"`
	Image          string           `json:"image,omitempty"`
	PayPro         bool             `json:"payPro"`
	UniCode        string           `json:"uniCode,omitempty"`
	OffChainMode   bool             `json:"offChainMode,omitempty"`
	Lightning      bool             `json:"lightning,omitempty"`
	InvoiceDefault string           `json:"invoiceDefault,omitempty"` // the currency preselected with it
	Currencies     []WalletCurrency `json:"currencies"`
}

// WalletCurrency is one asset a wallet can pay with.
type WalletCurrency struct {
	Code          string   `json:"code"`
	Image         string   `json:"image"`
	PayPro        bool     `json:"payPro,omitempty"`
	P2P           bool     `json:"p2p,omitempty"`
	DappBrowser   bool     `json:"dappBrowser,omitempty"`
	WalletConnect bool     `json:"walletConnect,omitempty"`
	QR            WalletQR `json:"qr"`
}

// WalletQR is the form of the code a wallet scans.
type WalletQR struct {
	Type      string `json:"type"`
	Collapsed *bool  `json:"collapsed,omitempty"`
}

// WebhookEvent names what an extended webhook tells.
type WebhookEvent struct {
	Code int64  `json:"code"`
	Name string `json:"name"`
}

// Webhook is the extended form of a webhook's body; the standard form is Data alone.
type Webhook struct {
	Event WebhookEvent `json:"event"`
	Data  any          `json:"data"`
}

// InvoiceNotice is what a webhook says about an invoice.
type InvoiceNotice struct {
	ID                  string                       `json:"id"`
	URL                 string                       `json:"url"`
	PosData             string                       `json:"posData,omitempty"`
	Status              string                       `json:"status"`
	Price               Number                       `json:"price"`
	Currency            string                       `json:"currency"`
	InvoiceTime         int64                        `json:"invoiceTime"`
	ExpirationTime      int64                        `json:"expirationTime"`
	CurrentTime         int64                        `json:"currentTime"`
	ExceptionStatus     FalseOr                      `json:"exceptionStatus"`
	BuyerFields         BuyerFields                  `json:"buyerFields"`
	PaymentSubtotals    map[string]Number            `json:"paymentSubtotals"`
	PaymentTotals       map[string]Number            `json:"paymentTotals"`
	ExchangeRates       map[string]map[string]Number `json:"exchangeRates"`
	AmountPaid          Number                       `json:"amountPaid"`
	OrderID             string                       `json:"orderId,omitempty"`
	TransactionCurrency string                       `json:"transactionCurrency,omitempty"`
}

// BuyerFields is the buyer in a webhook. BuyerNotify is always sent, so that the
// object is never empty: PHP receivers turn an empty one into a list.
type BuyerFields struct {
	BuyerName     string `json:"buyerName,omitempty"`
	BuyerAddress1 string `json:"buyerAddress1,omitempty"`
	BuyerAddress2 string `json:"buyerAddress2,omitempty"`
	BuyerCity     string `json:"buyerCity,omitempty"`
	BuyerState    string `json:"buyerState,omitempty"`
	BuyerZip      string `json:"buyerZip,omitempty"`
	BuyerCountry  string `json:"buyerCountry,omitempty"`
	BuyerPhone    string `json:"buyerPhone,omitempty"`
	BuyerNotify   bool   `json:"buyerNotify"`
	BuyerEmail    string `json:"buyerEmail,omitempty"`
}
