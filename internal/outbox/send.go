package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/outbox/phpjson"
	"github.com/quittance/quittance/internal/store"
)

// result is what a try brought.
type result struct {
	status   int    // HTTP status, 0 without an answer
	answer   string // the beginning of the answer
	problem  string // why it does not count; empty on success
	hopeless bool   // no later try can do better
}

func (r result) ok() bool { return r.problem == "" }

const (
	maxAnswer  = 1 << 10 // bytes of an answer kept in the log
	maxProblem = 500
)

func failed(format string, args ...any) result {
	return result{problem: clean(fmt.Sprintf(format, args...), maxProblem)}
}

func hopeless(format string, args ...any) result {
	r := failed(format, args...)
	r.hopeless = true
	return r
}

// clean makes a text that both engines store: valid UTF-8 without NUL, at most
// max bytes.
func clean(s string, max int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
	if len(s) > max {
		s = strings.ToValidUTF8(s[:max], "")
	}
	return s
}

// parcel is all that a notice is made of, read on one snapshot at delivery time.
type parcel struct {
	event store.Event
	about subject
	from  *merchant.Merchant
}

// send makes one try. An error means that the try could not be made, which says
// nothing about the delivery.
func (o *Outbox) send(ctx context.Context, l store.Lane, d store.Delivery) (result, error) {
	p, missing, err := o.read(ctx, l, d)
	if err != nil {
		return failed("%v", err), err
	}
	if missing != "" {
		return hopeless("%s", missing), nil
	}
	switch l.Kind {
	case "webhook":
		return o.webhook(ctx, l, p), nil
	case "mail":
		return o.mail(ctx, l, d, p), nil
	}
	return hopeless("lane kind %q is not known to this version", l.Kind), nil
}

func (o *Outbox) read(ctx context.Context, l store.Lane, d store.Delivery) (p parcel, missing string, err error) {
	err = o.store.View(ctx, func(tx *store.Tx) (err error) {
		missing, p = "event "+d.Event+" is not in the database", parcel{}
		if p.event, err = tx.Event(d.Event); err != nil {
			return err
		}
		about, known := subjects[p.event.Kind]
		if missing = "nothing is known to tell about a " + p.event.Kind; !known {
			return nil
		}
		missing = p.event.Kind + " " + d.Resource + " is not in the database"
		if p.about, err = about(tx, p.event); err != nil {
			return err
		}
		missing = "merchant " + l.Merchant + " is not in the database"
		if p.from, err = tx.Merchant(l.Merchant); err != nil {
			return err
		}
		missing = ""
		return nil
	})
	if errors.Is(err, store.ErrNotFound) && missing != "" {
		err = nil
	}
	if err != nil {
		missing = ""
	}
	return p, missing, err
}

func (o *Outbox) webhook(ctx context.Context, l store.Lane, p parcel) result {
	now := o.Now()
	body, err := rendered(func() ([]byte, error) { return phpjson.Marshal(p.about.webhook(o.Renderer, p.event, now)) })
	if err != nil {
		return hopeless("the webhook cannot be written: %v", err)
	}
	secret, err := secretOf(p.from)
	if err != nil {
		return hopeless("%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	return o.post(ctx, l.Endpoint, signed(p.about.key(), secret, p.event.ID, now, body), body)
}

func (o *Outbox) mail(ctx context.Context, l store.Lane, d store.Delivery, p parcel) result {
	if o.Mailer == nil {
		return failed("this server has no mail server configured")
	}
	about := p.about
	if l, ok := about.(linked); ok {
		var err error
		if about, err = l.withLink(ctx, o.App, p.event); err != nil {
			if f, refused := fault.As(err); refused {
				return hopeless("no link is made: %s", f.Message)
			}
			return failed("the link cannot be made: %v", err)
		}
	}
	m, err := rendered(func() (mail.Message, error) {
		return about.mail(o.Renderer, p.event)
	})
	if err != nil {
		return hopeless("the mail cannot be written: %v", err)
	}
	m.ID, m.To, m.Date = d.ID, l.Endpoint, o.Now()
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	if err := o.Mailer.Send(ctx, m); err != nil {
		return failed("%v", err)
	}
	return result{}
}

// rendered runs f; rows that no longer make sense must not take the process down.
func rendered[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return f()
}
