package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// lists measures pages of 100 out of a merchant's many invoices: the first, and
// one from the middle.
func (b *bench) lists(ctx context.Context) error {
	dir := filepath.Join(b.dir, "lists")
	p, err := b.serve(dir) // makes the merchant
	if err != nil {
		return err
	}
	c, key, err := b.pair(ctx, p)
	p.stop()
	if err != nil {
		return err
	}
	if err := b.fill(ctx, dir); err != nil {
		return err
	}
	if p, err = b.serve(dir); err != nil {
		return err
	}
	defer p.stop()
	token, _ := c.Token(client.Merchant)
	page := func(offset int) shot {
		q := url.Values{"token": {token}, "dateStart": {"2020-01-01"}, "dateEnd": {"2030-01-01"}, "limit": {"100"}, "offset": {fmt.Sprint(offset)}}
		return signed(key, "GET", p.url+"/invoices?"+q.Encode(), nil)
	}
	deep, first, ratio, err := b.versus(ctx, page(b.invoices/2), page(0), 1)
	if err != nil {
		return err
	}
	b.add(row{what: fmt.Sprintf("list 100 of %d, first page", b.invoices), ours: first.String()})
	b.add(row{what: fmt.Sprintf("list 100 of %d, from %d", b.invoices, b.invoices/2), ours: deep.String(), floor: first.String(), ratio: ratio, target: "≥ 0.30", ok: ratio >= 0.3})
	return nil
}

// fill stores many invoices of the merchant in bulk, as the program stores them.
func (b *bench) fill(ctx context.Context, dir string) error {
	st, err := store.Open(ctx, "", dir)
	if err != nil {
		return err
	}
	defer st.Close()
	a := app.New(app.Config{Store: st})
	m, err := a.FindMerchant(ctx, "")
	if err != nil {
		return err
	}
	const batch = 5000
	start := time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Millisecond)
	for n := 0; n < b.invoices; n += batch {
		err := st.Update(ctx, func(tx *store.Tx) error {
			for i := n; i < min(n+batch, b.invoices); i++ {
				if err := tx.AddInvoice(someInvoice(i, m.ID, start.Add(time.Duration(i)*time.Second)), nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "\r  %d of %d invoices stored", min(n+batch, b.invoices), b.invoices)
	}
	fmt.Fprintln(os.Stderr)
	return a.Maintain(ctx)
}

func someInvoice(i int, merchantID string, at time.Time) *invoice.Invoice {
	order := invoice.Order{
		Price: money.NewUnits(1000), Currency: "USD", OrderID: fmt.Sprint("order-", i), ItemDesc: "One cup of coffee", Speed: invoice.Medium, Full: true,
		NotificationURL: "https://shop.example/ipn", RedirectURL: "https://shop.example/return", Facade: "merchant", MerchantName: "Sandbox shop",
	}
	lock := invoice.Lock{At: at, Rates: map[string]map[string]string{"BTC": {"USD": "50000", "EUR": "46000", "BCH": "100", "ETH": "16.6", "LTC": "500"}}}
	inv := invoice.Open(fmt.Sprintf("bench%017d", i), merchantID, "bench", fmt.Sprintf("token%061d", i), fmt.Sprint("guid-", i), order, nil, lock, at)
	inv.Status = invoice.Expired
	return inv
}
