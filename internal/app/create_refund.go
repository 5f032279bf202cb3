package app

import (
	"context"
	"errors"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/refund"
	"github.com/quittance/quittance/internal/store"
)

// NewRefund is a request to give a buyer money back.
type NewRefund struct {
	Merchant  *merchant.Merchant
	Token     *merchant.Token
	Invoice   string
	Amount    string // decimal, in the invoice's currency
	Currency  string // empty, or the invoice's
	Preview   bool
	Immediate bool
	BuyerPays bool
	Reference string
	GUID      string // empty: the server chooses one
}

// CreateRefund quotes a refund and, unless only a preview is wanted, asks the
// buyer for an address. The same guid returns the refund that was made first.
func (a *App) CreateRefund(ctx context.Context, in NewRefund) (*refund.Refund, error) {
	if in.GUID == "" {
		guid, err := a.newUUID()
		if err != nil {
			return nil, err
		}
		in.GUID = guid
	} else if first, err := a.RefundByGUID(ctx, in.Merchant.ID, in.GUID); err == nil || !errors.Is(err, fault.RefundNotFound) {
		return first, err
	}
	if len(in.Reference) > refund.MaxReference {
		return nil, fault.Invalid(fault.RefundInvalid, "reference", "at most %d bytes", refund.MaxReference)
	}
	inv, err := a.Invoice(ctx, in.Invoice)
	if err == nil && inv.Merchant != in.Merchant.ID {
		err = notFound()
	}
	if err != nil {
		return nil, err
	}
	r, err := a.quoteRefund(ctx, &in, inv.Invoice)
	if err != nil {
		return nil, err
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error { return a.openRefund(tx, r, in.Preview) })
	if errors.Is(err, store.ErrExists) {
		return a.RefundByGUID(ctx, in.Merchant.ID, in.GUID) // another request was first
	}
	if err != nil {
		return nil, err
	}
	a.tellEvents(r.ID, r.Invoice)
	a.textClaim(ctx, r)
	return r, nil
}

// quoteRefund reckons what goes back and what that costs now. The quote holds:
// whatever the network asks for later, nobody pays more.
func (a *App) quoteRefund(ctx context.Context, in *NewRefund, inv *invoice.Invoice) (*refund.Refund, error) {
	cur, _ := money.Lookup(inv.Terms.Order.Currency)
	if in.Currency != "" && !strings.EqualFold(in.Currency, cur.Code) {
		return nil, fault.Invalid(fault.RefundInvalid, "currency", "the invoice is in %s; a refund has to be in the same currency", cur.Code)
	}
	amount, err := money.ParseDecimal(cur, in.Amount)
	if err != nil {
		return nil, fault.Invalid(fault.RefundInvalid, "amount", "%v", err)
	}
	if amount.IsZero() {
		return nil, fault.Invalid(fault.RefundInvalid, "amount", "must be more than 0")
	}
	r, err := a.newRefund(inv, in.Token.Token, in.GUID)
	if err != nil {
		return nil, err
	}
	r.Terms = refund.Terms{
		Reason: refund.Asked, Amount: amount, Currency: cur.Code, Immediate: in.Immediate, BuyerPays: in.BuyerPays, Reference: in.Reference,
		Support: r.Terms.Support, Contact: inv.Contact(), Notification: inv.Terms.Order.NotificationURL,
		Full: inv.Status == invoice.Confirmed, FromCredit: inv.Status == invoice.Complete,
	}
	if inv.Status != invoice.Confirmed && inv.Status != invoice.Complete {
		return r, nil // refused with the state it has when it is stored
	}
	if r.Terms.Gross, r.Terms.Asset, err = refund.Share(inv, amount); err != nil {
		return nil, err
	}
	return r, a.quoteFee(ctx, r)
}

// newRefund makes the ids of a refund of an invoice.
func (a *App) newRefund(inv *invoice.Invoice, apiToken, guid string) (*refund.Refund, error) {
	id, err1 := a.newID()
	token, err2 := a.newResourceToken()
	support, err3 := a.newID()
	r := &refund.Refund{
		ID: id, Merchant: inv.Merchant, Invoice: inv.ID, APIToken: apiToken, Token: token, GUID: guid, Status: refund.Created, Created: a.now(),
	}
	r.Terms.Support = support
	return r, errors.Join(err1, err2, err3)
}

// refundVSize is the size in virtual bytes that a refund's cost is quoted for:
// one input, the buyer's output and change.
const refundVSize = 150

