package wire

// Invoice is an invoice as the API answers it. Which fields a facade gets, and
// when one is left out, is said in spec "Invoice data"; none is ever null.
// Times are Unix milliseconds unless they are text (ISO 8601).
type Invoice struct {
	URL             string  `json:"url"`
	ID              string  `json:"id"`
	Status          string  `json:"status"`
	Price           Number  `json:"price"`
	Currency        string  `json:"currency"`
	GUID            string  `json:"guid,omitempty"`
	OrderID         string  `json:"orderId,omitempty"`
	BillID          string  `json:"billId,omitempty"`
	PosData         string  `json:"posData,omitempty"`
	ItemDesc        string  `json:"itemDesc,omitempty"`
	ItemCode        string  `json:"itemCode,omitempty"`
	InvoiceTime     int64   `json:"invoiceTime"`
	ExpirationTime  int64   `json:"expirationTime"`
	CurrentTime     int64   `json:"currentTime"`
	ExceptionStatus FalseOr `json:"exceptionStatus"`
	LowFeeDetected  bool    `json:"lowFeeDetected"`

	// AmountPaid is in the smallest unit of TransactionCurrency.
	AmountPaid          Number `json:"amountPaid"`
	DisplayAmountPaid   string `json:"displayAmountPaid"`
	TransactionCurrency string `json:"transactionCurrency,omitempty"`
	UnderpaidAmount     Number `json:"underpaidAmount,omitempty"`
	OverpaidAmount      Number `json:"overpaidAmount,omitempty"`

	TargetConfirmations int            `json:"targetConfirmations,omitempty"` // merchant
	Transactions        *[]Transaction `json:"transactions,omitempty"`        // merchant
	TransactionSpeed    string         `json:"transactionSpeed,omitempty"`    // merchant
	Buyer               *Buyer         `json:"buyer,omitempty"`               // merchant

	RedirectURL  string `json:"redirectURL,omitempty"`
	CloseURL     string `json:"closeURL,omitempty"`
	AutoRedirect bool   `json:"autoRedirect"`

	RefundAddresses             *[]map[string]RefundAddress `json:"refundAddresses,omitempty"` // merchant
	RefundAddressRequestPending bool                        `json:"refundAddressRequestPending"`
	BuyerProvidedEmail          string                      `json:"buyerProvidedEmail,omitempty"` // merchant
	BuyerProvidedInfo           *BuyerProvidedInfo          `json:"buyerProvidedInfo,omitempty"`

	PaymentSubtotals               map[string]Number            `json:"paymentSubtotals"`
	PaymentTotals                  map[string]Number            `json:"paymentTotals"`
	PaymentDisplayTotals           map[string]string            `json:"paymentDisplayTotals"`
	PaymentDisplaySubTotals        map[string]string            `json:"paymentDisplaySubTotals"`
	ExchangeRates                  map[string]map[string]Number `json:"exchangeRates"`
	MinerFees                      map[string]MinerFee          `json:"minerFees"`
	SupportedTransactionCurrencies map[string]SupportedCurrency `json:"supportedTransactionCurrencies"`
	PaymentCodes                   map[string]map[string]string `json:"paymentCodes"`
	UniversalCodes                 *UniversalCodes              `json:"universalCodes,omitempty"`

	NonPayProPaymentReceived bool     `json:"nonPayProPaymentReceived"`
	JSONPayProRequired       bool     `json:"jsonPayProRequired"`
	BitpayIDRequired         bool     `json:"bitpayIdRequired"`
	IsCancelled              bool     `json:"isCancelled"`
	Shopper                  *Shopper `json:"shopper,omitempty"`      // merchant
	MerchantName             string   `json:"merchantName,omitempty"` // merchant
	ItemizedDetails          []Item   `json:"itemizedDetails"`
	Token                    string   `json:"token,omitempty"`
}

// Transaction is one payment. Amount is in the smallest unit.
type Transaction struct {
	Amount        Number            `json:"amount"`
	Confirmations int64             `json:"confirmations"`
	Time          string            `json:"time"`
	ReceivedTime  string            `json:"receivedTime"`
	Txid          string            `json:"txid"`
	ExRates       map[string]Number `json:"exRates"`
	OutputIndex   int64             `json:"outputIndex"`
}

// Buyer is what the merchant said about the buyer.
type Buyer struct {
	Name       string `json:"name,omitempty"`
	Address1   string `json:"address1,omitempty"`
	Address2   string `json:"address2,omitempty"`
	Locality   string `json:"locality,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	Country    string `json:"country,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Notify     bool   `json:"notify"`
}

