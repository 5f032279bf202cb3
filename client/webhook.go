package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrWebhook means that a webhook was not made by the server it claims to be of,
// or is too old.
var ErrWebhook = errors.New("client: the webhook's signature does not fit")

// webhookAge is how far a webhook's own time may be off.
const webhookAge = 5 * time.Minute

// CheckWebhook verifies the Standard Webhooks headers of a received webhook:
// secret is the merchant's (whsec_…), body the raw body. It returns the event's
// id, which stays the same when a delivery is repeated.
func CheckWebhook(secret string, h http.Header, body []byte, now time.Time) (id string, err error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return "", errors.New("client: the webhook secret is not whsec_ and base64")
	}
	id, stamp := h.Get("webhook-id"), h.Get("webhook-timestamp")
	sec, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(sec, 0)).Abs() > webhookAge {
		return "", ErrWebhook
	}
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%s.", id, stamp)
	m.Write(body)
	want := m.Sum(nil)
	for _, s := range strings.Fields(h.Get("webhook-signature")) {
		got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "v1,"))
		if err == nil && strings.HasPrefix(s, "v1,") && hmac.Equal(got, want) {
			return id, nil
		}
	}
	return "", ErrWebhook
}

// CheckSignature verifies the x-signature header of a received webhook: token is
// the API token that the invoice, refund, recipient or payout was created with, body the raw body.
func CheckSignature(token string, h http.Header, body []byte) error {
	m := hmac.New(sha256.New, []byte(token))
	m.Write(body)
	got, err := base64.StdEncoding.DecodeString(h.Get("x-signature"))
	if err != nil || !hmac.Equal(got, m.Sum(nil)) {
		return ErrWebhook
	}
	return nil
}
