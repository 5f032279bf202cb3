package wire

// Refund is money that goes back to a buyer (GET /refunds/{id}). Times are
// ISO 8601 in UTC.
type Refund struct {
	ID                     string `json:"id"`
	GUID                   string `json:"guid"`
	Invoice                string `json:"invoice"`
	Reference              string `json:"reference,omitempty"`
	Status                 string `json:"status"` // preview, created, pending, success, failure or canceled
	Amount                 Number `json:"amount"`
	Currency               string `json:"currency"`
	RefundFee              Number `json:"refundFee"`
	TransactionCurrency    string `json:"transactionCurrency"`
	TransactionAmount      Number `json:"transactionAmount"`
	TransactionRefundFee   Number `json:"transactionRefundFee"`
	Immediate              bool   `json:"immediate"`
	BuyerPaysRefundFee     bool   `json:"buyerPaysRefundFee"`
	RequestDate            string `json:"requestDate"`
	LastRefundNotification string `json:"lastRefundNotification,omitempty"`
	SupportRequest         string `json:"supportRequest,omitempty"`
	RefundAddress          string `json:"refundAddress,omitempty"`
	Txid                   string `json:"txid,omitempty"`
	Type                   string `json:"type,omitempty"` // full, overpayment, underpayment or late; empty for a part
	NotificationURL        string `json:"notificationURL,omitempty"`
	Token                  string `json:"token,omitempty"`
}

// RefundRequest is the body of POST /refunds.
type RefundRequest struct {
	Token              string `json:"token"`
	InvoiceID          string `json:"invoiceId"`
	Amount             Number `json:"amount"`             // in the invoice's currency
	Currency           string `json:"currency,omitempty"` // if given, the invoice's
	Preview            bool   `json:"preview,omitempty"`
	Immediate          bool   `json:"immediate,omitempty"`
	BuyerPaysRefundFee bool   `json:"buyerPaysRefundFee,omitempty"`
	Reference          string `json:"reference,omitempty"`
	GUID               string `json:"guid,omitempty"`
}

// Balance is one ledger of GET /ledgers.
type Balance struct {
	Currency string `json:"currency"`
	Balance  Number `json:"balance"` // in currency units
}

// LedgerEntry is one line of GET /ledgers/{currency}.
type LedgerEntry struct {
	Type                string       `json:"type"`
	Code                int64        `json:"code"`
	Amount              Number       `json:"amount"` // signed; to be divided by Scale
	Scale               int64        `json:"scale"`
	Timestamp           string       `json:"timestamp"`
	ID                  string       `json:"id"`
	TxType              string       `json:"txType"`
	Description         string       `json:"description,omitempty"`
	Currency            string       `json:"currency,omitempty"`
	SupportRequest      string       `json:"supportRequest,omitempty"`
	InvoiceID           string       `json:"invoiceId,omitempty"`
	BuyerFields         *BuyerFields `json:"buyerFields,omitempty"`
	InvoiceAmount       Number       `json:"invoiceAmount,omitempty"`
	InvoiceCurrency     string       `json:"invoiceCurrency,omitempty"`
	TransactionCurrency string       `json:"transactionCurrency,omitempty"`
}
