package outbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/quittance/quittance/internal/merchant"
)

// secretOf decodes the key of the Standard Webhooks signature.
func secretOf(m *merchant.Merchant) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.WebhookSecret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("the webhook secret of merchant %s is not whsec_ and base64", m.ID)
	}
	return key, nil
}

// signed returns the headers of a webhook: BitPay's own signature under the API
// token the invoice was created with, and those of the Standard Webhooks
// specification, whose id stays the same over all tries.
func signed(apiToken string, secret []byte, eventID string, now time.Time, body []byte) http.Header {
	at := strconv.FormatInt(now.Unix(), 10)
	h := http.Header{}
	h.Set("Accept", "application/json")
	h.Set("Content-Type", "application/json")
	h.Set("X-Signature", mac([]byte(apiToken), body))
	h.Set("Webhook-Id", eventID)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", "v1,"+mac(secret, []byte(eventID+"."+at+"."), body))
	return h
}

func mac(key []byte, parts ...[]byte) string {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
