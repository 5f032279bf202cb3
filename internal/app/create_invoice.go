package app

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
)

// NewInvoice is a request for an invoice.
type NewInvoice struct {
	Merchant *merchant.Merchant
	Token    *merchant.Token
	Order    invoice.Order
	Price    string // decimal, in Order.Currency
	GUID     string // empty: the server chooses one
	Email    string // the buyer's, as by an update
	SMS      string // the buyer's, as by an update
}

// CreateInvoice prices the order, takes addresses and stores the invoice. The
// same guid with the same token returns the invoice that was made first.
func (a *App) CreateInvoice(ctx context.Context, in NewInvoice) (*invoice.Invoice, error) {
	if in.GUID != "" {
		first, err := a.firstByGUID(ctx, in.Token.Token, in.GUID)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return first, err
		}
	} else if guid, err := a.newUUID(); err != nil {
		return nil, err
	} else {
		in.GUID = guid
	}
	table, err := a.Rates.Current()
	if err != nil {
		return nil, noRates(err)
	}
	if err := a.complete(&in, table); err != nil {
		return nil, err
	}
	inv, dests, err := a.draft(ctx, &in, table)
	if err != nil {
		return nil, err
	}
	// The address is watched before the commit: should the answer to that be lost,
	// the invoice may exist all the same and be shown to whoever asks again.
	for i, o := range inv.Terms.Options {
		a.tellAddress(o.Chain, dests[i])
	}
	rows, err := store.NewInvoiceRows(inv, dests)
	if err != nil {
		return nil, err
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddInvoiceRows(rows) })
	if errors.Is(err, store.ErrExists) {
		// Another request with the same guid was first.
		return a.firstByGUID(ctx, in.Token.Token, in.GUID)
	}
	if err != nil {
		return nil, err
	}
	if in.SMS != "" {
		return a.askSMS(ctx, inv, in.SMS)
	}
	return inv, nil
}

func noRates(err error) error {
	return fault.Access(http.StatusServiceUnavailable, "No trustworthy exchange rate at present: %v; try again in a minute", err)
}

// firstByGUID reads what was made under a guid before. It is shown again, so
// its addresses are held against their wallets.
func (a *App) firstByGUID(ctx context.Context, token, guid string) (inv *invoice.Invoice, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		inv, err = tx.InvoiceByGUID(token, guid)
		return err
	})
	if err != nil {
		return nil, err
	}
	return inv, a.CheckAddresses(ctx, inv)
}

// complete fills in the account's defaults and checks the order.
func (a *App) complete(in *NewInvoice, table *rate.Table) error {
	o, set := &in.Order, in.Merchant.Settings
	o.Facade = string(in.Token.Facade)
	if o.Speed == "" {
		o.Speed = invoice.Speed(set.TransactionSpeed)
	}
	if o.Speed == "" {
		o.Speed = invoice.Medium
	}
	if o.NotificationURL == "" {
		o.NotificationURL = set.NotificationURL
	}
	if o.NotificationEmail == "" {
		o.NotificationEmail = set.NotificationEmail
	}
	if o.MerchantName == "" {
		o.MerchantName = in.Merchant.Name
	}
	o.Tolerance = set.UnderTolerance
	cur, ok := money.Lookup(o.Currency)
	if !ok {
		return fault.Invalid(fault.InvoiceInvalid, "currency", "%q is not an ISO 4217 or crypto currency code", o.Currency)
	}
	o.Currency = cur.Code
	price, err := money.ParseDecimal(cur, in.Price)
	if err != nil {
		return fault.Invalid(fault.InvoiceInvalid, "price", "%v", err)
	}
	if price.IsZero() {
		return fault.Invalid(fault.InvoiceInvalid, "price", "must be more than 0")
	}
	o.Price = price
	if err := o.Check(a.AllowHTTP); err != nil {
		return err
	}
	return a.checkContact(in, table, cur)
}

