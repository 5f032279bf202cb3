package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/wire"
)

// scene is one way a payment can go, and the state that is documented for it.
type scene struct {
	name string
	play func(ctx context.Context, t *tour, name string) error
}

var scenes = []scene{
	{"exact", playExact},
	{"partial", playPartial},
	{"over", playOver},
	{"late", playLate},
	{"replaced", playReplaced},
	{"bumped", playBumped},
	{"reorg", playReorg},
	{"refund", playRefund},
	{"payouts", playPayouts},
	{"settle", playSettlement},
}

// begin orders 10 USD and says so.
func (t *tour) begin(ctx context.Context, name string, r wire.InvoiceRequest) (*wire.Invoice, uint64, error) {
	r.Price, r.Currency, r.OrderID = "10.00", "USD", name
	inv, err := t.order(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	due, err := strconv.ParseUint(string(inv.PaymentTotals["BTC"]), 10, 64)
	t.say(name, "the shop asks for 10.00 USD: %d sat to %s", due, address(inv))
	return inv, due, err
}

func (t *tour) pay(ctx context.Context, name string, inv *wire.Invoice, amount uint64) (string, error) {
	st, err := t.chain.Do(ctx, "pay", control.Pay{Address: address(inv), Amount: amount, Replaceable: true})
	if err != nil {
		return "", err
	}
	t.say(name, "the buyer sends %d sat in %.16s…", amount, st.Txid)
	return st.Txid, nil
}

func (t *tour) mine(ctx context.Context, name string, blocks int) error {
	st, err := t.chain.Do(ctx, "mine", control.Mine{Blocks: blocks})
	if err == nil {
		t.say(name, "%d block(s) mined, height %d", blocks, st.Height)
	}
	return err
}

func playExact(ctx context.Context, t *tour, name string) error {
	inv, due, err := t.begin(ctx, name, wire.InvoiceRequest{})
	if err != nil {
		return err
	}
	if _, err = t.pay(ctx, name, inv, due); err != nil {
		return err
	}
	if err = t.expect(ctx, name, inv.ID, "paid", "", 1003); err != nil {
		return err
	}
	if err = t.mine(ctx, name, 1); err != nil {
		return err
	}
	if err = t.expect(ctx, name, inv.ID, "confirmed", "", 1003, 1005); err != nil {
		return err
	}
	if err = t.mine(ctx, name, 5); err != nil {
		return err
	}
	return t.expect(ctx, name, inv.ID, "complete", "", 1003, 1005, 1006)
}

func playPartial(ctx context.Context, t *tour, name string) error {
	inv, due, err := t.begin(ctx, name, wire.InvoiceRequest{})
	if err != nil {
		return err
	}
	if _, err = t.pay(ctx, name, inv, due/2); err != nil {
		return err
	}
	if err = t.expect(ctx, name, inv.ID, "new", "paidPartial"); err != nil {
		return err
	}
	if _, err = t.pay(ctx, name, inv, due-due/2); err != nil {
		return err
	}
	if err = t.mine(ctx, name, 6); err != nil {
		return err
	}
	return t.expect(ctx, name, inv.ID, "complete", "", 1003, 1005, 1006)
}

func playOver(ctx context.Context, t *tour, name string) error {
	inv, due, err := t.begin(ctx, name, wire.InvoiceRequest{})
	if err != nil {
		return err
	}
	if _, err = t.pay(ctx, name, inv, due+due/4); err != nil {
		return err
	}
	if err = t.expect(ctx, name, inv.ID, "paid", "paidOver", 1003); err != nil {
		return err
	}
	if err = t.mine(ctx, name, 6); err != nil {
		return err
	}
	return t.expect(ctx, name, inv.ID, "complete", "paidOver", 1003, 1005, 1006)
}

// playLate puts the server's clock past the window instead of waiting for it.
func playLate(ctx context.Context, t *tour, name string) error {
	inv, due, err := t.begin(ctx, name, wire.InvoiceRequest{AcceptanceWindow: "60000"})
	if err != nil {
		return err
	}
	t.program.clock.skip(61 * time.Second)
	if err = t.program.sync(ctx); err != nil {
		return err
	}
	t.say(name, "61 seconds pass on the server's clock; nobody paid")
	if err = t.expect(ctx, name, inv.ID, "expired", "", 1004); err != nil {
		return err
	}
	if _, err = t.pay(ctx, name, inv, due); err != nil {
		return err
	}
	if err = t.expect(ctx, name, inv.ID, "expired", "", 1004, 1014); err != nil {
		return err
	}
	shown, err := t.client.Invoice(ctx, client.Merchant, inv.ID)
	if err != nil {
		return err
	}
	ok := string(shown.AmountPaid) == fmt.Sprint(due) && shown.Transactions != nil && len(*shown.Transactions) == 1
	if !ok {
		t.wrong++
	}
	t.print(line{Scene: name, What: "the late payment is recorded, not lost", OK: &ok})
	return nil
}

func playReplaced(ctx context.Context, t *tour, name string) error {
	inv, due, err := t.begin(ctx, name, wire.InvoiceRequest{})
	if err != nil {
		return err
	}
	txid, err := t.pay(ctx, name, inv, due)
	if err != nil {
		return err
	}
	if err = t.expect(ctx, name, inv.ID, "paid", "", 1003); err != nil {
		return err
	}
	st, err := t.chain.Do(ctx, "replace", control.Replace{Txid: txid})
	if err != nil {
		return err
	}
	t.say(name, "the buyer takes it back: %.16s… spends the same coins elsewhere", st.Txid)
	if err = t.mine(ctx, name, 6); err != nil {
		return err
	}
	return t.expect(ctx, name, inv.ID, "invalid", "", 1003, 1013)
}

func playBumped(ctx context.Context, t *tour, name string) error {
	inv, due, err := t.begin(ctx, name, wire.InvoiceRequest{})
	if err != nil {
		return err
	}
	txid, err := t.pay(ctx, name, inv, due)
	if err != nil {
		return err
	}
	st, err := t.chain.Do(ctx, "replace", control.Replace{Txid: txid, Address: address(inv), Amount: due, FeeRate: 25})
	if err != nil {
		return err
	}
	t.say(name, "the buyer raises the fee: %.16s… pays the same invoice instead", st.Txid)
	if err = t.mine(ctx, name, 6); err != nil {
		return err
	}
	return t.expect(ctx, name, inv.ID, "complete", "", 1003, 1005, 1006)
}

func playReorg(ctx context.Context, t *tour, name string) error {
	inv, due, err := t.begin(ctx, name, wire.InvoiceRequest{})
	if err != nil {
		return err
	}
	if _, err = t.pay(ctx, name, inv, due); err != nil {
		return err
	}
	if err = t.mine(ctx, name, 1); err != nil {
		return err
	}
	if err = t.expect(ctx, name, inv.ID, "confirmed", "", 1003, 1005); err != nil {
		return err
	}
	if _, err = t.chain.Do(ctx, "reorg", control.Reorg{Depth: 1, Keep: true}); err != nil {
		return err
	}
	t.say(name, "a longer branch without the payment replaces the last block")
	if err = t.expect(ctx, name, inv.ID, "paid", "", 1003, 1005, 1003); err != nil {
		return err
	}
	if err = t.mine(ctx, name, 6); err != nil {
		return err
	}
	return t.expect(ctx, name, inv.ID, "complete", "", 1003, 1005, 1003, 1005, 1006)
}
