package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/merchant"
)

// invite submits recipients and returns them as they were answered.
func (c *client) invite(list ...fields) []any {
	c.w.t.Helper()
	return c.post("/recipients", fields{"recipients": list}).list()
}

func nth(list []any, i int) map[string]any { return list[i].(map[string]any) }

func TestRecipientsAreInvited(t *testing.T) {
	w := newWorld(t)
	a := w.payout.post("/recipients", fields{"guid": "g-1", "recipients": []fields{
		{"email": "alice@email.com", "label": "Alice", "notificationURL": "https://shop.example/alice", "status": "active", "id": "mine"},
		{"email": "bob@email.com"},
	}})
	list := a.list()
	if a.body["facade"] != "payout/recipient" || len(list) != 2 {
		t.Fatalf("answered %s", a.raw)
	}
	alice := nth(list, 0)
	if alice["email"] != "alice@email.com" || alice["label"] != "Alice" || alice["status"] != "invited" || alice["shopperId"] != nil ||
		alice["notificationURL"] != "https://shop.example/alice" || id(alice) == "mine" {
		t.Errorf("alice is %v", alice)
	}
	if bob := nth(list, 1); bob["email"] != "bob@email.com" || bob["label"] != "" || bob["notificationURL"] != nil {
		t.Errorf("bob is %v", bob)
	}
	if got := w.payout.get("/recipients/" + id(alice)).ok(); fmt.Sprint(got) != fmt.Sprint(alice) {
		t.Errorf("read as %v", got)
	}
}

// The official suites submit one address in every run, also after a delete.
func TestAKnownAddressIsNotInvitedTwice(t *testing.T) {
	w := newWorld(t)
	first := nth(w.payout.invite(fields{"email": "Alice@email.com", "label": "Alice"}), 0)
	twice := w.payout.invite(fields{"email": "alice@EMAIL.com", "label": "Somebody else"}, fields{"email": "alice@email.com"})
	for i := range twice {
		if got := nth(twice, i); id(got) != id(first) || got["label"] != "Alice" || got["email"] != "Alice@email.com" || got["status"] != "invited" {
			t.Errorf("submitted again it is %v", got)
		}
	}
	w.payout.del("/recipients/" + id(first)).ok()
	w.payout.del("/recipients/" + id(first)).ok()
	if got := w.payout.get("/recipients/" + id(first)).ok(); got["status"] != "removed" {
		t.Errorf("after the delete it is %v", got)
	}
	anew := nth(w.payout.invite(fields{"email": "alice@email.com"}), 0)
	if id(anew) == id(first) || anew["status"] != "invited" || anew["token"] == first["token"] {
		t.Errorf("after the delete it is invited as %v", anew)
	}
	// Another merchant's recipient of that address is another one.
	rival := w.pair(w.newMerchant("Third", 9), merchant.Payout, 30)
	if got := nth(rival.invite(fields{"email": "alice@email.com"}), 0); id(got) == id(anew) {
		t.Error("two merchants share a recipient")
	}
}

// An address that somebody proved is never lost by inviting again.
func TestAProvenRecipientStaysWhenSubmittedAgain(t *testing.T) {
	w := newWorld(t)
	r := nth(w.payout.invite(fields{"email": "alice@email.com"}), 0)
	if _, err := w.raw.Exec(`UPDATE recipient SET status = 'active' WHERE id = ?`, id(r)); err != nil {
		t.Fatal(err)
	}
	if got := nth(w.payout.invite(fields{"email": "alice@email.com"}), 0); id(got) != id(r) || got["status"] != "active" {
		t.Errorf("it is %v", got)
	}
}

func TestTheSameGuidIsTheSameAnswer(t *testing.T) {
	w := newWorld(t)
	body := fields{"guid": "once", "recipients": []fields{{"email": "a@x.de"}, {"email": "b@x.de"}}}
	first := w.payout.post("/recipients", body)
	before := w.rows()
	if again := w.payout.post("/recipients", body); string(again.raw) != string(first.raw) {
		t.Errorf("answered %s, then %s", first.raw, again.raw)
	}
	w.payout.post("/recipients", body.with(fields{"recipients": []fields{{"email": "c@x.de"}}})).refused(400, "010002")
	if w.rows() != before {
		t.Error("a replay changed the database")
	}
	// Removed since: the answer names the same ones, not new ones.
	w.payout.del("/recipients/" + id(nth(first.list(), 0))).ok()
	if again := w.payout.post("/recipients", body).list(); id(nth(again, 0)) != id(nth(first.list(), 0)) {
		t.Error("the replay invited anew")
	}
}