// quoteFee sets what the network's carriage costs now, in the asset and in the
// refund's currency, both rounded up.
func (a *App) quoteFee(ctx context.Context, r *refund.Refund) error {
	asset, ok := a.Asset(r.Terms.Asset)
	if !ok || asset.Sender == nil {
		return nil // sent by the merchant's own wallet, which pays
	}
	rate, err := asset.Sender.FeeRate(ctx, confirmIn)
	if err != nil {
		a.Log.Error("estimate the fee of a refund", "asset", asset.Code, "error", err)
		return fault.New(fault.RefundGeneric, "The network's fee cannot be estimated at present; try again in a minute")
	}
	r.Terms.AssetFee = money.NewUnits((rate*refundVSize + 999) / 1000)
	table, err := a.Rates.Current()
	if err != nil {
		return noRates(err)
	}
	from, _ := money.Lookup(r.Terms.Asset)
	to, _ := money.Lookup(r.Terms.Currency)
	if r.Terms.Fee, err = table.Due(r.Terms.AssetFee, from, to); err != nil {
		return noRates(err)
	}
	return nil
}

// openRefund checks a refund against the invoice as it is now and stores it.
func (a *App) openRefund(tx *store.Tx, r *refund.Refund, preview bool) error {
	inv, err := tx.Invoice(r.Invoice)
	if err != nil {
		return refine(err, notFound())
	}
	if err := a.checkRefund(tx, r, inv); err != nil {
		return err
	}
	now := a.now()
	r.Version, r.State, inv.State.Refunds = 0, refund.State{}, inv.State.Refunds+1
	if preview {
		r.Status = refund.Preview
		return errors.Join(tx.AddRefund(r), a.save(tx, inv, nil, now))
	}
	if err := tx.AddRefund(r); err != nil {
		return err
	}
	return a.beginRefund(tx, r, inv, now)
}

// checkRefund refuses what cannot be given back.
func (a *App) checkRefund(tx *store.Tx, r *refund.Refund, inv *invoice.Invoice) error {
	others, err := tx.RefundsOf(inv.ID)
	if err != nil {
		return err
	}
	if inv.Status != invoice.Complete && inv.Status != invoice.Confirmed {
		return refund.CheckAmount(inv, r.Terms.Amount, others)
	}
	if r.Terms.Contact == "" {
		return fault.New(fault.InvoiceNoContact, "Missing email or SMS: the buyer has to be asked where to send the money; set buyerEmail with PUT /invoices/%s first", inv.ID)
	}
	if err := refund.CheckAmount(inv, r.Terms.Amount, others); err != nil {
		return err
	}
	if r.Terms.FromCredit != (inv.Status == invoice.Complete) {
		return store.ErrChanged // it moved on since the quote
	}
	if r.Terms.BuyerPays && r.Terms.Gross.Cmp(r.Terms.AssetFee) <= 0 {
		return fault.New(fault.RefundFeeAboveAmount, "Fees are greater than refund amount: the network costs %s", r.ShowFee())
	}
	if asset, ok := a.Asset(r.Terms.Asset); ok && asset.Spending != nil && r.Terms.Net().Cmp(asset.Keys.Dust(dustProbe)) < 0 {
		return fault.Invalid(fault.RefundInvalid, "amount", "it is less than the network carries")
	}
	return nil
}

// dustProbe stands for the destination that is not known yet: the kind with the
// greatest limit in use (P2PKH).
var dustProbe = append(append([]byte{0x76, 0xa9, 0x14}, make([]byte, 20)...), 0x88, 0xac)

// RefundByGUID reads a merchant's refund by the guid it was created under.
func (a *App) RefundByGUID(ctx context.Context, merchantID, guid string) (*refund.Refund, error) {
	return a.readRefund(ctx, func(tx *store.Tx) (*refund.Refund, error) { return tx.RefundByGUID(merchantID, guid) })
}

// Refund reads a refund by id.
func (a *App) Refund(ctx context.Context, id string) (*refund.Refund, error) {
	return a.readRefund(ctx, func(tx *store.Tx) (*refund.Refund, error) { return tx.Refund(id) })
}

func (a *App) readRefund(ctx context.Context, read func(*store.Tx) (*refund.Refund, error)) (r *refund.Refund, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		r, err = read(tx)
		return refine(err, fault.New(fault.RefundNotFound, "Refund not found"))
	})
	return r, err
}

// RefundsOf lists an invoice's refunds, oldest first.
func (a *App) RefundsOf(ctx context.Context, invoiceID string) (list []*refund.Refund, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.RefundsOf(invoiceID)
		return err
	})
	return list, err
}
