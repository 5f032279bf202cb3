package settlement

import (
	"errors"
	"fmt"
	"time"

	"github.com/quittance/quittance/internal/money"
)

// Rail is the way a settlement reaches the merchant.
type Rail string

// Book: the coins are in the merchant's own wallet already. Wallet: they are sent
// to an address. Manual: the operator pays by bank and says so.
const (
	Book   Rail = "book"
	Wallet Rail = "wallet"
	Manual Rail = "manual"
)

// Settlement is one period of one ledger, paid out.
type Settlement struct {
	ID       string
	Merchant string
	Token    string // the resource's own token
	Currency string
	Status   Status
	Created  time.Time
	Version  int64
	Terms    Terms
	State    State
}

// Terms is the part that never changes. Amounts are smallest units of the
// currency; the entries taken in are those after From up to To, by number.
type Terms struct {
	Rail         Rail          `json:"rail"`
	From         int64         `json:"from"`
	To           int64         `json:"to"`
	Opening      time.Time     `json:"opening"`
	Closing      time.Time     `json:"closing"`
	Balance      money.Delta   `json:"balance"` // at the opening
	Sum          money.Delta   `json:"sum"`     // of the entries
	Withholdings []Withholding `json:"withholdings,omitempty"`
	Total        money.Units   `json:"total"`
	Address      string        `json:"address,omitempty"` // rail wallet
	Asset        string        `json:"asset,omitempty"`   // rail wallet
	Label        string        `json:"label,omitempty"`
}

// Withholding is a part of the balance that stays.
type Withholding struct {
	Code        string      `json:"code"`
	Description string      `json:"description"`
	Amount      money.Units `json:"amount"`
}

// PendingRefunds is the withholding for refunds that are not taken from the
// balance yet.
func PendingRefunds(u money.Units) Withholding {
	return Withholding{Code: "W005", Description: "Pending Refunds", Amount: u}
}

// State is the part that changes besides the status.
type State struct {
	Entry     string    `json:"entry,omitempty"` // the ledger entry that took the money
	Order     string    `json:"order,omitempty"` // the order that pays it
	Txid      string    `json:"txid,omitempty"`
	Executed  time.Time `json:"executed,omitzero"`
	Completed time.Time `json:"completed,omitzero"`
	Problem   string    `json:"problem,omitempty"`
}

// Withheld is the sum of the withholdings.
func (t *Terms) Withheld() (sum money.Units) {
	for _, w := range t.Withholdings {
		sum, _ = sum.Add(w.Amount) // parts of one balance
	}
	return sum
}

// Reckon sets the total: what the ledger had, and got, less what stays. It
// reports whether there is anything to settle, which is at least the minimum.
func (t *Terms) Reckon(minimum money.Units) (bool, error) {
	d, err1 := t.Balance.Add(t.Sum)
	d, err2 := d.Sub(t.Withheld().Delta())
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	if d.Sign() <= 0 || d.Abs().Cmp(minimum) < 0 {
		return false, nil
	}
	t.Total = d.Abs()
	return true, nil
}

// Move takes a listed step.
func (s *Settlement) Move(e Event, now time.Time) error {
	to, err := Step(s.Status, e)
	if err != nil {
		return err
	}
	s.Status = to
	switch to {
	case Processing:
		s.State.Executed, s.State.Completed = now, time.Time{}
	case Completed:
		if s.State.Executed.IsZero() {
			s.State.Executed = now
		}
		s.State.Completed = now
	}
	return nil
}

// Schedule is when periods end.
type Schedule struct {
	Hour, Minute int  // UTC
	Daily        bool // else Monday to Friday
}

// ParseSchedule reads a time of day such as "09:00"; empty is that.
func ParseSchedule(clock string, daily bool) (Schedule, error) {
	if clock == "" {
		clock = "09:00"
	}
	t, err := time.Parse("15:04", clock)
	if err != nil {
		return Schedule{}, fmt.Errorf("%q is not a time of day such as 09:00", clock)
	}
	return Schedule{t.Hour(), t.Minute(), daily}, nil
}

// Last is the latest end of a period at or before now.
func (s Schedule) Last(now time.Time) time.Time {
	now = now.UTC()
	end := time.Date(now.Year(), now.Month(), now.Day(), s.Hour, s.Minute, 0, 0, time.UTC)
	if end.After(now) {
		end = end.AddDate(0, 0, -1)
	}
	for !s.Daily && (end.Weekday() == time.Saturday || end.Weekday() == time.Sunday) {
		end = end.AddDate(0, 0, -1)
	}
	return end
}
