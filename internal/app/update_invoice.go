package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
)

// InvoiceUpdate changes the buyer's contact. Exactly one of Email and SMS is set.
type InvoiceUpdate struct {
	Email      string
	SMS        string
	SMSCode    string
	AutoVerify bool // sandbox: the number counts as verified
}

// UpdateInvoice sets the buyer's e-mail, or asks for and checks a number.
func (a *App) UpdateInvoice(ctx context.Context, id string, u InvoiceUpdate) (Shown, error) {
	switch {
	case u.Email != "" && u.SMS != "":
		return Shown{}, fault.Invalid(fault.InvoiceInvalid, "buyerSms", "send either buyerEmail or buyerSms, not both")
	case u.Email == "" && u.SMS == "":
		return Shown{}, fault.Missing(fault.InvoiceMissing, "buyerEmail or buyerSms")
	case u.AutoVerify && a.Sandbox == nil:
		return Shown{}, fault.New(fault.InvoiceDemoOnly, "Unable to perform action outside of demo environment: autoVerify")
	case u.Email != "":
		return a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
			return nil, inv.SetEmail(u.Email)
		})
	case u.AutoVerify:
		return a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
			return nil, inv.SetSMS(u.SMS, "", a.now())
		})
	case u.SMSCode != "":
		return a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
			return nil, inv.VerifySMS(u.SMS, hashSMS(id, u.SMSCode), a.now())
		})
	}
	return a.startSMS(ctx, id, u.SMS)
}

// askSMS starts the verification of a number that came with a new invoice.
func (a *App) askSMS(ctx context.Context, inv *invoice.Invoice, number string) (*invoice.Invoice, error) {
	s, err := a.startSMS(ctx, inv.ID, number)
	if err != nil {
		// The invoice stands and can be paid; the number can be given again.
		a.Log.Warn("the code for a buyer's number could not be sent", "invoice", inv.ID, "error", err)
	}
	if s.Invoice == nil {
		return inv, nil
	}
	return s.Invoice, nil
}

// startSMS stores a fresh code's hash and then sends the code.
func (a *App) startSMS(ctx context.Context, id, number string) (Shown, error) {
	if err := invoice.CheckSMSNumber(number); err != nil {
		return Shown{}, err
	}
	if a.SMS == nil {
		return Shown{}, fault.New(fault.InvoiceSMSUnverified, "SMS is not configured on this server; send buyerEmail instead")
	}
	n, err := rand.Int(a.Rand, big.NewInt(1_000_000))
	if err != nil {
		return Shown{}, err
	}
	code := fmt.Sprintf("%06d", n)
	s, err := a.change(ctx, id, func(inv *invoice.Invoice) ([]invoice.Change, error) {
		return nil, inv.SetSMS(number, hashSMS(id, code), a.now())
	})
	if err != nil {
		return s, err
	}
	if err := a.SMS.Send(ctx, number, s.Terms.Order.MerchantName+": your verification code is "+code); err != nil {
		a.Log.Error("send an SMS", "invoice", id, "error", err)
		return s, fault.New(fault.InvoiceSMSVerify, "Error verifying SMS: the message could not be sent; try again or send buyerEmail")
	}
	return s, nil
}

func hashSMS(id, code string) string {
	h := sha256.Sum256([]byte("sms:" + id + ":" + code))
	return hex.EncodeToString(h[:])
}
