package store

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/quittance/quittance/internal/store/sqldb"
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID       string
	Lane     string
	Ord      int64 // place in the lane
	Event    string
	Resource string
	State    string // waiting, done or failed
	Attempts int64  // tries so far
	Round    int64  // tries before the present round of the retry schedule
	Aside    bool   // it waits apart and holds up only its own resource
	RunAt    time.Time
	Created  time.Time
}

// The states of a delivery.
const (
	Waiting = "waiting"
	Done    = "done"
	Failed  = "failed"
)

// Lane is the ordered queue of one endpoint of one merchant.
type Lane struct {
	ID       string
	Kind     string // webhook or mail
	Endpoint string // URL or mail address
	Merchant string
	Waiting  int64
	RunAt    time.Time
}

// Attempt is one try of a delivery.
type Attempt struct {
	Delivery string
	N        int64
	At       time.Time
	Duration time.Duration
	Status   int    // HTTP status, 0 when there was no answer
	Answer   string // the beginning of the answer's body
	Error    string // why it does not count; empty on success
}

// Enqueue puts an event at the end of an endpoint's lane, in the transaction
// that makes the event true. A lane that waits for its head's next try is not
// woken by it; one that waits only for what was set aside is.
func (tx *Tx) Enqueue(l Lane, d Delivery) error {
	err := tx.row(`INSERT INTO lane (id, kind, endpoint, merchant, last_ord, waiting, run_at, lease_owner, lease_until)
		VALUES ($1, $2, $3, $4, 1, 1, $5, '', 0)
		ON CONFLICT (id) DO UPDATE SET last_ord = lane.last_ord + 1, waiting = lane.waiting + 1,
			run_at = CASE WHEN lane.waiting = 0 THEN excluded.run_at
				WHEN lane.run_at > excluded.run_at AND EXISTS (
					SELECT 1 FROM delivery d WHERE d.lane = lane.id AND d.state = 'waiting' AND d.aside = 1) THEN excluded.run_at
				ELSE lane.run_at END
		RETURNING last_ord`, []any{l.ID, l.Kind, l.Endpoint, l.Merchant, ms(d.RunAt)}, &d.Ord)
	if err != nil {
		return err
	}
	return tx.one(ErrExists, `INSERT INTO delivery (id, lane, ord, event, resource, state, attempts, round, aside, run_at, created_at)
		VALUES ($1, $2, $3, $4, $5, 'waiting', 0, 0, 0, $6, $7)`,
		d.ID, l.ID, d.Ord, d.Event, d.Resource, ms(d.RunAt), ms(d.Created))
}

// SkipLanes says which lanes are not wanted now: those whose endpoint begins
// with one of the texts, and those of the merchants.
type SkipLanes struct {
	Endpoints []string
	Merchants []string
}

// Len is how many groups of lanes are skipped.
func (s SkipLanes) Len() int { return len(s.Endpoints) + len(s.Merchants) }

// DueLanes lists lanes with something to try now that nobody works on, longest
// due first.
func (tx *Tx) DueLanes(now time.Time, limit int, skip SkipLanes) ([]Lane, error) {
	where, args := `waiting > 0 AND run_at <= $1 AND lease_until < $1`, []any{ms(now), limit}
	for _, e := range skip.Endpoints {
		args = append(args, e)
		where += fmt.Sprintf(` AND substr(endpoint, 1, %d) <> $%d`, utf8.RuneCountInString(e), len(args))
	}
	for _, m := range skip.Merchants {
		args = append(args, m)
		where += fmt.Sprintf(` AND merchant <> $%d`, len(args))
	}
	return tx.lanes(where+` ORDER BY run_at LIMIT $2`, args...)
}

// WaitingLanes lists the endpoints that something waits for.
func (tx *Tx) WaitingLanes() ([]Lane, error) { return tx.lanes(`waiting > 0 ORDER BY id`) }

// NextLane is when the next lane is due; zero when none waits.
func (tx *Tx) NextLane() (time.Time, error) {
	var t int64
	err := tx.row(`SELECT COALESCE(min(CASE WHEN run_at > lease_until THEN run_at ELSE lease_until END), 0) FROM lane WHERE waiting > 0`, nil, &t)
	return at(t), err
}

// Lane reads one lane.
func (tx *Tx) Lane(id string) (Lane, error) {
	list, err := tx.lanes(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Lane{}, err
	}
	return list[0], nil
}

func (tx *Tx) lanes(where string, args ...any) ([]Lane, error) {
	var out []Lane
	err := tx.each(`SELECT id, kind, endpoint, merchant, waiting, run_at FROM lane WHERE `+where, args, func(r sqldb.Rows) error {
		var l Lane
		var t int64
		err := r.Scan(&l.ID, &l.Kind, &l.Endpoint, &l.Merchant, &l.Waiting, &t)
		l.RunAt = at(t)
		out = append(out, l)
		return err
	})
	return out, err
}

