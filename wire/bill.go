package wire

// Bill is a bill as the API answers it. The fields from Name to Phone, Merchant
// and EmailBill are in the merchant's view only. Times are ISO 8601 text.
type Bill struct {
	ID                string     `json:"id,omitempty"`
	Status            string     `json:"status,omitempty"`
	URL               string     `json:"url,omitempty"`
	Number            string     `json:"number,omitempty"`
	CreatedDate       string     `json:"createdDate,omitempty"`
	DueDate           string     `json:"dueDate,omitempty"`
	Currency          string     `json:"currency"`
	Name              string     `json:"name,omitempty"`
	Address1          string     `json:"address1,omitempty"`
	Address2          string     `json:"address2,omitempty"`
	City              string     `json:"city,omitempty"`
	State             string     `json:"state,omitempty"`
	Zip               string     `json:"zip,omitempty"`
	Country           string     `json:"country,omitempty"`
	Phone             string     `json:"phone,omitempty"`
	Email             string     `json:"email,omitempty"`
	CC                []string   `json:"cc"`
	PassProcessingFee bool       `json:"passProcessingFee"`
	EmailBill         *bool      `json:"emailBill,omitempty"`
	Merchant          string     `json:"merchant,omitempty"`
	Items             []BillItem `json:"items"`
	Token             string     `json:"token,omitempty"`
}

// BillItem is one line of a bill. Price is per piece, in units of the currency.
type BillItem struct {
	ID          string `json:"id,omitempty"`
	Description string `json:"description"`
	Price       Number `json:"price"`
	Quantity    int64  `json:"quantity"`
}

// Subscription is a series of bills. BillData is a bill without what is one
// bill's own.
type Subscription struct {
	ID           string `json:"id,omitempty"`
	Status       string `json:"status,omitempty"`
	BillData     Bill   `json:"billData"`
	Schedule     string `json:"schedule,omitempty"`
	NextDelivery string `json:"nextDelivery,omitempty"`
	CreatedDate  string `json:"createdDate,omitempty"`
	Token        string `json:"token,omitempty"`
}
