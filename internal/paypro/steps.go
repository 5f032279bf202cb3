package paypro

import (
	"fmt"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/wire"
)

func (s *Server) options(w http.ResponseWriter, r *http.Request) error {
	shown, list, err := s.App.WalletOptions(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	out := wire.PaymentOptions{PaymentHead: s.head(shown)}
	for _, o := range list {
		cur, ok := money.Lookup(o.Asset)
		if !ok {
			return fmt.Errorf("asset %s is not in the currency table", o.Asset)
		}
		out.PaymentOptions = append(out.PaymentOptions, wire.PaymentOption{
			Chain: o.Chain, Currency: o.Asset, Network: network(o.Network), EstimatedAmount: units(o.Rest), RequiredFeeRate: wire.Number(app.PerByte(o.FeeRate)),
			MinerFee: units(o.Fee), Decimals: cur.Decimals, Selected: o.Selected,
		})
	}
	return s.send(w, r, out)
}

func (s *Server) request(w http.ResponseWriter, r *http.Request) error {
	var in wire.PaymentChoice
	if err := read(r, &in); err != nil {
		return err
	}
	shown, o, err := s.App.ChooseWalletOption(r.Context(), r.PathValue("id"), in.Chain, in.Currency)
	if err != nil {
		return err
	}
	return s.send(w, r, wire.PaymentRequest{
		PaymentHead: s.head(shown), PaymentChoice: wire.PaymentChoice{Chain: o.Chain, Currency: o.Asset}, Network: network(o.Network),
		Instructions: []wire.PaymentInstruction{{
			Type: "transaction", RequiredFeeRate: wire.Number(app.PerByte(o.FeeRate)), Outputs: []wire.PaymentOutput{{Amount: units(o.Rest), Address: o.Address}},
		}},
	})
}

func (s *Server) pay(w http.ResponseWriter, r *http.Request, signed bool) error {
	var in wire.Payment
	if err := read(r, &in); err != nil {
		return err
	}
	select {
	case s.looking <- struct{}{}:
		defer func() { <-s.looking }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	h := app.HandedOver{Chain: in.Chain, Currency: in.Currency}
	for _, t := range in.Transactions {
		h.Transactions = append(h.Transactions, app.HandedTx{Hex: t.Tx, Size: t.WeightedSize})
	}
	out := wire.PaymentEcho{Payment: in, Memo: "Payment appears valid"}
	if !signed {
		if err := s.App.VerifyPayment(r.Context(), r.PathValue("id"), h); err != nil {
			return err
		}
		return s.send(w, r, out)
	}
	if err := s.App.TakePayment(r.Context(), r.PathValue("id"), h); err != nil {
		return err
	}
	out.Memo = "The payment was handed to the network. The invoice is paid once it is confirmed there."
	return s.send(w, r, out)
}

func (s *Server) head(shown app.Shown) wire.PaymentHead {
	memo := "Payment request for invoice " + shown.ID
	if name := shown.Terms.Order.MerchantName; name != "" {
		memo += " of " + name
	}
	return wire.PaymentHead{
		Time: iso(shown.Created), Expires: iso(shown.Expires), Memo: memo, PaymentURL: s.PublicURL + "/i/" + shown.ID, PaymentID: shown.ID,
	}
}

func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func units(u money.Units) wire.Number { return wire.Number(u.String()) }

// network is the name that the protocol knows: every public test network is "test".
func network(name string) string {
	switch name {
	case "main", "regtest":
		return name
	}
	return "test"
}
