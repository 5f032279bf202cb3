package view

import (
	"time"

	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/wire"
)

// isoForm is how times of everything but invoices are written.
const isoForm = "2006-01-02T15:04:05.000Z"

func iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(isoForm)
}

// Refund renders a refund. Amounts are in currency units.
func (r *Renderer) Refund(f *refund.Refund) *wire.Refund {
	t := &f.Terms
	w := &wire.Refund{
		ID: f.ID, GUID: f.GUID, Invoice: f.Invoice, Reference: t.Reference, Status: string(f.Status),
		Amount: number(t.Currency, t.Amount), Currency: t.Currency, RefundFee: number(t.Currency, t.Fee),
		TransactionCurrency: t.Asset, TransactionAmount: number(t.Asset, t.Gross), TransactionRefundFee: number(t.Asset, t.AssetFee),
		Immediate: t.Immediate, BuyerPaysRefundFee: t.BuyerPays, RequestDate: iso(f.Created), LastRefundNotification: iso(f.State.Notified),
		RefundAddress: f.State.Address, Txid: f.State.Txid, Type: refundType(f), NotificationURL: t.Notification, Token: f.Token,
	}
	if f.Status != refund.Preview {
		w.SupportRequest = t.Support
	}
	return w
}

func refundType(f *refund.Refund) string {
	switch f.Terms.Reason {
	case refund.Over:
		return "overpayment"
	case refund.Under:
		return "underpayment"
	case refund.Late:
		return "late"
	}
	if f.Terms.Full || f.Terms.Reason == refund.Declined {
		return "full"
	}
	return ""
}

// RefundNotice is what a webhook says about a refund: no token, and no address
// but the one it went to.
func (r *Renderer) RefundNotice(f *refund.Refund) *wire.Refund {
	w := r.Refund(f)
	w.Token, w.NotificationURL = "", ""
	return w
}

// ClaimURL is where the buyer of a refund says where the money goes.
func (r *Renderer) ClaimURL(f *refund.Refund) string {
	return r.PublicURL + "/refund?id=" + f.ID + "&code=" + f.ClaimCode(f.State.Claims)
}
