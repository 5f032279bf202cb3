package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/ledger"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/store"
)

// BenchmarkVerify proves the books of one merchant with 50,000 entries.
func BenchmarkVerify(b *testing.B) {
	const entries, each = 50_000, 1000
	st, err := store.Open(b.Context(), "", b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	for from := 0; from < entries; from += each {
		list := make([]*ledger.Entry, each)
		for i := range list {
			n := from + i
			e := ledger.New(ledger.Deposit, fmt.Sprintf("deposit/BTC/%064x/0/1", n), "merchant", time.UnixMilli(1_772_366_400_000+int64(n))).
				Debit(ledger.WalletAccount("wallet"), "BTC", money.NewUnits(15_000)).Credit(ledger.Unapplied, "BTC", money.NewUnits(15_000))
			e.ID, e.Refs = fmt.Sprintf("entry%017d", n), ledger.Refs{Txid: fmt.Sprintf("%064x", n)}
			list[i] = e
		}
		if err := st.Update(b.Context(), func(tx *store.Tx) error { return tx.Post(list...) }); err != nil {
			b.Fatal(err)
		}
	}
	a := app.New(app.Config{Store: st})
	for b.Loop() {
		breaches, err := a.Verify(b.Context(), app.VerifyOptions{Only: []string{"LedgerZero", "LedgerChain", "BalanceDerived"}})
		if err != nil || breaches > 0 {
			b.Fatal(breaches, err)
		}
	}
	b.ReportMetric(float64(entries*b.N)/b.Elapsed().Seconds(), "entries/s")
}
