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
	Message           string                       `json:"message,omitempty"`
	EffectiveDate     string                       `json:"effectiveDate"`
	RequestDate       string                       `json:"requestDate"`
	DateExecuted      string                       `json:"dateExecuted,omitempty"`
	Date              string                       `json:"date,omitempty"` // in webhooks only: dateExecuted once more
	Status            string                       `json:"status"`
	GroupID           string                       `json:"groupId,omitempty"`
	IgnoreEmails      bool                         `json:"ignoreEmails"`
	Transactions      []PayoutTransaction          `json:"transactions"`
	Token             string                       `json:"token,omitempty"`
}

// PayoutTransaction is what a payout left with.
type PayoutTransaction struct {
	Txid   string `json:"txid"`
	Amount Number `json:"amount"` // in the asset that was sent
	Date   string `json:"date"`
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

// PayoutRequest is the body of POST /payouts, and one instruction of a group.
type PayoutRequest struct {
	Token             string `json:"token,omitempty"`
	Amount            Number `json:"amount"`
	Currency          string `json:"currency"`
	LedgerCurrency    string `json:"ledgerCurrency,omitempty"`
	RecipientID       string `json:"recipientId,omitempty"`
	ShopperID         string `json:"shopperId,omitempty"`
	Email             string `json:"email,omitempty"`
	Reference         string `json:"reference,omitempty"`
	Label             string `json:"label,omitempty"`
	Message           string `json:"message,omitempty"`
	NotificationURL   string `json:"notificationURL,omitempty"`
	NotificationEmail string `json:"notificationEmail,omitempty"`
	EffectiveDate     string `json:"effectiveDate,omitempty"`
	IgnoreEmails      bool   `json:"ignoreEmails,omitempty"`
}
