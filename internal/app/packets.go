package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// signElsewhere tells people why a transfer of a watch-only wallet waits.
const signElsewhere = "it waits to be signed elsewhere: `quittance psbt export` hands out the transaction, `quittance psbt import` takes it back"

// awaitSignature notes that nobody here can sign a transfer.
func (s *spender) awaitSignature(ctx context.Context, t *transfer.Transfer) error {
	if t.Problem == signElsewhere {
		return nil
	}
	return s.change(ctx, t.ID, func(_ *store.Tx, t *transfer.Transfer) error {
		t.Problem = signElsewhere
		return nil
	})
}

// ToSign lists the transfers that wait for a signature from elsewhere, oldest
// first; with an empty wallet, those of all.
func (a *App) ToSign(ctx context.Context, walletID string) (list []*transfer.Transfer, err error) {
	all, err := a.Transfers(ctx, walletID, 1000)
	for i := len(all) - 1; i >= 0; i-- {
		if _, open := all[i].Unsigned(); open {
			list = append(list, all[i])
		}
	}
	return list, err
}

// Transfers lists transfers, newest first; with an empty wallet, those of all.
func (a *App) Transfers(ctx context.Context, walletID string, limit int) (list []*transfer.Transfer, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Transfers(walletID, limit)
		return err
	})
	return list, err
}

// ExportPacket hands out the unsigned transaction of a transfer (for Bitcoin a
// PSBT, BIP 174). From here on a signature may exist, so the transfer keeps its
// inputs until the chain says that they are gone. Asking again gives the same.
func (a *App) ExportPacket(ctx context.Context, id string) (packet []byte, err error) {
	t, err := a.Transfer(ctx, id)
	if err != nil {
		return nil, err
	}
	s, err := a.lease(ctx, t.Wallet)
	if err != nil {
		return nil, err
	}
	defer s.done(ctx)
	if t, err = s.read(ctx, id); err != nil {
		return nil, err
	}
	if err := a.mayLeave(ctx); err != nil {
		return nil, err
	}
	if err := s.noteSigning(ctx, t); err != nil {
		return nil, fmt.Errorf("write the journal: %w", err)
	}
	err = s.change(ctx, id, func(_ *store.Tx, t *transfer.Transfer) (err error) {
		n, ok := t.Unsigned()
		if !ok {
			return fmt.Errorf("transfer %s is %s: it does not wait for a signature", id, t.State)
		}
		if s.Journal != nil && n >= s.journaled(id) {
			return errTaken // replaced meanwhile
		}
		if packet, err = s.asset.Spending.Outside(t.Attempts[n].Packet); err != nil {
			return err
		}
		return t.Export(n)
	})
	return packet, err
}

// mayLeave refuses in a sentence while money out is locked.
func (a *App) mayLeave(ctx context.Context) error {
	locks, err := a.Locks(ctx)
	if err == nil && len(locks) > 0 {
		err = errors.New("no money leaves at present: `quittance outgoing status` says why")
	}
	return err
}

// ImportPacket takes a packet back that was signed elsewhere. It is held against
// the plan: the same transaction, each input signed for all of it; then the bytes
// are recorded, and the server sends them. Importing the same again changes
// nothing.
func (a *App) ImportPacket(ctx context.Context, packet []byte) (*transfer.Transfer, error) {
	id, n, err := a.planOf(ctx, packet)
	if err != nil {
		return nil, err
	}
	t, err := a.Transfer(ctx, id)
	if err != nil {
		return nil, err
	}
	s, err := a.lease(ctx, t.Wallet)
	if err != nil {
		return nil, err
	}
	defer s.done(ctx)
	if t, err = s.read(ctx, id); err != nil || len(t.Attempts[n].Raw) > 0 {
		return t, err
	}
	signed, err := s.asset.Spending.Finish(t.Attempts[n].Plan(), packet)
	if err != nil {
		return nil, fmt.Errorf("the packet for transfer %s cannot be used: %s", id, sentence(err))
	}
	err = s.change(ctx, id, func(_ *store.Tx, t *transfer.Transfer) error {
		if len(t.Attempts[n].Raw) > 0 {
			return nil
		}
		return t.Record(n, signed, s.now())
	})
	if err != nil {
		return nil, err
	}
	return t, s.advance(ctx, id)
}

// planOf finds the attempt that a packet belongs to: the transaction in it says so.
func (a *App) planOf(ctx context.Context, packet []byte) (id string, attempt int, err error) {
	list, err := a.Transfers(ctx, "", 10_000)
	if err != nil {
		return "", 0, err
	}
	for _, t := range list {
		asset, ok := a.Asset(t.Asset)
		if !ok || asset.Spending == nil {
			continue
		}
		for n := range t.Attempts {
			same, err := asset.Spending.Same(t.Attempts[n].Packet, packet)
			if err != nil {
				return "", 0, errors.New(sentence(err))
			}
			if same {
				return t.ID, n, nil
			}
		}
	}
	return "", 0, errors.New("no transfer of this server has the transaction in this packet; if it was changed on the way, sign what `quittance psbt export` gives")
}
