package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/quittance/quittance/internal/merchant"
)

type merchantCmd struct {
	Create merchantCreate `cmd:"" help:"Make a merchant and print its access key."`
	List   merchantList   `cmd:"" help:"List all merchants."`
	Key    merchantKey    `cmd:"" help:"Replace a merchant's access key."`
	Set    merchantSet    `cmd:"" help:"Change a merchant's defaults."`
}

type merchantCreate struct {
	place
	Name string `arg:"" help:"What buyers see."`
}

type merchantRow struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Key      string            `json:"accessKey,omitempty"`
	Created  string            `json:"created,omitempty"`
	Settings merchant.Settings `json:"settings"`
}

func rowOf(m *merchant.Merchant) merchantRow {
	return merchantRow{ID: m.ID, Name: m.Name, Created: m.Created.Format("2006-01-02 15:04:05Z"), Settings: m.Settings}
}

func (c *merchantCreate) Run(ctx context.Context) error {
	a, done, err := c.openOrMake(ctx)
	if err != nil {
		return err
	}
	defer done()
	m, key, err := a.CreateMerchant(ctx, c.Name, merchant.Settings{})
	if err != nil {
		return err
	}
	row := rowOf(m)
	row.Key = key
	return c.show(row, func(w io.Writer) {
		fmt.Fprintf(w, "merchant    %s (%s)\naccess key  %s\nThe key is shown once; it approves clients on the pairing page.\nNext: `quittance wallet add --merchant %s` with --xpub or --generate.\n", m.Name, m.ID, key, m.ID)
	})
}

type merchantList struct{ place }

func (c *merchantList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.Merchants(ctx)
	if err != nil {
		return err
	}
	rows := []merchantRow{}
	for _, m := range list {
		rows = append(rows, rowOf(m))
	}
	return c.show(rows, func(w io.Writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%s  %s  since %s\n", r.ID, r.Name, r.Created)
		}
	})
}

