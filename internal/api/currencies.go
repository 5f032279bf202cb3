package api

import (
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/wire"
)

// getCurrencies lists fiat and crypto together: GET /currencies.
func (s *Server) getCurrencies(*call) (any, error) {
	list := []wire.Currency{}
	for _, c := range money.All() {
		w := wire.Currency{
			Code: c.Code, Name: c.Name, Plural: c.Plural, Precision: c.Precision, Decimals: c.Decimals, Alts: c.Alts,
			Minimum: wire.Number(c.Minimum), Sanctioned: c.Sanctioned, Chain: c.Chain, Parent: c.Parent, MaxSupply: wire.Number(c.MaxSupply),
		}
		if c.Symbol != "" {
			w.Symbol = &c.Symbol
		}
		list = append(list, w)
	}
	return data(list), nil
}
