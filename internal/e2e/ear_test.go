package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/wire"
)

// ear is a merchant's own server: it checks both signatures of each webhook and
// keeps, by resource, what it was told, in order of arrival.
type ear struct {
	url    string
	secret string
	c      *client.Client

	mu    sync.Mutex
	heard map[string][]int64
	last  map[string]json.RawMessage
	wrong []string
}

func newEar(t *testing.T, s *server, c *client.Client) *ear {
	t.Helper()
	e := &ear{c: c, heard: map[string][]int64{}, last: map[string]json.RawMessage{}}
	var told struct{ Secret string }
	s.operator(&told, "webhook", "secret")
	e.secret = told.Secret
	srv := httptest.NewServer(http.HandlerFunc(e.hear))
	t.Cleanup(srv.Close)
	e.url = srv.URL + "/ipn"
	return e
}

func (e *ear) hear(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var hook struct {
		Event wire.WebhookEvent
		Data  json.RawMessage
	}
	var about struct{ ID string }
	if err == nil {
		err = json.Unmarshal(body, &hook)
	}
	if err == nil {
		err = json.Unmarshal(hook.Data, &about)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		err = e.check(hook.Event.Code, r.Header, body)
	}
	if err != nil {
		e.wrong = append(e.wrong, fmt.Sprintf("%v: %s", err, body))
		return
	}
	e.heard[about.ID] = append(e.heard[about.ID], hook.Event.Code)
	e.last[about.ID] = hook.Data
}

// check holds a webhook against the merchant's secret and against the token that
// its resource was made with.
func (e *ear) check(code int64, h http.Header, body []byte) error {
	facade := client.Merchant
	if code/1000 == 4 || code/1000 == 5 { // recipients and payouts
		facade = client.Payout
	}
	token, _ := e.c.Token(facade)
	if err := client.CheckSignature(token, h, body); err != nil {
		return err
	}
	_, err := client.CheckWebhook(e.secret, h, body, time.Now())
	return err
}

// expect waits for the webhooks about a resource: these, in this order.
func (e *ear) expect(t *testing.T, id string, want ...int64) {
	t.Helper()
	codes := func() []int64 {
		e.mu.Lock()
		defer e.mu.Unlock()
		return append([]int64(nil), e.heard[id]...)
	}
	until(t, fmt.Sprintf("webhooks %v", want), func() bool { return len(codes()) >= len(want) })
	if got := codes(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("webhooks %v, want %v", got, want)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.wrong) > 0 {
		t.Errorf("%d webhooks were not signed as they should be: %s", len(e.wrong), e.wrong[0])
	}
}

// said reads what the last webhook told about a resource.
func (e *ear) said(t *testing.T, id string, out any) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	must(t, json.Unmarshal(e.last[id], out))
}