// checkContact holds the price against the account's bounds and the contact
// that came with the order against its form.
func (a *App) checkContact(in *NewInvoice, table *rate.Table, cur *money.Currency) error {
	if in.Email != "" && !invoice.CheckEmail(in.Email) {
		return fault.Invalid(fault.InvoiceInvalid, "buyerEmail", "%q is not an e-mail address", in.Email)
	}
	if in.SMS != "" {
		if err := invoice.CheckSMSNumber(in.SMS); err != nil {
			return err
		}
	}
	set := in.Merchant.Settings
	if set.MinPriceUSD == 0 && set.MaxPriceUSD == 0 && set.HighValueUSD == 0 {
		return a.checkMinimum(in, cur)
	}
	usd, _ := money.Lookup("USD")
	r, err := table.Rate(cur.Code, "USD")
	if err != nil {
		return noRates(err)
	}
	value, err := rate.Value(in.Order.Price, cur, usd, r)
	if err != nil {
		return fault.Invalid(fault.InvoiceInvalid, "price", "%v", err)
	}
	switch {
	case set.MinPriceUSD > 0 && value.Cmp(money.NewUnits(uint64(set.MinPriceUSD))) < 0:
		return fault.New(fault.InvoicePriceLow, "Invoice price is below the minimum threshold of %s USD", money.Format(usd, money.NewUnits(uint64(set.MinPriceUSD))))
	case set.MaxPriceUSD > 0 && value.Cmp(money.NewUnits(uint64(set.MaxPriceUSD))) > 0:
		return fault.New(fault.InvoicePriceHigh, "Invoice price is above the maximum threshold of %s USD", money.Format(usd, money.NewUnits(uint64(set.MaxPriceUSD))))
	}
	in.Order.HighValue = set.HighValueUSD > 0 && value.Cmp(money.NewUnits(uint64(set.HighValueUSD))) >= 0
	hasEmail := in.Email != "" || in.Order.Buyer != nil && in.Order.Buyer.Email != ""
	if in.Order.HighValue && !hasEmail && in.SMS == "" {
		return fault.New(fault.InvoiceNoContact, "Missing email or SMS: an invoice of %s USD or more needs buyer.email, buyerEmail or buyerSms", money.Format(usd, money.NewUnits(uint64(set.HighValueUSD))))
	}
	return a.checkMinimum(in, cur)
}

func (a *App) checkMinimum(in *NewInvoice, cur *money.Currency) error {
	least, err := money.ParseDecimal(cur, cur.Minimum)
	if err == nil && in.Order.Price.Cmp(least) < 0 {
		return fault.New(fault.InvoicePriceLow, "Invoice price is below the minimum threshold of %s %s", cur.Minimum, cur.Code)
	}
	return nil
}

// draft quotes the price in each asset the merchant can receive.
func (a *App) draft(ctx context.Context, in *NewInvoice, table *rate.Table) (*invoice.Invoice, [][]byte, error) {
	wallets, err := a.payable(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	now := a.now()
	lock := invoice.Lock{At: now, Rates: map[string]map[string]string{}, Sources: nil}
	var options []invoice.Option
	var dests [][]byte
	var left error // why the first of those that are left out is
	for _, w := range wallets {
		asset, _ := a.Asset(w.Asset)
		o, dest, err := a.quote(ctx, in, asset, w, table, &lock)
		if refused := (*fault.Error)(nil); errors.As(err, &refused) && asset.Code != in.Order.PresetCurrency {
			left = cmp.Or(left, err) // a price may be too small for one chain and fine on another
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		options, dests = append(options, o), append(dests, dest)
	}
	if len(options) == 0 {
		return nil, nil, left
	}
	id, err1 := a.newID()
	token, err2 := a.newResourceToken()
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, err
	}
	inv := invoice.Open(id, in.Merchant.ID, in.Token.Token, token, in.GUID, in.Order, options, lock, now)
	inv.State.Email = in.Email
	return inv, dests, nil
}

// payable lists the wallets that the order can be paid into.
func (a *App) payable(ctx context.Context, in *NewInvoice) ([]*merchant.Wallet, error) {
	all, err := a.walletsOf(ctx, in.Merchant.ID)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(w *merchant.Wallet) bool { _, ok := a.Asset(w.Asset); return !ok })
	if len(all) == 0 {
		return nil, fault.New(fault.InvoiceMisconfigured, "Misconfigured account: %s has no wallet to receive into; run `quittance wallet add`", in.Merchant.Name)
	}
	for _, code := range in.Order.PaymentCurrencies {
		if _, ok := money.Lookup(code); !ok {
			return nil, fault.Invalid(fault.InvoiceInvalid, "paymentCurrencies", "%q is not a currency", code)
		}
	}
	wanted := in.Order.PaymentCurrencies
	usable := slices.DeleteFunc(slices.Clone(all), func(w *merchant.Wallet) bool {
		return len(wanted) > 0 && !slices.Contains(wanted, w.Asset)
	})
	if len(usable) == 0 {
		return nil, fault.Invalid(fault.InvoiceInvalid, "paymentCurrencies", "none of %v can be received by this account", wanted)
	}
	if p := in.Order.PresetCurrency; p != "" && !slices.ContainsFunc(usable, func(w *merchant.Wallet) bool { return w.Asset == p }) {
		return nil, fault.Invalid(fault.InvoiceInvalid, "forcedBuyerSelectedTransactionCurrency", "%s cannot be received by this account", p)
	}
	if in.Order.Speed != invoice.High {
		return usable, nil
	}
	blind := usable[0].Asset
	usable = slices.DeleteFunc(usable, func(w *merchant.Wallet) bool {
		asset, _ := a.Asset(w.Asset)
		return !asset.Unconfirmed
	})
	if len(usable) == 0 || in.Order.PresetCurrency != "" && !slices.ContainsFunc(usable, func(w *merchant.Wallet) bool { return w.Asset == in.Order.PresetCurrency }) {
		return nil, fault.Invalid(fault.InvoiceInvalid, "transactionSpeed", "high needs to see unconfirmed %s payments, which this server's back end cannot; use medium or low", cmp.Or(in.Order.PresetCurrency, blind))
	}
	return usable, nil
}

