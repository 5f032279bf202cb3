package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/store"
)

// Delivered is one delivery with where it goes, what it tells and all its tries.
type Delivered struct {
	store.Delivery
	Kind     string // webhook or mail
	Endpoint string // URL or mail address
	Code     int64  // of the event
	Name     string // of the event
	Tries    []store.Attempt
}

// Deliveries lists what was or is to be sent about a resource, oldest first.
func (a *App) Deliveries(ctx context.Context, resource string) (out []Delivered, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.DeliveriesOf(resource)
		if err != nil {
			return err
		}
		out = make([]Delivered, len(list))
		for i, d := range list {
			if out[i], err = delivered(tx, d); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func delivered(tx *store.Tx, d store.Delivery) (Delivered, error) {
	lane, err1 := tx.Lane(d.Lane)
	tries, err2 := tx.Attempts(d.ID)
	event, err3 := tx.Event(d.Event)
	if errors.Is(err3, store.ErrNotFound) {
		err3 = nil // the log is still worth reading
	}
	return Delivered{
		Delivery: d, Kind: lane.Kind, Endpoint: lane.Endpoint, Code: event.Code, Name: event.Name, Tries: tries,
	}, errors.Join(err1, err2, err3)
}

// Redeliver has a delivery tried now, whether it waits, failed or was delivered
// before. It keeps its id, and its state is shown as it is then.
func (a *App) Redeliver(ctx context.Context, deliveryID string) error {
	var resource string
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := tx.Delivery(deliveryID)
		if err != nil {
			return err
		}
		resource = d.Resource
		return tx.Redeliver(d.ID, a.now())
	})
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("no delivery has the id %q: `quittance webhook list` shows them", deliveryID)
	}
	if err == nil {
		a.tellEvents(resource)
	}
	return err
}