// LeaseLane takes a lane for one worker until a time, or reports ErrChanged
// when another has it.
func (tx *Tx) LeaseLane(lane, owner string, now, until time.Time) error {
	return tx.one(ErrChanged, `UPDATE lane SET lease_owner = $2, lease_until = $4 WHERE id = $1 AND (lease_until < $3 OR lease_owner = $2)`,
		lane, owner, ms(now), ms(until))
}

// LeaveLane gives a lane back and returns when the first of what waits in it is
// due, zero when nothing waits. A worker that lost its lease changes nothing.
func (tx *Tx) LeaveLane(lane, owner string) (time.Time, error) {
	next, err := tx.laneDue(lane)
	if err != nil {
		return time.Time{}, err
	}
	_, err = tx.exec(`UPDATE lane SET lease_owner = '', lease_until = 0, run_at = $3 WHERE id = $1 AND lease_owner = $2`, lane, owner, next)
	return at(next), err
}

// ReleaseLanes frees what an earlier run under the same name left leased.
func (tx *Tx) ReleaseLanes(owner string) error {
	_, err := tx.exec(`UPDATE lane SET lease_owner = '', lease_until = 0 WHERE lease_owner = $1`, owner)
	return err
}

// unheld is a waiting delivery with nothing set aside before it that is about
// the same resource.
const unheld = `d.lane = $1 AND d.state = 'waiting' AND NOT EXISTS (
	SELECT 1 FROM delivery p WHERE p.lane = d.lane AND p.resource = d.resource
		AND p.state = 'waiting' AND p.aside = 1 AND p.ord < d.ord)`

// laneDue is the earliest time something in a lane can be tried, 0 when nothing
// waits.
func (tx *Tx) laneDue(lane string) (int64, error) {
	var next int64
	err := tx.row(`SELECT COALESCE(min(t), 0) FROM (
		SELECT run_at AS t FROM (SELECT d.run_at FROM delivery d WHERE d.aside = 0 AND `+unheld+` ORDER BY d.ord LIMIT 1) head
		UNION ALL SELECT d.run_at FROM delivery d WHERE d.aside = 1 AND `+unheld+`) due`, []any{lane}, &next)
	return next, err
}

// WaitingIn lists what waits in a lane, in order: the head may be tried when it
// is due, the rest once all before it are delivered. What was set aside, and
// what is held by it, is not among them.
func (tx *Tx) WaitingIn(lane string, limit int) ([]Delivery, error) {
	return tx.deliveries(`d.aside = 0 AND `+unheld+` ORDER BY d.ord LIMIT $2`, lane, limit)
}

// AsideIn lists what was set aside in a lane and is due, longest due first.
func (tx *Tx) AsideIn(lane string, now time.Time, limit int) ([]Delivery, error) {
	return tx.deliveries(`d.aside = 1 AND d.run_at <= $2 AND `+unheld+` ORDER BY d.run_at, d.ord LIMIT $3`, lane, ms(now), limit)
}

// SetAside takes a delivery out of its lane's order: it goes on being tried by
// itself and holds up only later deliveries about the same resource.
func (tx *Tx) SetAside(delivery string) error {
	return tx.one(ErrChanged, `UPDATE delivery SET aside = 1 WHERE id = $1 AND state = 'waiting'`, delivery)
}

// DeliveriesOf lists the deliveries about a resource, oldest first.
func (tx *Tx) DeliveriesOf(resource string) ([]Delivery, error) {
	return tx.deliveries(`d.resource = $1 ORDER BY d.created_at, d.ord`, resource)
}

