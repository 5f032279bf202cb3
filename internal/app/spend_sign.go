package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/transfer"
)

// sign gets the latest attempt signed and makes the bytes durable. Nothing was
// sent yet, so a crash here only asks for the same signature again.
func (s *spender) sign(ctx context.Context, t *transfer.Transfer) (again bool, err error) {
	signer, ok := s.signer()
	if !ok {
		return false, s.awaitSignature(ctx, t)
	}
	n := len(t.Attempts) - 1
	if err := s.at("sign/before"); err != nil {
		return false, err
	}
	if err := s.noteSigning(ctx, t); err != nil {
		return false, fmt.Errorf("write the journal: %w", err)
	}
	packet, err := signer.Sign(ctx, chain.SignRequest{
		Transfer: t.ID, Wallet: s.wallet.ID, Account: chain.Account{XPub: s.wallet.XPub, Kind: s.wallet.Kind}, Packet: t.Attempts[n].Packet,
	})
	if err := s.at("sign/after"); err != nil {
		return false, err
	}
	if held := (*chain.Withheld)(nil); errors.As(err, &held) {
		return false, s.withheld(ctx, t, held)
	}
	if err != nil {
		return false, s.note(ctx, t.ID, "the signer could not be asked: "+err.Error())
	}
	return true, s.recordSigned(ctx, t.ID, n, packet)
}

func (s *spender) signer() (chain.Signer, bool) {
	if s.Signers == nil {
		return nil, false
	}
	return s.Signers.Signer(s.wallet)
}

// recordSigned holds a signed packet against its plan and stores the bytes.
func (s *spender) recordSigned(ctx context.Context, id string, n int, packet []byte) error {
	t, err := s.read(ctx, id)
	if err != nil {
		return err
	}
	signed, err := s.asset.Spending.Finish(t.Attempts[n].Plan(), packet)
	if err != nil {
		return s.note(ctx, id, "the signed transaction cannot be used: "+err.Error())
	}
	if err := s.at("signed/before"); err != nil {
		return err
	}
	err = s.change(ctx, id, func(tx *store.Tx, t *transfer.Transfer) error {
		return t.Record(n, signed, s.now())
	})
	if err != nil {
		return err
	}
	return s.at("signed/after")
}

// withheld notes why there is no signature. What will never be signed is given
// up, if nobody can have a signature of it: one payment fails, of several each gets
// another chance without the others.
func (s *spender) withheld(ctx context.Context, t *transfer.Transfer, held *chain.Withheld) error {
	if !held.Final || !t.Secret() {
		return s.note(ctx, t.ID, held.Reason)
	}
	err := s.change(ctx, t.ID, func(tx *store.Tx, t *transfer.Transfer) error {
		return giveUp(tx, t, held.Reason)
	})
	if err != nil {
		return err
	}
	return s.noteGivenUp(t.ID)
}

// giveUp drops a transfer that nobody can have a signature of. The caller stores it.
func giveUp(tx *store.Tx, t *transfer.Transfer, why string) error {
	if !t.Secret() {
		return fmt.Errorf("transfer %s was signed meanwhile", t.ID)
	}
	t.Problem = why
	if err := tx.FreeCoins(t.ID); err != nil {
		return err
	}
	return t.Move(transfer.GivenUp)
}

// note keeps why a transfer waits, for people to read.
func (s *spender) note(ctx context.Context, id, problem string) error {
	s.Log.Warn("a payment out waits", "transfer", id, "wallet", s.wallet.ID, "why", problem)
	return s.change(ctx, id, func(_ *store.Tx, t *transfer.Transfer) error {
		t.Problem, t.Asked, t.Tries = problem, s.now(), t.Tries+1
		return nil
	})
}

// send hands the recorded bytes to the network. Whatever comes of it, the same
// bytes are sent again later until the chain has them: an answer that was lost
// costs nothing.
func (s *spender) send(ctx context.Context, t *transfer.Transfer) (again bool, err error) {
	n := t.Unsent()
	a := &t.Attempts[n]
	if err := s.at("send/before"); err != nil {
		return false, err
	}
	err = s.asset.Sender.Send(ctx, a.Raw)
	if err := s.at("send/after"); err != nil {
		return false, err
	}
	if refused := (*chain.Rejected)(nil); errors.As(err, &refused) {
		return false, s.note(ctx, t.ID, "the network refused it: "+refused.Reason)
	}
	if err != nil {
		return false, s.note(ctx, t.ID, "it is not known whether the network has it: "+err.Error())
	}
	if err := s.at("sent/before"); err != nil {
		return false, err
	}
	err = s.change(ctx, t.ID, func(_ *store.Tx, t *transfer.Transfer) error { return t.Handed(n, s.now()) })
	if err != nil {
		return false, err
	}
	return false, s.at("sent/after")
}
