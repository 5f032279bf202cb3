package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// AskSettlementAddress notes a new address to settle to, and mails the merchant a
// link that confirms it. Until then, and for a day after, the old one is used.
func (a *App) AskSettlementAddress(ctx context.Context, merchantID, address string) error {
	if !a.reachable(address) {
		return fmt.Errorf("%q is not an address that anything here can be sent to", address)
	}
	code, err := a.randomText(20, 28)
	if err != nil {
		return err
	}
	id, err := a.newID()
	if err != nil {
		return err
	}
	now := a.now()
	return a.changed(ctx, func(tx *store.Tx) error {
		m, err := tx.Merchant(merchantID)
		if err != nil {
			return err
		}
		s := &m.Settings
		if s.NotificationEmail == "" {
			return errors.New("the merchant has no e-mail address to confirm it from: `quittance merchant set --notification-email` sets one")
		}
		s.SettlementAddress, s.NewAddress, s.NewAddressCode, s.NewAddressConfirmed = s.PayTo(now), address, hashAddressCode(code), 0
		if err := tx.SetMerchant(m); err != nil {
			return err
		}
		n, err := tx.LastEvent(m.ID)
		if err != nil {
			return err
		}
		e := store.Event{ID: id, Merchant: m.ID, Kind: "merchant", Resource: m.ID, Seq: n + 1, Name: "settlement_address", Detail: code, At: now}
		return a.announce(tx, e, "", s.NotificationEmail)
	})
}

// reachable reports whether any asset here can be sent to an address.
func (a *App) reachable(address string) bool {
	for i := range a.Assets {
		if s := a.Assets[i].Spending; s != nil {
			if _, err := s.Destination(address); err == nil {
				return true
			}
		}
	}
	return false
}

func hashAddressCode(code string) string {
	h := sha256.Sum256([]byte("settlement address:" + code))
	return hex.EncodeToString(h[:])
}

// SettlementAddressAsked reads whose address a mailed link confirms. Looking
// changes nothing: mail scanners open links too.
func (a *App) SettlementAddressAsked(ctx context.Context, merchantID, code string) (m *merchant.Merchant, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		m, err = askedAddress(tx, merchantID, code)
		return err
	})
	return m, err
}

// askedAddress is the merchant for whose new address a code was mailed.
func askedAddress(tx *store.Tx, merchantID, code string) (*merchant.Merchant, error) {
	unknown := fault.New(fault.NotFound, "It is not complete, or a newer one was sent. Open the link in the latest mail; the command “quittance settlement address” sends another. Settlements still go to the old address.")
	m, err := tx.Merchant(merchantID)
	if err != nil {
		return nil, refine(err, unknown)
	}
	s := &m.Settings
	if s.NewAddress == "" || subtle.ConstantTimeCompare([]byte(s.NewAddressCode), []byte(hashAddressCode(code))) != 1 {
		return nil, unknown
	}
	return m, nil
}

// ConfirmSettlementAddress starts the day after which a new address is used.
func (a *App) ConfirmSettlementAddress(ctx context.Context, merchantID, code string) (m *merchant.Merchant, err error) {
	now := a.now()
	err = a.changed(ctx, func(tx *store.Tx) error {
		if m, err = askedAddress(tx, merchantID, code); err != nil || m.Settings.NewAddressConfirmed > 0 {
			return err
		}
		m.Settings.NewAddressConfirmed = now.UnixMilli()
		return tx.SetMerchant(m)
	})
	return m, err
}
