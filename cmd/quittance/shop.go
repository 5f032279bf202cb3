package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quittance/quittance/client"
)

// shop receives webhooks as a merchant's server does, and checks both of their
// signatures.
type shop struct {
	url    string
	secret string
	token  string
	now    func() time.Time
	server *http.Server
	mu     sync.Mutex
	hooks  map[string][]hook // by invoice, in order of arrival
	bad    int
}

type hook struct {
	code   int64
	name   string
	status string
}

func openShop(secret, token string, now func() time.Time) (*shop, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &shop{url: "http://" + l.Addr().String() + "/ipn", secret: secret, token: token, now: now, hooks: map[string][]hook{}}
	s.server = &http.Server{Handler: s, ReadTimeout: 10 * time.Second}
	go s.server.Serve(l) //nolint:errcheck // ends with close
	return s, nil
}

func (s *shop) close() { s.server.Close() }

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var n struct {
		Event struct {
			Code int64  `json:"code"`
			Name string `json:"name"`
		} `json:"event"`
		Data struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		} `json:"data"`
	}
	if err == nil {
		err = json.Unmarshal(body, &n)
	}
	if err == nil {
		err = client.CheckSignature(s.token, r.Header, body)
	}
	if err == nil {
		_, err = client.CheckWebhook(s.secret, r.Header, body, s.now())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.bad++
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.hooks[n.Data.ID] = append(s.hooks[n.Data.ID], hook{n.Event.Code, n.Event.Name, n.Data.Status})
}

// refused counts the webhooks whose signature or form was wrong.
func (s *shop) refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad
}

func (s *shop) of(id string) []hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]hook(nil), s.hooks[id]...)
}

// await waits until as many webhooks as expected have come, or for five seconds.
func (s *shop) await(ctx context.Context, id string, want []int64) []int64 {
	deadline := time.Now().Add(5 * time.Second)
	for {
		got := []int64{}
		for _, h := range s.of(id) {
			got = append(got, h.code)
		}
		if len(got) >= len(want) || time.Now().After(deadline) || ctx.Err() != nil {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
}
