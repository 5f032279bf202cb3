package mail

import (
	"fmt"

	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// Refund writes to the buyer about a refund. claim is the link under which the
// buyer says where the money goes; it is in the first mail only.
func Refund(e store.Event, r *refund.Refund, inv *invoice.Invoice, claim string) (Message, error) {
	shop := inv.Terms.Order.MerchantName
	l := Letter{From: shop}
	switch refund.Status(e.Status) {
	case refund.Created:
		if r.Status != refund.Created || r.State.Address != "" {
			return Message{}, fmt.Errorf("refund %s is %s: nobody has to be asked for an address", r.ID, r.Status)
		}
		l.Title = "Your refund from " + shop + " is waiting"
		l.Text = []string{
			"Say where to send it: open the link, paste an address of your own wallet, and check it. The money is sent to that address and cannot be called back.",
			"On the page of your invoice you can give the code below instead.",
			"Do not pass the link or the code on: whoever has it can say where the money goes. We never take the address from your payment, because it may not be yours.",
		}
		l.Link, l.LinkText = claim, "Say where to send it"
	case refund.Pending:
		l.Title = "Your refund from " + shop + " is on its way"
		l.Text = []string{"It was sent to the address that you gave. The network usually confirms it within an hour."}
	case refund.Success:
		l.Title = "Your refund from " + shop + " has arrived"
		l.Text = []string{"The network has confirmed it. Nothing is left to do."}
	case refund.Canceled:
		l.Title = "Your refund from " + shop + " was withdrawn"
		l.Text = []string{"The shop has withdrawn it. If you did not expect that, please ask the shop."}
	case refund.Failure:
		l.Title = "Your refund from " + shop + " could not be sent"
		l.Text = []string{"Please ask the shop: it has been told why."}
	default:
		return Message{}, fmt.Errorf("no mail is written for a refund that is %s", e.Status)
	}
	l.row("Amount", amount(r.Terms.Currency, r.Terms.Amount))
	if r.Terms.BuyerPays {
		l.row("Network", amount(r.Terms.Asset, r.Terms.AssetFee)+", already taken off")
	}
	l.row("You get", amount(r.Terms.Asset, r.Terms.Net()))
	l.row("Order", inv.Terms.Order.OrderID)
	l.row("Invoice", inv.ID)
	if refund.Status(e.Status) == refund.Created {
		l.row("Code", r.ClaimCode(r.State.Claims))
	}
	l.row("Address", r.State.Address)
	l.row("Transaction", r.State.Txid)
	return l.Message()
}
