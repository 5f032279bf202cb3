package pages

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/wire"
)

// liveState is what may change while a page is open. It holds no time and no
// secret, so that equal text means that nothing happened.
type liveState struct {
	ID        string       `json:"id"`
	Status    string       `json:"status"`
	Exception wire.FalseOr `json:"exceptionStatus"`
	Phase     phase        `json:"phase"`
	Have      int64        `json:"confirmations"`
	Need      int64        `json:"confirmationsNeeded"`
	Received  string       `json:"received"`
	Asset     string       `json:"asset"`
	Email     bool         `json:"contactKnown"`
	Expires   int64        `json:"expirationTime"` // Unix ms
	Refunds   string       `json:"refunds,omitempty"`
}

func encodeState(s app.Shown, now time.Time) (string, error) {
	o, pr := s.Chosen(), s.Progress(s.Tips)
	b, err := json.Marshal(liveState{
		ID: s.ID, Status: string(s.Status), Exception: wire.FalseOr(s.Exception()), Phase: phaseOf(s.Invoice, now),
		Have: pr.Have, Need: pr.Need, Received: amount(o.Asset, s.Received()), Asset: o.Asset,
		Email: s.Contact() != "", Expires: s.Expires.UnixMilli(), Refunds: refundState(s, now),
	})
	return string(b), err
}

func (p *Pages) state(w http.ResponseWriter, r *http.Request) error {
	s, err := p.App.Invoice(r.Context(), r.FormValue("id"))
	if err != nil {
		return err
	}
	return p.sendState(w, s)
}

func (p *Pages) sendState(w http.ResponseWriter, s app.Shown) error {
	b, err := encodeState(s, p.Now())
	if err != nil {
		return err
	}
	return p.sendJSON(w, http.StatusOK, json.RawMessage(b))
}

func (p *Pages) sendJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(b); err != nil {
		p.Log.Debug("the browser went away", "error", err)
	}
	return nil
}