type merchantKey struct {
	place
	Merchant string `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
}

func (c *merchantKey) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	key, err := a.NewMerchantKey(ctx, m.ID)
	if err != nil {
		return err
	}
	row := rowOf(m)
	row.Key = key
	return c.show(row, func(w io.Writer) { fmt.Fprintf(w, "new access key of %s: %s\nThe old one is void.\n", m.Name, key) })
}

type merchantSet struct {
	place
	bookFlags
	Merchant          string  `help:"Name or id; not needed while there is only one." placeholder:"WHO"`
	Name              *string `help:"What buyers see." placeholder:"NAME"`
	TransactionSpeed  *string `help:"high, medium or low." placeholder:"SPEED"`
	NotificationURL   *string `help:"Webhook of invoices that name none." placeholder:"URL"`
	NotificationEmail *string `help:"Mail address for invoices that name none." placeholder:"ADDRESS"`
	MinPrice          *int64  `help:"Least price, in US cents; 0 is none." placeholder:"CENTS"`
	MaxPrice          *int64  `help:"Greatest price, in US cents; 0 is none." placeholder:"CENTS"`
	HighValue         *int64  `help:"From this price on, in US cents, the buyer's contact is required; 0 is never." placeholder:"CENTS"`
	RecipientIPN      *string `help:"Webhook of recipients that name none." name:"recipient-ipn" placeholder:"URL"`
	PayoutIPN         *string `help:"Webhook of payouts that name none." name:"payout-ipn" placeholder:"URL"`
	RecipientCheck    *bool   `help:"Whether recipients wait for 'quittance recipient verify' after they confirmed their e-mail." placeholder:"BOOL"`
	MaxRecipients     *int64  `help:"Most recipients that are not removed; 0 is 1,000." placeholder:"N"`
}

// bookFlags say how a merchant's books are kept and its money leaves.
type bookFlags struct {
	LedgerInAsset      *bool    `help:"Keep the ledger in what was paid, not in the invoice's currency." placeholder:"BOOL"`
	SettlementCurrency *string  `help:"Ledger of deposits and of payouts that name none." placeholder:"CODE"`
	FeeBasisPoints     *int64   `help:"Processing fee of a complete invoice, in hundredths of a percent." placeholder:"N"`
	FeeFlat            *int64   `help:"Processing fee on top, in smallest units of the ledger." placeholder:"N"`
	OnUnder            *string  `help:"Too little was paid: refund, credit or hold." placeholder:"POLICY"`
	OnOver             *string  `help:"Too much was paid: refund, credit or hold." placeholder:"POLICY"`
	OnLate             *string  `help:"It was paid too late: refund, credit or hold." placeholder:"POLICY"`
	UnderTolerance     *int64   `help:"How much less is enough, in hundredths of a percent." placeholder:"N"`
	OverTolerance      *int64   `help:"How much more is kept, in hundredths of a percent." placeholder:"N"`
	Confirm            *string  `help:"Confirmations by value, such as *:1000:2:8,BTC:10000:3:12:100: asset, US dollars from which on, at medium speed, to complete, least score of zero-conf at high speed." placeholder:"RULES"`
	PayoutRuns         *string  `help:"When payouts are funded, in UTC: 14:00,21:00 or now." placeholder:"TIMES"`
	PayoutFee          *int64   `help:"Fee on payouts besides the network's, in hundredths of a percent." placeholder:"N"`
	PayoutApproveAbove *int64   `help:"From this value on, in US cents, two people release a payout; 0 is never." placeholder:"CENTS"`
	PayoutFailedHook   *bool    `help:"Send a webhook (5006) when a payout fails." placeholder:"BOOL"`
	ConsolidateBelow   *feeRate `help:"Join a hot wallet's many small coins by itself while the network asks for at most so many satoshi per virtual byte; 0 is never." placeholder:"RATE"`
	SettlementRail     *string  `help:"How ledgers are settled: book, wallet, manual or off." placeholder:"RAIL"`
	SettlementTime     *string  `help:"When periods end, in UTC." placeholder:"TIME"`
	SettlementMinimum  *int64   `help:"Least settlement, in US cents." placeholder:"CENTS"`
}

func (c *bookFlags) books(s *merchant.Settings) {
	set(&s.LedgerInAsset, c.LedgerInAsset)
	set(&s.SettlementCurrency, c.SettlementCurrency)
	set(&s.FeeBasisPoints, c.FeeBasisPoints)
	set(&s.FeeFlat, c.FeeFlat)
	set((*string)(&s.OnUnder), c.OnUnder)
	set((*string)(&s.OnOver), c.OnOver)
	set((*string)(&s.OnLate), c.OnLate)
	set(&s.UnderTolerance, c.UnderTolerance)
	set(&s.OverTolerance, c.OverTolerance)
	set(&s.Confirm, c.Confirm)
	set(&s.PayoutRuns, c.PayoutRuns)
	set(&s.PayoutFeeBasisPoints, c.PayoutFee)
	set(&s.PayoutApproveAbove, c.PayoutApproveAbove)
	set(&s.PayoutFailedWebhook, c.PayoutFailedHook)
	set((*feeRate)(&s.ConsolidateBelow), c.ConsolidateBelow)
	set(&s.SettlementRail, c.SettlementRail)
	set(&s.SettlementTime, c.SettlementTime)
	set(&s.SettlementMinimum, c.SettlementMinimum)
}

func (c *merchantSet) Run(ctx context.Context) error {
	a, m, done, err := c.openFor(ctx, c.Merchant)
	if err != nil {
		return err
	}
	defer done()
	m, err = a.ChangeMerchant(ctx, m.ID, c.apply)
	if err != nil {
		return err
	}
	return c.show(rowOf(m), func(w io.Writer) { fmt.Fprintf(w, "%s changed\n", m.Name) })
}

func (c *merchantSet) apply(m *merchant.Merchant) error {
	before := *m
	set(&m.Name, c.Name)
	set(&m.Settings.TransactionSpeed, c.TransactionSpeed)
	set(&m.Settings.NotificationURL, c.NotificationURL)
	set(&m.Settings.NotificationEmail, c.NotificationEmail)
	set(&m.Settings.MinPriceUSD, c.MinPrice)
	set(&m.Settings.MaxPriceUSD, c.MaxPrice)
	set(&m.Settings.HighValueUSD, c.HighValue)
	c.books(&m.Settings)
	set(&m.Settings.RecipientIPN, c.RecipientIPN)
	set(&m.Settings.PayoutIPN, c.PayoutIPN)
	set(&m.Settings.RecipientCheck, c.RecipientCheck)
	set(&m.Settings.MaxRecipients, c.MaxRecipients)
	if *m == before {
		return errors.New("nothing is changed: `quittance merchant set --help` lists what can be")
	}
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
