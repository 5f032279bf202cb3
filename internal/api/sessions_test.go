package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// session opens one and returns a function that numbers a GET's path.
func (c *client) session() (id string, numbered func(path string, n int) string) {
	c.w.t.Helper()
	id, ok := c.do("POST", "/sessions", fields{"guid": "any"}).data().(string)
	if !ok || id == "" {
		c.w.t.Fatal("a session's id is a text")
	}
	return id, func(path string, n int) string {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		return fmt.Sprintf("%s%ssessionId=%s&requestNumber=%d", path, sep, id, n)
	}
}

func TestASessionNumbersRequestsFromOne(t *testing.T) {
	w := newWorld(t)
	id, numbered := w.merchant.session()
	w.merchant.do("GET", numbered("/rates", 0), nil).refused(http.StatusConflict, "020002")
	w.merchant.do("GET", numbered("/rates", 2), nil).refused(http.StatusConflict, "020002")
	w.merchant.do("GET", numbered("/rates", 1), nil).list()
	inv := w.merchant.create(fields{"sessionId": id, "requestNumber": 2})
	w.merchant.do("GET", numbered(w.merchant.query("/invoices/"+inv["id"].(string)), 3), nil).ok()
	w.merchant.create(fields{"sessionId": id, "requestNumber": "4"})
	w.merchant.do("GET", numbered("/rates", 7), nil).refused(http.StatusConflict, "020002")
	w.merchant.do("GET", numbered("/rates", 5), nil).list()
}

func TestARepeatedNumberGetsTheFirstAnswerWordForWord(t *testing.T) {
	w := newWorld(t)
	id, _ := w.merchant.session()
	body := order.with(fields{"sessionId": id, "requestNumber": 1})
	first := w.merchant.post("/invoices", body)
	first.ok()
	w.pass(time.Minute) // a new answer would tell another currentTime
	before := w.rows()
	again := w.merchant.post("/invoices", body)
	if again.status != first.status || !bytes.Equal(again.raw, first.raw) {
		t.Errorf("%s\n%s", first.raw, again.raw)
	}
	if w.rows() != before {
		t.Error("a repeated request made another invoice")
	}
}

func TestRefusedRequestsConsumeANumberToo(t *testing.T) {
	w := newWorld(t)
	_, numbered := w.merchant.session()
	for n, path := range []string{"/rates/XXY", "/nothing", "/invoices/Hpqc63wvE1ZjzeeH4kEycF?token=unknown", wholeYear + "&limit=0&token=" + w.merchant.token} {
		first := w.merchant.do("GET", numbered(path, n+1), nil)
		if first.status == http.StatusOK {
			t.Fatalf("%s succeeded", path)
		}
		again := w.merchant.do("GET", numbered(path, n+1), nil)
		if !bytes.Equal(first.raw, again.raw) || first.status != again.status {
			t.Errorf("%s: %s\n%s", path, first.raw, again.raw)
		}
	}
	w.merchant.do("POST", numbered("/rates", 5), nil).refused(http.StatusMethodNotAllowed, "010002")
	w.merchant.do("GET", numbered("/rates", 6), nil).list()
}

func TestASessionEndsAfterAQuarterOfAnHourWithoutUse(t *testing.T) {
	w := newWorld(t)
	_, numbered := w.merchant.session()
	for n := 1; n <= 3; n++ {
		w.pass(15 * time.Minute)
		w.merchant.do("GET", numbered("/rates", n), nil).list()
	}
	w.pass(15*time.Minute + time.Millisecond)
	a := w.merchant.do("GET", numbered("/rates", 4), nil).refused(http.StatusUnauthorized, "020002")
	if a.message() != "Invalid or expired sessionId" { // the text on which a client opens a new one
		t.Errorf("%q", a.message())
	}
}

func TestASessionBelongsToTheFirstIdentityThatUsesIt(t *testing.T) {
	w := newWorld(t)
	_, numbered := w.merchant.session()
	w.till.do("GET", numbered("/rates", 1), nil).list() // unsigned: nobody's yet
	first := w.merchant.do("GET", numbered("/tokens", 2), nil)
	first.list()
	w.rival.do("GET", numbered("/tokens", 3), nil).refused(http.StatusForbidden, "020002")
	w.rival.do("GET", numbered("/tokens", 2), nil).refused(http.StatusForbidden, "020002")
	// Nor does it tell its answers to somebody who does not sign.
	w.till.do("GET", numbered("/tokens", 2), nil).refused(http.StatusForbidden, "020002")
	w.merchant.do("GET", numbered("/tokens", 3), nil).list()
}

func TestSessionsOfTwoClientsAreApart(t *testing.T) {
	w := newWorld(t)
	_, one := w.merchant.session()
	_, two := w.rival.session()
	w.merchant.do("GET", one("/tokens", 1), nil).list()
	w.rival.do("GET", two("/tokens", 1), nil).list()
	w.merchant.do("GET", one("/tokens", 2), nil).list()
}
