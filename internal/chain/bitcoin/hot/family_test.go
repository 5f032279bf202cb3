package hot

import (
	"bytes"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/spending"
	"github.com/quittance/quittance/internal/money"
)

// madeBy is a transaction that paid an output to a script, and the coin of it.
func madeBy(t *testing.T, to []byte, amount int64, path chain.Path) (chain.Coin, []byte) {
	t.Helper()
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{byte(path.Index + 1)}}, SignatureScript: []byte{1, 2}})
	tx.AddTxOut(wire.NewTxOut(amount, to))
	var raw bytes.Buffer
	must(t, tx.Serialize(&raw))
	return chain.Coin{
		Outpoint: chain.Outpoint{Txid: tx.TxHash().String()}, Amount: money.NewUnits(uint64(amount)), To: to, Path: path, Confirmed: true,
	}, raw.Bytes()
}

// Each kind of wallet of each chain plans, signs and checks a payment: the script
// engine, or the rules of Bitcoin Cash, accept it.
func TestEveryKindOfEveryChainPays(t *testing.T) {
	for _, code := range bitcoin.Codes() {
		c, err := bitcoin.Find(code, "regtest")
		must(t, err)
		for _, kind := range c.Kinds {
			t.Run(code+" "+string(kind), func(t *testing.T) { paysOnce(t, c, kind) })
		}
	}
}

func paysOnce(t *testing.T, c *bitcoin.Chain, kind bitcoin.Kind) {
	s, err := New(Config{Chain: c, Kind: string(kind), Seed: NewSeed(bytes.Repeat([]byte{3}, 32))})
	must(t, err)
	out := spending.New(c)
	acc := chain.Account{XPub: s.XPub(), Kind: string(kind)}
	made := map[string][]byte{}
	var coins []chain.Coin
	for i := range int64(3) {
		_, to, err := out.Own(acc, chain.Path{Index: i, Change: i == 2})
		must(t, err)
		coin, raw := madeBy(t, to, 30_0000_0000, chain.Path{Index: i, Change: i == 2})
		coins, made[coin.Txid] = append(coins, coin), raw
	}
	_, payee, err := out.Own(acc, chain.Path{Index: 99})
	must(t, err)
	o := chain.Outlay{
		Account: acc, Must: coins, Outputs: []chain.Output{{To: payee, Amount: money.NewUnits(50_0000_0000)}}, Change: chain.Path{Change: true, Index: 7},
		FeeRate: c.FallbackFee, MaxFee: out.MaxFee(1),
		Origin: func(o chain.Outpoint) ([]byte, error) { return made[o.Txid], nil },
	}
	p, err := out.Plan(o)
	must(t, err)
	signed, err := s.Sign(t.Context(), chain.SignRequest{Transfer: "t", Account: acc, Packet: p.Packet})
	must(t, err)
	tx, err := out.Finish(p, signed)
	must(t, err)
	if tx.VSize > p.VSize || tx.VSize < p.VSize*9/10 {
		t.Errorf("it was planned with %d virtual bytes and has %d", p.VSize, tx.VSize)
	}
	// The id is known beforehand wherever signatures are no part of it.
	if id, err := out.ID(p.Packet); kind == bitcoin.BIP44 && err != chain.ErrNoID || kind != bitcoin.BIP44 && id != tx.ID {
		t.Errorf("the id was said to be %s, %v; it is %s", id, err, tx.ID)
	}
	// One signature that is not right makes it worthless.
	pk, err := spending.Parse(signed)
	must(t, err)
	if kind == bitcoin.BIP86 {
		pk.Inputs[1].TaprootKeySpendSig[20] ^= 1
	} else {
		pk.Inputs[1].PartialSigs[0].Signature[20] ^= 1
	}
	var damaged bytes.Buffer
	must(t, pk.Serialize(&damaged))
	if _, err := out.Finish(p, damaged.Bytes()); err == nil {
		t.Error("a damaged packet was taken for good")
	}
	if kind != bitcoin.BIP44 || c.ForkID {
		return
	}
	// Such a signature covers no amount: who lies about it is found out by the
	// transaction that made the coin, and nothing is planned without that.
	lie := o
	lie.Must = append([]chain.Coin{}, coins...)
	lie.Must[0].Amount = money.NewUnits(40_0000_0000)
	if _, err := out.Plan(lie); err == nil {
		t.Error("an amount that the transaction contradicts was planned with")
	}
	lie = o
	lie.Origin = nil
	if _, err := out.Plan(lie); err == nil {
		t.Error("a legacy coin was planned with on somebody's word")
	}
}
