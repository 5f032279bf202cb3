package outbox_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/outbox"
)

func TestAHangingEndpointHoldsUpNobody(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hanging.Close()
	arrived := make(chan struct{}, 1000)
	s.answers(func(got) int { arrived <- struct{}{}; return 200 })
	for range 3 {
		e.cancelled(hanging.URL)
	}
	for i := range 50 {
		e.cancelled(fmt.Sprintf("%s/%d", s.URL, i%5))
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.outbox().Run(ctx) }()
	for range 50 {
		<-arrived // while the first try at the hanging endpoint is still under way
	}
	close(release)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A shop that names another URL for each order has a lane of each.
func TestAHangingHostWithManyLanesHoldsUpNobody(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hanging.Close()
	arrived := make(chan struct{}, 100)
	s.answers(func(got) int { arrived <- struct{}{}; return 200 })
	for i := range 40 {
		e.cancelled(fmt.Sprintf("%s/order-%d", hanging.URL, i))
	}
	for i := range 12 {
		e.cancelled(fmt.Sprintf("%s/%d", s.URL, i))
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.outbox(func(c *outbox.Config) { c.Workers = 8 }).Run(ctx) }()
	for range 12 {
		<-arrived // while others have hardly begun to wait for the hanging host
	}
	close(release)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestMoreLanesThanWorkersAreAllServed(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	arrived := make(chan struct{}, 100)
	s.answers(func(got) int { arrived <- struct{}{}; return 200 })
	for i := range 40 {
		e.cancelled(fmt.Sprintf("%s/%d", s.URL, i))
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.outbox(func(c *outbox.Config) { c.Workers = 3 }).Run(ctx) }()
	for range 40 {
		<-arrived
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRedeliveryByHandBringsTheLaneForward(t *testing.T) {
	e, s := newEnv(t), newShop(t)
	s.answers(func(got) int { return 0 })
	first, second := e.cancelled(s.URL).ID, e.cancelled(s.URL).ID
	o := e.outbox()
	for range 8 {
		e.step(o)
		e.clock.Add(7 * time.Hour)
	}
	e.step(o)
	s.answers(nil)
	if err := e.app.Redeliver(t.Context(), e.deliveries(second)[0].ID); err != nil {
		t.Fatal(err)
	}
	e.step(o)
	if all := s.received(); len(all) != 2 || all[0].ID != first || all[1].ID != second {
		t.Errorf("%d arrived", len(all))
	}
	// A delivered one can be had again, under the id it had.
	if err := e.app.Redeliver(t.Context(), e.deliveries(first)[0].ID); err != nil {
		t.Fatal(err)
	}
	e.step(o)
	all := s.received()
	if len(all) != 3 || all[2].header.Get("Webhook-Id") != all[0].header.Get("Webhook-Id") {
		t.Errorf("after asking again %d arrived", len(all))
	}
	if err := e.app.Redeliver(t.Context(), "nothing"); err == nil || !strings.Contains(err.Error(), `no delivery has the id "nothing"`) {
		t.Errorf("an unknown id gives %v", err)
	}
}