func (a *App) quote(ctx context.Context, in *NewInvoice, asset *Asset, w *merchant.Wallet, table *rate.Table, lock *invoice.Lock) (invoice.Option, []byte, error) {
	none := invoice.Option{}
	priceCur, _ := money.Lookup(in.Order.Currency)
	assetCur, ok := money.Lookup(asset.Code)
	if !ok {
		return none, nil, fmt.Errorf("asset %s is not in the currency table", asset.Code)
	}
	due, err := table.Due(in.Order.Price, priceCur, assetCur)
	if errors.Is(err, rate.ErrStale) || errors.Is(err, rate.ErrUnknown) {
		return none, nil, noRates(err)
	}
	if err != nil {
		return none, nil, fault.New(fault.InvoicePriceHigh, "Invoice price is above the maximum threshold: it does not fit in %s", asset.Code)
	}
	addr, dest, index, err := a.newAddress(ctx, asset, w)
	if err != nil {
		return none, nil, err
	}
	if dust := asset.Keys.Dust(dest); due.Cmp(dust) < 0 {
		return none, nil, fault.New(fault.InvoicePriceLow, "Invoice price is below the minimum threshold: %s %s is less than the network carries (%s)",
			money.Format(assetCur, due), asset.Code, money.Format(assetCur, dust))
	}
	a.lockRates(lock, table, asset.Code, priceCur.Code)
	depths, err := a.depths(in, asset, table, priceCur)
	if err != nil {
		return none, nil, err
	}
	o := invoice.Option{
		Asset: asset.Code, Chain: asset.Chain, Address: addr, Wallet: w.ID, Index: index, Subtotal: due, Due: due, FeeFiat: "0", Depths: depths,
	}
	if !asset.Unconfirmed {
		o.Grace = invoice.BlockGrace.Milliseconds()
	}
	return o, dest, nil
}

// shown are the currencies whose rate is kept with each invoice besides its own.
var shown = []string{"USD", "EUR", "BTC", "BCH", "ETH", "LTC", "DOGE", "XRP", "USDC"}

// lockRates keeps the rates of an asset with the invoice.
func (a *App) lockRates(lock *invoice.Lock, table *rate.Table, asset, price string) {
	lock.Rates[asset] = a.quoted.rates(table, asset, price)
	for _, s := range table.Sources(asset) {
		if !slices.Contains(lock.Sources, s) {
			lock.Sources = append(lock.Sources, s)
		}
	}
	if at := table.At(); at.Before(lock.At) {
		lock.At = at.UTC().Truncate(time.Millisecond)
	}
}

// quotedRates remembers the rates that invoices of one table show: a table lasts
// for many invoices, and each rate is a division of long decimals.
type quotedRates struct {
	mu    sync.Mutex
	table *rate.Table
	byKey map[string]map[string]string // asset and price currency → currency → rate; never changed once there
}

func (q *quotedRates) rates(table *rate.Table, asset, price string) map[string]string {
	key := asset + "/" + price
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.table != table {
		q.table, q.byKey = table, map[string]map[string]string{}
	}
	if known, ok := q.byKey[key]; ok {
		return known
	}
	rates := map[string]string{}
	for _, code := range append([]string{price}, shown...) {
		if r, err := table.Rate(asset, code); err == nil && code != asset {
			rates[code] = r.String()
		}
	}
	q.byKey[key] = rates
	return rates
}

// newUUID returns a UUID of version 7 (RFC 9562): the time, so that neighbours in
// time are neighbours in the index, and 74 random bits.
func (a *App) newUUID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(a.Rand, b[6:]); err != nil {
		return "", err
	}
	at := uint64(a.now().UnixMilli())
	binary.BigEndian.PutUint32(b[:4], uint32(at>>16))
	binary.BigEndian.PutUint16(b[4:6], uint16(at))
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
