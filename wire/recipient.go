package wire

// Recipient is somebody who is paid out to.
type Recipient struct {
	ID              string  `json:"id"`
	Email           string  `json:"email"`
	Label           string  `json:"label"`
	Status          string  `json:"status"`    // invited, unverified, verified, active, paused or removed
	ShopperID       *string `json:"shopperId"` // null until the e-mail is confirmed
	NotificationURL string  `json:"notificationURL,omitempty"`
	Token           string  `json:"token"`
}

// RecipientRequest is the body of POST /recipients.
type RecipientRequest struct {
	Token      string         `json:"token"`
	GUID       string         `json:"guid,omitempty"`
	Recipients []NewRecipient `json:"recipients"`
}

// NewRecipient is one invitation.
type NewRecipient struct {
	Email           string `json:"email"`
	Label           string `json:"label,omitempty"`
	NotificationURL string `json:"notificationURL,omitempty"`
}

// RecipientUpdate is the body of PUT /recipients/{id}; what is empty stays.
type RecipientUpdate struct {
	Token           string `json:"token"`
	Label           string `json:"label,omitempty"`
	NotificationURL string `json:"notificationURL,omitempty"`
}

// RecipientNotice is what a webhook says about a recipient.
type RecipientNotice struct {
	ID        string  `json:"id"`
	Email     string  `json:"email"`
	Label     string  `json:"label"`
	Status    string  `json:"status"`
	ShopperID *string `json:"shopperId"`
}
