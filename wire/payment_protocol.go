package wire

// The JSON payment protocol, version 2: what a wallet and this server say to one
// another at /i/{invoiceId}. The header names tell the steps apart.
const (
	PaymentOptionsType      = "application/payment-options"      // Accept of a GET
	PaymentRequestType      = "application/payment-request"      // Content-Type of a POST, as are the two below
	PaymentVerificationType = "application/payment-verification" //
	PaymentType             = "application/payment"              //
)

// PaymentHead is what options and request begin with.
type PaymentHead struct {
	Time       string `json:"time"`    // ISO 8601, when the invoice was made
	Expires    string `json:"expires"` // ISO 8601
	Memo       string `json:"memo"`
	PaymentURL string `json:"paymentUrl"`
	PaymentID  string `json:"paymentId"`
}

// PaymentOptions answers the step options.
type PaymentOptions struct {
	PaymentHead
	PaymentOptions []PaymentOption `json:"paymentOptions"`
}

// PaymentOption is one way to pay. Amounts are in the currency's smallest unit.
type PaymentOption struct {
	Chain           string `json:"chain"`
	Currency        string `json:"currency"`
	Network         string `json:"network"` // main, test or regtest
	EstimatedAmount Number `json:"estimatedAmount"`
	RequiredFeeRate Number `json:"requiredFeeRate"` // smallest units per byte
	MinerFee        Number `json:"minerFee"`
	Decimals        int    `json:"decimals"`
	Selected        bool   `json:"selected"`
}

// PaymentChoice asks for the step request. Without a currency it is the chain's own.
type PaymentChoice struct {
	Chain    string `json:"chain"`
	Currency string `json:"currency,omitempty"`
}

// PaymentRequest answers the step request.
type PaymentRequest struct {
	PaymentHead
	PaymentChoice
	Network      string               `json:"network"`
	Instructions []PaymentInstruction `json:"instructions"`
}

// PaymentInstruction is one transaction that the wallet is to make.
type PaymentInstruction struct {
	Type            string          `json:"type"` // transaction
	RequiredFeeRate Number          `json:"requiredFeeRate"`
	Outputs         []PaymentOutput `json:"outputs"`
}

// PaymentOutput is one output that the transaction has to have.
type PaymentOutput struct {
	Amount  Number `json:"amount"`
	Address string `json:"address"`
}

// Payment asks for the steps verification (unsigned) and payment (signed).
type Payment struct {
	PaymentChoice
	Transactions []PaymentTransaction `json:"transactions"`
}

// PaymentTransaction is one transaction. WeightedSize is the wallet's estimate of the
// signed size in bytes; 0 is none.
type PaymentTransaction struct {
	Tx           string `json:"tx"` // hex
	WeightedSize int64  `json:"weightedSize,omitempty"`
}

// PaymentEcho answers the steps verification and payment.
type PaymentEcho struct {
	Payment Payment `json:"payment"`
	Memo    string  `json:"memo"`
}

// SigningKeys is GET /signingKeys/paymentProtocol.json: whose signatures on these
// answers hold.
type SigningKeys struct {
	Owner          string   `json:"owner"`
	ExpirationDate string   `json:"expirationDate"` // ISO 8601, of the first key that expires
	ValidDomains   []string `json:"validDomains"`
	PublicKeys     []string `json:"publicKeys"` // compressed, hex
}

// KeySignatures is GET /signatures/{hash}.json: who vouches for the keys.
type KeySignatures struct {
	KeyHash    string         `json:"keyHash"` // SHA-256 of the body of the keys, hex
	Signatures []KeySignature `json:"signatures"`
}

// KeySignature is one detached PGP signature over the body of the keys.
type KeySignature struct {
	Created    string `json:"created"`    // ISO 8601
	Identifier string `json:"identifier"` // fingerprint of the PGP key, hex
	Signature  string `json:"signature"`  // the armoured signature, in hex
}
