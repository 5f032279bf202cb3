package subscription

import (
	"time"

	"github.com/quittance/quittance/internal/bill"
	"github.com/quittance/quittance/internal/fault"
)

// Subscription is a series of bills with the same content.
type Subscription struct {
	ID       string
	Merchant string
	APIToken string // the token it was created with
	Token    string // the resource's own token
	Status   Status
	Created  time.Time
	Next     time.Time // when the next bill is due to be made
	Version  int64     // grows with each change

	Terms Terms
	State State
}

// Terms is what the merchant asked for.
type Terms struct {
	Bill     bill.Terms `json:"bill"`
	Schedule string     `json:"schedule"` // six cron fields
	// GapMS is how long after its delivery each bill is due: the distance of the
	// first, in ms, at least 0.
	GapMS int64 `json:"gapMS"`
}

// State is what came of it.
type State struct {
	Bills int64     `json:"bills,omitempty"` // made so far
	Last  string    `json:"last,omitempty"`  // the bill made last
	At    time.Time `json:"at,omitzero"`     // the moment of the schedule that it is for
}

// Order is a request for a subscription, or for a change of one.
type Order struct {
	Bill     bill.Terms
	Schedule string    // empty: monthly
	Next     time.Time // zero: now
	Status   Status    // empty: draft
}

// terms checks an order and returns its terms.
func (o *Order) terms() (Terms, error) {
	if o.Bill.Email == "" {
		return Terms{}, fault.Missing(fault.Missing0, "billData.email")
	}
	if o.Bill.Due.IsZero() {
		return Terms{}, fault.Missing(fault.Missing0, "billData.dueDate")
	}
	if err := o.Bill.Check(); err != nil {
		return Terms{}, err
	}
	cron, err := Cron(o.Schedule, o.Next)
	if err != nil {
		return Terms{}, fault.Invalid(fault.Invalid0, "schedule", "%v", err)
	}
	return Terms{Bill: o.Bill, Schedule: cron, GapMS: max(0, o.Bill.Due.Sub(o.Next).Milliseconds())}, nil
}

// New makes a subscription from an order.
func New(id, merchantID, apiToken, token string, o Order, now time.Time) (*Subscription, error) {
	if o.Next.IsZero() {
		o.Next = now
	}
	if o.Status == "" {
		o.Status = Draft
	}
	if o.Status == Cancelled {
		return nil, fault.Invalid(fault.Invalid0, "status", "a subscription starts as draft or active")
	}
	t, err := o.terms()
	if err != nil {
		return nil, err
	}
	return &Subscription{
		ID: id, Merchant: merchantID, APIToken: apiToken, Token: token, Status: o.Status, Created: now, Next: o.Next, Terms: t,
	}, nil
}

// Change takes over an order; what it leaves out stays as it is.
func (s *Subscription) Change(o Order) error {
	if s.Status == Cancelled {
		return fault.New(fault.Invalid0, "The subscription is cancelled and can no longer be changed")
	}
	if o.Status != "" && o.Status != s.Status {
		to, err := Step(s.Status, asked[o.Status])
		if err != nil {
			return fault.Invalid(fault.Invalid0, "status", "a subscription that is %s cannot become %s", s.Status, o.Status)
		}
		s.Status = to
	}
	if !o.Next.After(s.State.At) {
		o.Next = s.Next // not given, or read before that delivery was made and sent back
	}
	if o.Schedule == "" {
		o.Schedule = s.Terms.Schedule
	}
	t, err := o.terms()
	if err != nil {
		return err
	}
	if o.Bill.Due.Equal(s.Terms.Bill.Due) {
		t.GapMS = s.Terms.GapMS // of the first delivery, for all later ones
	}
	s.Terms, s.Next = t, o.Next
	return nil
}

// Due reports whether a bill is to be made now.
func (s *Subscription) Due(now time.Time) bool { return s.Status == Active && !s.Next.After(now) }

// Deliver says what the bill of now is and moves on. However many deliveries
// were missed while nobody ran the clock, they make one bill: the latest.
func (s *Subscription) Deliver(now time.Time) (bill.Terms, error) {
	at := Last(s.Terms.Schedule, now, s.Next)
	next, err := Next(s.Terms.Schedule, now)
	if err != nil {
		return bill.Terms{}, err
	}
	t := s.Terms.Bill
	t.Due = at.Add(time.Duration(s.Terms.GapMS) * time.Millisecond)
	s.Next, s.State.At = next, at
	s.State.Bills++
	return t, nil
}
