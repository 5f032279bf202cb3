package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/recipient"
	"github.com/quittance/quittance/internal/store"
)

// NewRecipients is a request to invite people.
type NewRecipients struct {
	Merchant *merchant.Merchant
	Token    *merchant.Token
	GUID     string // empty: the request cannot be repeated safely
	List     []recipient.Invitation
}

// SubmitRecipients invites those the merchant does not know yet and returns all
// in the order of the request. A known e-mail address returns the recipient who
// has it, as he is: an address that was proven is never lost by submitting
// again. One that was removed is invited anew, as a new recipient. The same guid
// returns what was made first.
func (a *App) SubmitRecipients(ctx context.Context, in NewRecipients) ([]*recipient.Recipient, error) {
	if err := a.checkInvitations(in.List); err != nil {
		return nil, err
	}
	hash, err := hashInvitations(in.List)
	if err != nil {
		return nil, err
	}
	var out []*recipient.Recipient
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		out = nil
		if in.GUID != "" {
			if first, err := tx.Submission(in.Merchant.ID, in.GUID); err == nil {
				out, err = replayed(tx, first, hash)
				return err
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		out, err = a.invite(tx, in)
		if err != nil || in.GUID == "" {
			return err
		}
		return again(tx.AddSubmission(store.Submission{Merchant: in.Merchant.ID, GUID: in.GUID, BodyHash: hash, Recipients: ids(out), At: a.now()}))
	})
	if err != nil {
		return nil, err
	}
	a.tellEvents(ids(out)...)
	return out, nil
}

func (a *App) checkInvitations(list []recipient.Invitation) error {
	switch {
	case len(list) == 0:
		return fault.Missing(fault.Missing0, "recipients")
	case len(list) > recipient.MaxPerCall:
		return fault.Invalid(fault.Invalid0, "recipients", "at most %d in one request; these are %d", recipient.MaxPerCall, len(list))
	}
	for i := range list {
		if err := list[i].Check(a.whyNotURL, invoice.WhyNotEmail); err != nil {
			return inList("recipients", i, err)
		}
	}
	return nil
}

// inList says which member of a list a refusal is about.
func inList(name string, i int, err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	for j, p := range f.Params {
		full := fmt.Sprintf("%s[%d].%s", name, i, p.Name)
		f.Message, f.Params[j].Name = strings.Replace(f.Message, p.Name, full, 1), full
	}
	return f
}

// invite finds or makes each recipient.
func (a *App) invite(tx *store.Tx, in NewRecipients) ([]*recipient.Recipient, error) {
	room, err := a.room(tx, in.Merchant)
	if err != nil {
		return nil, err
	}
	var out []*recipient.Recipient
	for _, who := range in.List {
		r, err := tx.RecipientByEmail(in.Merchant.ID, who.Email)
		if errors.Is(err, store.ErrNotFound) {
			if room--; room < 0 {
				return nil, fault.New(fault.Invalid0, "Invalid recipients: an account has at most %d that are not removed. Remove some, or ask the operator for more", maxRecipients(in.Merchant))
			}
			r, err = a.addRecipient(tx, in, who)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func maxRecipients(m *merchant.Merchant) int64 {
	if m.Settings.MaxRecipients > 0 {
		return m.Settings.MaxRecipients
	}
	return recipient.DefaultLimit
}

// room is how many recipients the merchant may still add.
func (a *App) room(tx *store.Tx, m *merchant.Merchant) (int64, error) {
	n, err := tx.CountRecipients(m.ID)
	return maxRecipients(m) - n, err
}

func (a *App) addRecipient(tx *store.Tx, in NewRecipients, who recipient.Invitation) (*recipient.Recipient, error) {
	id, err1 := a.newID()
	token, err2 := a.newResourceToken()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	r, c := recipient.Invite(id, in.Merchant.ID, in.Token.Token, token, who, a.now())
	changes := []recipient.Change{c}
	list, err := a.numberRecipient(r, changes)
	if err != nil {
		return nil, err
	}
	if err := again(tx.AddRecipient(r)); err != nil {
		return nil, err
	}
	return r, a.emitRecipient(tx, in.Merchant, r, changes, list)
}

// again starts an operation over when another one took the same key meanwhile.
func again(err error) error {
	if errors.Is(err, store.ErrExists) {
		return fmt.Errorf("%w: %w", store.ErrChanged, err)
	}
	return err
}

// replayed answers a guid that was used before.
func replayed(tx *store.Tx, first store.Submission, hash string) ([]*recipient.Recipient, error) {
	if first.BodyHash != hash {
		return nil, fault.Invalid(fault.Invalid0, "guid", "it was used before for other recipients; use a new one for each request")
	}
	var out []*recipient.Recipient
	for _, id := range first.Recipients {
		r, err := tx.Recipient(id)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func ids(list []*recipient.Recipient) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = r.ID
	}
	return out
}

func hashInvitations(list []recipient.Invitation) (string, error) {
	b, err := json.Marshal(list)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}
