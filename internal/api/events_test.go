package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// subscribe is the path by which an invoice's events are followed.
func (w *world) subscribe(inv map[string]any, more string) string {
	w.t.Helper()
	answer := w.merchant.get("/invoices/" + id(inv) + "/events").ok()
	u, err := url.Parse(answer["url"].(string))
	w.must(err)
	return u.Path + "?token=" + answer["token"].(string) + more
}

func TestTheEventToken(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(nil)
	a := w.merchant.get("/invoices/" + id(inv) + "/events")
	want(t, a.ok(), fields{"url": publicURL + "/events", "events": []string{"payment", "confirmation"}, "actions": []string{"subscribe", "unsubscribe"}})
	want(t, a.body, fields{"facade": "merchant/invoice"})
	public := w.till.do("GET", "/invoices/"+id(inv)+"/events", nil)
	want(t, public.ok(), fields{"token": a.ok()["token"]})
	if token := a.ok()["token"].(string); strings.Contains(token, inv["token"].(string)) {
		t.Error("the event token gives away the invoice's own")
	}
}

// follow opens a stream of server-sent events and returns a reader of blocks.
func (w *world) follow(path string) func() (event string, data map[string]any) {
	w.t.Helper()
	resp, err := w.http.Client().Get(w.http.URL + path)
	w.must(err)
	w.t.Cleanup(func() { resp.Body.Close() })
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || ct != "text/event-stream; charset=utf-8" {
		w.t.Fatalf("%d %s", resp.StatusCode, ct)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), ":") {
		w.t.Fatalf("no opening comment: %q", lines.Text())
	}
	return func() (event string, data map[string]any) {
		w.t.Helper()
		for lines.Scan() {
			// The old client cuts at ": " and takes the second of the parts.
			switch parts := strings.Split(lines.Text(), ": "); {
			case len(parts) > 2:
				w.t.Fatalf("a line with two cuts: %q", lines.Text())
			case parts[0] == "event":
				event = parts[1]
			case parts[0] == "data":
				w.must(json.Unmarshal([]byte(parts[1]), &data))
			case parts[0] == "" && event != "":
				return event, data
			}
		}
		w.t.Fatalf("the stream ended: %v", lines.Err())
		return "", nil
	}
}

func TestTheStream(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(sensible.with(fields{"itemDesc": "Hat: large: \"red\": \n yes"}))
	next := w.follow(w.subscribe(inv, "&action=subscribe&events[]=payment&events[]=confirmation"))
	w.payShare(inv, 100)
	for _, name := range []string{"statechange", "payment", "confirmation"} {
		event, data := next()
		if event != name || data["status"] != "paid" || data["id"] != id(inv) || data["itemDesc"] != "Hat: large: \"red\": \n yes" {
			t.Errorf("%s %v, want %s", event, data, name)
		}
		for _, hidden := range []string{"token", "guid", "orderId", "posData", "buyer", "transactions"} {
			if _, there := data[hidden]; there {
				t.Errorf("the stream shows %s", hidden)
			}
		}
	}
	w.must(w.play.Mine(t.Context(), 1))
	var seen []string
	for len(seen) < 2 {
		event, data := next()
		seen = append(seen, event)
		if data["status"] != "confirmed" {
			t.Errorf("%s in state %v", event, data["status"])
		}
	}
	if !slices.Equal(seen, []string{"statechange", "confirmation"}) {
		t.Errorf("%v", seen)
	}
}

func TestAStreamTellsWhatWasAskedFor(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(nil)
	next := w.follow(w.subscribe(inv, "&events=confirmation")) // the old client's spelling
	w.payShare(inv, 50)                                        // a payment, but no change of state
	w.payShare(inv, 50)
	if event, data := next(); event != "confirmation" && event != "statechange" {
		t.Errorf("%s %v", event, data)
	}
}

func TestTheLongPoll(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(nil)
	path := w.subscribe(inv, "&events[]=payment")
	got := make(chan *answer)
	go func() {
		req, _ := http.NewRequest("GET", w.http.URL+path, nil)
		req.Header.Set("Accept", "application/json")
		got <- w.send(req)
	}()
	w.waitForFollower()
	w.payShare(inv, 100)
	a := <-got
	want(t, a.body, fields{"event": "statechange"})
	want(t, a.ok(), fields{"status": "paid", "id": id(inv), "token": nil})
}

func (w *world) waitForFollower() {
	for {
		w.front.streams.mu.Lock()
		n := w.front.streams.n
		w.front.streams.mu.Unlock()
		if n > 0 {
			return
		}
		runtime.Gosched()
	}
}

func TestClosingTheServerEndsThePoll(t *testing.T) {
	w := newWorld(t)
	path := w.subscribe(w.merchant.create(nil), "")
	got := make(chan *answer)
	go func() {
		req, _ := http.NewRequest("GET", w.http.URL+path, nil)
		req.Header.Set("Accept", "application/json")
		got <- w.send(req)
	}()
	w.waitForFollower()
	w.front.Close()
	if l := (<-got).list(); len(l) != 0 {
		t.Errorf("%v", l)
	}
}

func TestAnEventTokenIsGoodForOneInvoiceAndADay(t *testing.T) {
	w := newWorld(t)
	mine, other := w.merchant.create(nil), w.merchant.create(nil)
	path := w.subscribe(mine, "&action=unsubscribe")
	if w.till.do("GET", path, nil).data() != "Success" {
		t.Error("unsubscribe")
	}
	token := strings.TrimSuffix(strings.TrimPrefix(path, "/events?token="), "&action=unsubscribe")
	w.till.do("GET", "/events?token="+token+"&action=jump", nil).refused(http.StatusBadRequest, "020002")
	for _, bad := range []string{
		"", "x", id(mine), token[:len(token)-1], token + "1", id(other) + token[idLen:], mine["token"].(string), strings.Repeat("1", 60),
		url.QueryEscape("aaaaaaaaaaaaaaaaaaaaaé" + token[idLen:]), url.QueryEscape(strings.Repeat("é", 40)),
	} {
		w.till.do("GET", "/events?token="+bad, nil).refused(http.StatusUnauthorized, "020002")
	}
	w.pass(15*time.Minute + 24*time.Hour)
	w.till.do("GET", path, nil).data()
	w.pass(time.Millisecond)
	w.till.do("GET", path, nil).refused(http.StatusUnauthorized, "020002")
}

func TestStreamsAreBounded(t *testing.T) {
	w := newWorld(t)
	inv := w.merchant.create(nil)
	for range maxStreams {
		if wake, _ := w.front.streams.join(id(inv)); wake == nil {
			t.Fatal("full too early")
		}
	}
	w.till.do("GET", w.subscribe(inv, ""), nil).refused(http.StatusServiceUnavailable, "020000")
}

func TestAChangeThatTellsNothingNewIsNotTold(t *testing.T) {
	f := &follower{names: map[string]bool{"payment": true}, last: position{status: "new", received: "0", depth: -1}}
	if got := f.news(position{status: "new", received: "0", depth: -1, version: 9}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