// BuyerProvidedInfo is what the buyer said on the checkout page.
type BuyerProvidedInfo struct {
	Name                        string `json:"name,omitempty"`
	PhoneNumber                 string `json:"phoneNumber,omitempty"`
	EmailAddress                string `json:"emailAddress,omitempty"`
	SMS                         string `json:"sms,omitempty"`
	SMSVerified                 *bool  `json:"smsVerified,omitempty"`
	SelectedWallet              string `json:"selectedWallet,omitempty"`
	SelectedTransactionCurrency string `json:"selectedTransactionCurrency,omitempty"`
}

// RefundAddress is how a refund can reach the buyer, keyed by the address.
type RefundAddress struct {
	Type  string `json:"type"`
	Date  string `json:"date"`
	Tag   string `json:"tag,omitempty"`
	Email string `json:"email,omitempty"`
}

// MinerFee is the network cost in one asset; TotalFee is in its smallest unit.
type MinerFee struct {
	SatoshisPerByte int64  `json:"satoshisPerByte"`
	TotalFee        int64  `json:"totalFee"`
	FiatAmount      Number `json:"fiatAmount"`
}

// SupportedCurrency says whether an asset can pay the invoice, and why not.
type SupportedCurrency struct {
	Enabled bool   `json:"enabled"`
	Reason  string `json:"reason,omitempty"`
}

// UniversalCodes are the links a wallet may open.
type UniversalCodes struct {
	PaymentString    string `json:"paymentString"`
	VerificationLink string `json:"verificationLink,omitempty"`
}

// Shopper is the buyer's account, if there were one.
type Shopper struct {
	User string `json:"user,omitempty"`
}

// Item is a line shown to the buyer.
type Item struct {
	Amount      Number `json:"amount"`
	Description string `json:"description"`
	IsFee       bool   `json:"isFee"`
}

// InvoiceRequest is the body of POST /invoices.
type InvoiceRequest struct {
	Token                                  string   `json:"token"`
	Price                                  Number   `json:"price"`
	Currency                               string   `json:"currency"`
	GUID                                   string   `json:"guid,omitempty"`
	OrderID                                string   `json:"orderId,omitempty"`
	ItemDesc                               string   `json:"itemDesc,omitempty"`
	ItemCode                               string   `json:"itemCode,omitempty"`
	PosData                                string   `json:"posData,omitempty"`
	NotificationURL                        string   `json:"notificationURL,omitempty"`
	NotificationEmail                      string   `json:"notificationEmail,omitempty"`
	RedirectURL                            string   `json:"redirectURL,omitempty"`
	CloseURL                               string   `json:"closeURL,omitempty"`
	AutoRedirect                           bool     `json:"autoRedirect,omitempty"`
	TransactionSpeed                       string   `json:"transactionSpeed,omitempty"`
	FullNotifications                      *bool    `json:"fullNotifications,omitempty"`
	ExtendedNotifications                  bool     `json:"extendedNotifications,omitempty"`
	Physical                               bool     `json:"physical,omitempty"`
	Buyer                                  *Buyer   `json:"buyer,omitempty"`
	PaymentCurrencies                      []string `json:"paymentCurrencies,omitempty"`
	AcceptanceWindow                       Number   `json:"acceptanceWindow,omitempty"`
	ForcedBuyerSelectedTransactionCurrency string   `json:"forcedBuyerSelectedTransactionCurrency,omitempty"`
	ForcedBuyerSelectedWallet              string   `json:"forcedBuyerSelectedWallet,omitempty"`
	SelectedTransactionCurrency            string   `json:"selectedTransactionCurrency,omitempty"`
	BitpayIDRequired                       bool     `json:"bitpayIdRequired,omitempty"`
	JSONPayProRequired                     bool     `json:"jsonPayProRequired,omitempty"`
	MerchantName                           string   `json:"merchantName,omitempty"`
	ItemizedDetails                        []Item   `json:"itemizedDetails,omitempty"`
	BuyerEmail                             string   `json:"buyerEmail,omitempty"`
	BuyerSms                               string   `json:"buyerSms,omitempty"`
}

// EventToken is the answer of GET /invoices/{id}/events.
type EventToken struct {
	URL     string   `json:"url"`
	Token   string   `json:"token"`
	Events  []string `json:"events"`
	Actions []string `json:"actions"`
}