func TestWrongInvitationsAreRefusedWhole(t *testing.T) {
	w := newWorld(t)
	good := fields{"email": "a@x.de"}
	many := make([]fields, 1001)
	for i := range many {
		many[i] = fields{"email": fmt.Sprintf("p%d@x.de", i)}
	}
	for _, c := range []struct {
		name string
		body fields
		code string
		says string
	}{
		{"no list", fields{}, "010003", "recipients"},
		{"an empty list", fields{"recipients": []fields{}}, "010003", "recipients"},
		{"not a list", fields{"recipients": 5}, "010002", "recipients"},
		{"not objects", fields{"recipients": []any{good, "a@x.de"}}, "010002", "list of objects"},
		{"no e-mail", fields{"recipients": []fields{good, {"label": "x"}}}, "010003", "recipients[1].email"},
		{"a bad e-mail", fields{"recipients": []fields{good, {"email": "nobody"}}}, "010002", "recipients[1].email"},
		{"a display name", fields{"recipients": []fields{{"email": "A <a@x.de>"}}}, "010002", "recipients[0].email"},
		{"a long label", fields{"recipients": []fields{good.with(fields{"label": strings.Repeat("x", 201)})}}, "010002", "at most 200"},
		{"a label with a line break", fields{"recipients": []fields{good.with(fields{"label": "a\nb"})}}, "010002", "control"},
		{"a URL that is none", fields{"recipients": []fields{good.with(fields{"notificationURL": "shop"})}}, "010002", "recipients[0].notificationURL"},
		{"a text that is none", fields{"recipients": []fields{{"email": fields{}}}}, "010002", "recipients.email"},
		{"too many", fields{"recipients": many}, "010002", "at most 1000"},
		{"a long guid", fields{"guid": strings.Repeat("g", 129), "recipients": []fields{good}}, "010002", "guid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := w.rows()
			a := w.payout.post("/recipients", c.body).refused(400, c.code)
			if !strings.Contains(a.message(), c.says) {
				t.Errorf("it says %q, not %q", a.message(), c.says)
			}
			if w.rows() != before {
				t.Error("a refusal changed the database")
			}
		})
	}
	if a := w.payout.post("/recipients", fields{"recipients": many[:1000]}); len(a.list()) != 1000 {
		t.Errorf("%d of 1000 were invited", len(a.list()))
	}
	w.payout.post("/recipients", fields{"recipients": []fields{{"email": "one@too.many"}}}).refused(400, "010002")
	if got := nth(w.payout.invite(fields{"email": "P7@x.de"}), 0); got["email"] != "p7@x.de" {
		t.Error("a full account cannot submit a known recipient")
	}
	w.payout.del("/recipients/" + id(nth(w.payout.invite(fields{"email": "p7@x.de"}), 0))).ok()
	w.payout.invite(fields{"email": "one@too.many"})
}

func TestPlainHTTPIsRefusedOnLiveServers(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.app.AllowHTTP = false })
	a := w.payout.post("/recipients", fields{"recipients": []fields{{"email": "a@x.de", "notificationURL": "http://shop.example/x"}}}).refused(400, "010002")
	if !strings.Contains(a.message(), "https") {
		t.Errorf("it says %q", a.message())
	}
}

func TestRecipientsAreListed(t *testing.T) {
	w := newWorld(t)
	if a := w.payout.get("/recipients"); len(a.list()) != 0 || strings.Contains(string(a.raw), "status") {
		t.Errorf("an empty list is %s", a.raw)
	}
	var ids []string
	for i := range 3 {
		ids = append(ids, id(nth(w.payout.invite(fields{"email": fmt.Sprintf("p%d@x.de", i)}), 0)))
		w.pass(time.Second)
	}
	w.payout.del("/recipients/" + ids[0]).ok()
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", []string{ids[2], ids[1]}},
		{"?status=", []string{ids[2], ids[1]}},
		{"?limit=1", []string{ids[2]}},
		{"?limit=1&offset=1", []string{ids[1]}},
		{"?status=removed", []string{ids[0]}},
		{"?status=Invited&limit=100&offset=0", []string{ids[2], ids[1]}},
		{"?status=active", nil},
	} {
		var got []string
		for _, r := range w.payout.get("/recipients" + c.query).list() {
			got = append(got, id(r.(map[string]any)))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s lists %v, want %v", c.query, got, c.want)
		}
	}
	w.payout.get("/recipients?status=lost").refused(400, "020002")
	w.payout.get("/recipients?limit=0").refused(400, "020002")
}