// Delivery reads one delivery.
func (tx *Tx) Delivery(id string) (Delivery, error) {
	list, err := tx.deliveries(`d.id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Delivery{}, err
	}
	return list[0], nil
}

func (tx *Tx) deliveries(where string, args ...any) ([]Delivery, error) {
	var out []Delivery
	err := tx.each(`SELECT d.id, d.lane, d.ord, d.event, d.resource, d.state, d.attempts, d.round, d.aside, d.run_at, d.created_at
		FROM delivery d WHERE `+where, args, func(r sqldb.Rows) error {
		var d Delivery
		var aside, run, created int64
		err := r.Scan(&d.ID, &d.Lane, &d.Ord, &d.Event, &d.Resource, &d.State, &d.Attempts, &d.Round, &aside, &run, &created)
		d.Aside, d.RunAt, d.Created = aside == 1, at(run), at(created)
		out = append(out, d)
		return err
	})
	return out, err
}

// RecordAttempt logs a try and moves its delivery on: done, failed for good, or
// waiting until runAt. It reports ErrChanged when another worker was first.
func (tx *Tx) RecordAttempt(a Attempt, state string, runAt time.Time) error {
	err := tx.one(ErrChanged, `UPDATE delivery SET state = $2, attempts = $3, run_at = $4 WHERE id = $1 AND state = 'waiting' AND attempts = $3 - 1`,
		a.Delivery, state, a.N, ms(runAt))
	if err != nil {
		return err
	}
	err = tx.one(ErrExists, `INSERT INTO attempt (delivery, n, at, duration_ms, status, answer, error) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.Delivery, a.N, ms(a.At), a.Duration.Milliseconds(), int64(a.Status), a.Answer, a.Error)
	if err != nil || state == Waiting {
		return err
	}
	_, err = tx.exec(`UPDATE lane SET waiting = waiting - 1 WHERE id = (SELECT lane FROM delivery WHERE id = $1)`, a.Delivery)
	if err != nil || state == Done {
		return err
	}
	// What a delivery set aside has held is as likely to be refused: it does not
	// come back to hold up the lane.
	_, err = tx.exec(`UPDATE delivery SET aside = 1, run_at = $2 WHERE id = (
		SELECT n.id FROM delivery n JOIN delivery d ON d.lane = n.lane AND d.resource = n.resource
		WHERE d.id = $1 AND d.aside = 1 AND n.state = 'waiting' AND n.ord > d.ord ORDER BY n.ord LIMIT 1)`, a.Delivery, ms(a.At))
	return err
}

// Refusals counts the tries of a delivery's present round that got an HTTP
// answer which was not a success.
func (tx *Tx) Refusals(d Delivery) (n int64, err error) {
	err = tx.row(`SELECT count(*) FROM attempt WHERE delivery = $1 AND n > $2 AND status > 0 AND error <> ''`, []any{d.ID, d.Round}, &n)
	return n, err
}

// Redeliver has a delivery tried now. One that is finished starts a new round of
// tries beside the lane's order; for one that waits, the head of its lane is
// brought forward too.
func (tx *Tx) Redeliver(id string, now time.Time) error {
	d, err := tx.Delivery(id)
	if err != nil {
		return err
	}
	more := int64(0)
	if d.State != Waiting {
		more = 1
		err = tx.one(ErrChanged, `UPDATE delivery SET state = 'waiting', aside = 1, round = attempts, run_at = $2 WHERE id = $1 AND state <> 'waiting'`, id, ms(now))
	} else {
		_, err = tx.exec(`UPDATE delivery SET run_at = $2 WHERE state = 'waiting' AND (id = $3
			OR id = (SELECT d.id FROM delivery d WHERE d.aside = 0 AND `+unheld+` ORDER BY d.ord LIMIT 1))`, d.Lane, ms(now), id)
	}
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE lane SET waiting = waiting + $2, run_at = $3 WHERE id = $1`, d.Lane, more, ms(now))
	return err
}

// Attempts lists the tries of a delivery, in order.
func (tx *Tx) Attempts(delivery string) ([]Attempt, error) {
	var out []Attempt
	err := tx.each(`SELECT delivery, n, at, duration_ms, status, answer, error FROM attempt WHERE delivery = $1 ORDER BY n`, []any{delivery}, func(r sqldb.Rows) error {
		var a Attempt
		var t, dur, status int64
		err := r.Scan(&a.Delivery, &a.N, &t, &dur, &status, &a.Answer, &a.Error)
		a.At, a.Duration, a.Status = at(t), time.Duration(dur)*time.Millisecond, int(status)
		out = append(out, a)
		return err
	})
	return out, err
}

// Mail is a message kept in the sandbox instead of being sent.
type Mail struct {
	ID        string
	Sent      time.Time
	Recipient string
	Subject   string
	Text      string
	HTML      string
}

// AddMail keeps a sandbox message.
func (tx *Tx) AddMail(m Mail) error {
	return tx.one(ErrExists, `INSERT INTO sandbox_mail (id, sent_at, recipient, subject, body_text, body_html) VALUES ($1, $2, $3, $4, $5, $6)`,
		m.ID, ms(m.Sent), m.Recipient, m.Subject, m.Text, m.HTML)
}

// Mails lists the newest sandbox messages first.
func (tx *Tx) Mails(limit int) ([]Mail, error) {
	var out []Mail
	err := tx.each(`SELECT id, sent_at, recipient, subject, body_text, body_html FROM sandbox_mail ORDER BY sent_at DESC, id LIMIT $1`, []any{limit}, func(r sqldb.Rows) error {
		var m Mail
		var t int64
		err := r.Scan(&m.ID, &t, &m.Recipient, &m.Subject, &m.Text, &m.HTML)
		m.Sent = at(t)
		out = append(out, m)
		return err
	})
	return out, err
}
