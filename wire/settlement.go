package wire

// Settlement is one period of a ledger, paid out (GET /settlements/{id}). Times
// are ISO 8601 in UTC, amounts in currency units.
type Settlement struct {
	ID               string          `json:"id"`
	AccountID        string          `json:"accountId"`
	Status           string          `json:"status"`
	Currency         string          `json:"currency"`
	PayoutInfo       PayoutInfo      `json:"payoutInfo"`
	DateCreated      string          `json:"dateCreated"`
	DateExecuted     string          `json:"dateExecuted,omitempty"`
	DateCompleted    string          `json:"dateCompleted,omitempty"`
	OpeningDate      string          `json:"openingDate"`
	ClosingDate      string          `json:"closingDate"`
	OpeningBalance   Number          `json:"openingBalance"`
	LedgerEntriesSum Number          `json:"ledgerEntriesSum"`
	Withholdings     []Withholding   `json:"withholdings"`
	WithholdingsSum  Number          `json:"withholdingsSum"`
	TotalAmount      Number          `json:"totalAmount"`
	LedgerEntries    *[]ReportedLine `json:"ledgerEntries,omitempty"`
	Token            string          `json:"token,omitempty"`
}

// PayoutInfo is where a settlement went.
type PayoutInfo struct {
	Label   string `json:"label,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
}

// Withholding is a part of the balance that a settlement leaves.
type Withholding struct {
	Amount      Number `json:"amount"`
	Code        string `json:"code"`
	Description string `json:"description"`
}

// ReportedLine is one line of a reconciliation report; its amount is in currency
// units.
type ReportedLine struct {
	Code        int64        `json:"code"`
	Amount      Number       `json:"amount"`
	Timestamp   string       `json:"timestamp"`
	Description string       `json:"description,omitempty"`
	InvoiceID   string       `json:"invoiceId,omitempty"`
	Reference   string       `json:"reference,omitempty"`
	InvoiceData *InvoiceData `json:"invoiceData,omitempty"`
}

// InvoiceData is what a reconciliation report says of an invoice.
type InvoiceData struct {
	OrderID             string          `json:"orderId,omitempty"`
	Date                string          `json:"date"`
	Price               Number          `json:"price"`
	Currency            string          `json:"currency"`
	TransactionCurrency string          `json:"transactionCurrency,omitempty"`
	OverpaidAmount      Number          `json:"overpaidAmount,omitempty"`
	PayoutPercentage    map[string]int  `json:"payoutPercentage"`
	RefundInfo          *ReportedRefund `json:"refundInfo,omitempty"`
}

// ReportedRefund is what a reconciliation report says of a refund.
type ReportedRefund struct {
	SupportRequest string            `json:"supportRequest"`
	Currency       string            `json:"currency"`
	Amounts        map[string]Number `json:"amounts"`
}
