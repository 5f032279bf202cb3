package wire

// Payout is money to a recipient (GET /payouts/{id}). Times are ISO 8601 in UTC.
type Payout struct {
	ID                string                       `json:"id"`
	AccountID         string                       `json:"accountId"`
	RecipientID       string                       `json:"recipientId"`
	ShopperID         string                       `json:"shopperId,omitempty"`
	Email             string                       `json:"email"`
	Amount            Number                       `json:"amount"`
	Price             Number                       `json:"price,omitempty"` // in webhooks only: the same amount, where SDKs look for it
	Currency          string                       `json:"currency"`
	LedgerCurrency    string                       `json:"ledgerCurrency"`
	ExchangeRates     map[string]map[string]Number `json:"exchangeRates,omitempty"`
	Reference         string                       `json:"reference,omitempty"`
	Label             string                       `json:"label,omitempty"`
	NotificationURL   string                       `json:"notificationURL,omitempty"`
	NotificationEmail string                       `json:"notificationEmail,omitempty"`
	Message           string                       `json:"message,omitempty"` // why it failed
	Code              int64                        `json:"code,omitempty"`    // of the failure
	EffectiveDate     string                       `json:"effectiveDate"`
	RequestDate       string                       `json:"requestDate"`
	DateExecuted      string                       `json:"dateExecuted,omitempty"`
	Date              string                       `json:"date,omitempty"` // in webhooks only: dateExecuted once more
	Status            string                       `json:"status"`         // new, funded, processing, complete, cancelled or failed
	GroupID           string                       `json:"groupId,omitempty"`
	IgnoreEmails      bool                         `json:"ignoreEmails"`
	Transactions      []PayoutTransaction          `json:"transactions"`
	Token             string                       `json:"token,omitempty"`
}

// PayoutTransaction is what a payout left with.
type PayoutTransaction struct {
	Txid          string `json:"txid"`
	Amount        Number `json:"amount"` // in the asset that was sent
	Date          string `json:"date"`
	Confirmations *int64 `json:"confirmations,omitempty"`
}

// PayoutEnvelope wraps one payout.
type PayoutEnvelope struct {
	Facade  string `json:"facade"`
	Data    any    `json:"data"`
	Status  string `json:"status"`
	Message any    `json:"message"` // always null
}

// PayoutGroup is the answer to a group of payouts.
type PayoutGroup struct {
	Created []*Payout      `json:"created"`
	Failed  []PayoutFailed `json:"failed"`
}

// CancelledGroup is the answer to the cancellation of a group.
type CancelledGroup struct {
	Cancelled []*Payout      `json:"cancelled"`
	Failed    []PayoutFailed `json:"failed"`
}

// PayoutFailed is a member of a group that was refused. All keys are always there.
type PayoutFailed struct {
	ErrMessage string  `json:"errMessage"`
	PayoutID   *string `json:"payoutId"`
	Payee      *string `json:"payee"`
}

// PayoutGroupRequest is the body of POST /payouts/group.
type PayoutGroupRequest struct {
	Token        string          `json:"token"`
	Instructions []PayoutRequest `json:"instructions"` // 1 to 1,000, without tokens
}

// PayoutRequest is the body of POST /payouts, and one instruction of a group. One
// of RecipientID, ShopperID and Email says who is paid.
type PayoutRequest struct {
	Token             string `json:"token,omitempty"`
	Amount            Number `json:"amount"` // in units of Currency, worth 5 USD or more
	Currency          string `json:"currency"`
	LedgerCurrency    string `json:"ledgerCurrency,omitempty"` // which ledger pays; by default that of the settlements
	RecipientID       string `json:"recipientId,omitempty"`
	ShopperID         string `json:"shopperId,omitempty"`
	Email             string `json:"email,omitempty"`
	Reference         string `json:"reference,omitempty"`
	Label             string `json:"label,omitempty"`
	Message           string `json:"message,omitempty"`
	NotificationURL   string `json:"notificationURL,omitempty"`
	NotificationEmail string `json:"notificationEmail,omitempty"`
	EffectiveDate     string `json:"effectiveDate,omitempty"` // 2006-01-02, from today to a year from now
	IgnoreEmails      bool   `json:"ignoreEmails,omitempty"`
}