func TestOnlyLabelAndURLOfARecipientChange(t *testing.T) {
	w := newWorld(t)
	r := nth(w.payout.invite(fields{"email": "alice@email.com", "label": "Alice", "notificationURL": "https://shop.example/a"}), 0)
	got := w.payout.put("/recipients/"+id(r), fields{
		"label": "Alice B", "guid": "x", "email": "eve@evil.example", "status": "active", "shopperId": "eve", "notificationURL": "",
	}).ok()
	if got["label"] != "Alice B" || got["email"] != "alice@email.com" || got["status"] != "invited" || got["shopperId"] != nil || got["notificationURL"] != "https://shop.example/a" {
		t.Errorf("changed to %v", got)
	}
	if got := w.payout.put("/recipients/"+id(r), fields{"notificationURL": "https://shop.example/b"}).ok(); got["label"] != "Alice B" || got["notificationURL"] != "https://shop.example/b" {
		t.Errorf("changed to %v", got)
	}
	w.payout.put("/recipients/"+id(r), fields{"notificationURL": "ftp://x"}).refused(400, "030002")
	w.payout.put("/recipients/"+id(r), fields{"label": 5 * 1e9, "notificationURL": []any{}}).refused(400, "030002")
	w.payout.del("/recipients/" + id(r)).ok()
	w.payout.put("/recipients/"+id(r), fields{"label": "x"}).refused(400, "030002")
}

func TestUnknownAndForeignRecipientsAreNotThere(t *testing.T) {
	w := newWorld(t)
	rival := w.pair(w.newMerchant("Third", 9), merchant.Payout, 30)
	theirs := nth(rival.invite(fields{"email": "secret@x.de"}), 0)
	for _, which := range []string{"Hpqc63wvE1ZjzeeH4kEycF", id(theirs)} {
		before := w.rows()
		w.payout.get("/recipients/"+which).refused(404, "020001")
		w.payout.put("/recipients/"+which, fields{"label": "x"}).refused(404, "030001")
		w.payout.del("/recipients/"+which).refused(404, "040001")
		w.payout.post("/recipients/"+which+"/notifications", nil).refused(404, "010001")
		if w.rows() != before {
			t.Error("a refusal changed the database")
		}
	}
	w.merchant.get("/recipients").refused(http.StatusForbidden, "020002")
}

// A recipient's own token does for it what the account's token does.
func TestARecipientsOwnTokenOpensIt(t *testing.T) {
	w := newWorld(t)
	list := w.payout.invite(fields{"email": "a@x.de"}, fields{"email": "b@x.de"})
	own := &client{w: w, signer: w.payout.signer, token: nth(list, 0)["token"].(string)}
	path := "/recipients/" + id(nth(list, 0))
	own.get(path).ok()
	own.put(path, fields{"label": "x"}).ok()
	own.post(path+"/notifications", nil).ok()
	own.get("/recipients/"+id(nth(list, 1))).refused(401, "020002")
	(&client{w: w, token: own.token}).get(path).refused(401, "020002")
	own.del(path).ok()
}

// A reminder goes out with the resend while it is the recipient's turn, but not
// each time.
func TestAResendRemindsAtMostOnceAnHour(t *testing.T) {
	w := newWorld(t)
	w.settings(merchant.Settings{RecipientIPN: "https://shop.example/ipn"})
	w.pass(2 * time.Second) // what is remembered of the account
	r := nth(w.payout.invite(fields{"email": "a@x.de"}), 0)
	count := func(kind string) (n int) {
		list, err := w.app.Deliveries(t.Context(), id(r))
		w.must(err)
		for _, d := range list {
			if d.Kind == kind {
				n++
			}
		}
		return n
	}
	for i, c := range []struct {
		wait         time.Duration
		hooks, mails int
	}{{0, 2, 1}, {59 * time.Minute, 3, 1}, {time.Minute, 4, 2}, {time.Minute, 5, 2}} {
		w.pass(c.wait)
		w.payout.post("/recipients/"+id(r)+"/notifications", nil).ok()
		if h, m := count("webhook"), count("mail"); h != c.hooks || m != c.mails {
			t.Errorf("after resend %d: %d webhooks and %d mails, want %d and %d", i+1, h, m, c.hooks, c.mails)
		}
	}
}
