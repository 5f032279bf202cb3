package wire

// Settlement is one period of a ledger, paid out (GET /settlements/{id}). Times
// are ISO 8601 in UTC, amounts in currency units.
type Settlement struct {
	ID               string          `json:"id"`
	AccountID        string          `json:"accountId"`
	Status           string          `json:"status"` // new, processing, completed or rejected
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
	TotalAmount      Number          `json:"totalAmount"` // OpeningBalance + LedgerEntriesSum - WithholdingsSum
	LedgerEntries    *[]ReportedLine `json:"ledgerEntries,omitempty"`
	Token            string          `json:"token,omitempty"`
}

// PayoutInfo is where a settlement went. Address is that of a wallet, or a bank's
// street. Quittance knows no bank: it sends Label, Name and Address only.
type PayoutInfo struct {
	Label                   string `json:"label,omitempty"`
	Name                    string `json:"name,omitempty"`
	Address                 string `json:"address,omitempty"`
	Bank                    string `json:"bank,omitempty"`
	BankCountry             string `json:"bankCountry,omitempty"`
	BankName                string `json:"bankName,omitempty"`
	BankAddress             string `json:"bankAddress,omitempty"`
	BankAddress2            string `json:"bankAddress2,omitempty"`
	Swift                   string `json:"swift,omitempty"`
	IBAN                    string `json:"iban,omitempty"`
	Account                 string `json:"account,omitempty"`
	Routing                 string `json:"routing,omitempty"` // of US banks, the ABA number
	MerchantEin             string `json:"merchantEin,omitempty"`
	City                    string `json:"city,omitempty"`
	Postal                  string `json:"postal,omitempty"`
	Sort                    string `json:"sort,omitempty"`
	Wire                    bool   `json:"wire,omitempty"`
	AdditionalInformation   string `json:"additionalInformation,omitempty"`
	AccountHolderName       string `json:"accountHolderName,omitempty"`
	AccountHolderAddress    string `json:"accountHolderAddress,omitempty"`
	AccountHolderAddress2   string `json:"accountHolderAddress2,omitempty"`
	AccountHolderPostalCode string `json:"accountHolderPostalCode,omitempty"`
	AccountHolderCity       string `json:"accountHolderCity,omitempty"`
	AccountHolderCountry    string `json:"accountHolderCountry,omitempty"`
}

// Withholding is a part of the balance that a settlement leaves.
type Withholding struct {
	Amount      Number `json:"amount"`
	Code        string `json:"code"` // W005 is what pending refunds need
	Description string `json:"description"`
	Notes       string `json:"notes,omitempty"`
	Label       string `json:"label,omitempty"`
	BankCountry string `json:"bankCountry,omitempty"`
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
	SupportRequest   string            `json:"supportRequest"`
	Currency         string            `json:"currency"`
	RefundRequestEid string            `json:"refundRequestEid,omitempty"`
	Amounts          map[string]Number `json:"amounts"` // by currency, in its units
}
