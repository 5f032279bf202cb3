package e2e

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	btcwire "github.com/btcsuite/btcd/wire"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/bchdtest"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/btcdtest"
	"github.com/quittance/quittance/internal/chain/bitcoin/node/coretest"
	"github.com/quittance/quittance/wire"
)

// outside is a node that is none of ours: it mines, a stranger's wallet pays from it,
// and it is the witness of what was paid.
type outside interface {
	miner
	coin() *bitcoin.Chain
	place() string // as --node names it
	pay(t *testing.T, address string, amount int64)
	reorg(t *testing.T, depth int)
	// paid is what the node says a transaction gave an address, in smallest units, and
	// how deep it lies.
	paid(t *testing.T, txid, address string) (amounts []int64, deep uint64)
}

// outsides starts a node of each chain that is tried for real.
var outsides = map[string]func(t *testing.T) outside{
	"BTC": func(t *testing.T) outside { return btcd{btcdtest.Start(t)} },
	"LTC": func(t *testing.T) outside { return litecoind{coretest.Start(t)} },
	"BCH": func(t *testing.T) outside { return bchd{bchdtest.Start(t)} },
}

func regtest(t *testing.T, code string) *bitcoin.Chain {
	t.Helper()
	c, err := bitcoin.Find(code, "regtest")
	must(t, err)
	return c
}

type btcd struct{ *btcdtest.Node }

func (btcd) coin() *bitcoin.Chain                        { return bitcoin.Regtest }
func (o btcd) place() string                             { return o.URL }
func (o btcd) mine(_ *testing.T, blocks int)             { o.Mine(uint32(blocks)) }
func (o btcd) pay(_ *testing.T, address string, n int64) { o.Pay(address, n) }
func (o btcd) reorg(_ *testing.T, depth int)             { o.Reorg(int64(depth)) }

func (o btcd) paid(t *testing.T, txid, address string) (sat []int64, deep uint64) {
	t.Helper()
	hash, err := chainhash.NewHashFromStr(txid)
	must(t, err)
	found, err := o.GetRawTransactionVerbose(hash)
	must(t, err)
	raw, err := hex.DecodeString(found.Hex)
	must(t, err)
	var tx btcwire.MsgTx
	must(t, tx.Deserialize(bytes.NewReader(raw)))
	for _, out := range tx.TxOut {
		if bytes.Equal(out.PkScript, btcdtest.Script(address)) {
			sat = append(sat, out.Value)
		}
	}
	return sat, found.Confirmations
}

type litecoind struct{ *coretest.Node }

func (litecoind) coin() *bitcoin.Chain {
	c, _ := bitcoin.Find("LTC", "regtest")
	return c
}
func (o litecoind) place() string                             { return "LTC=" + o.URL }
func (o litecoind) mine(_ *testing.T, blocks int)             { o.Mine(blocks) }
func (o litecoind) pay(_ *testing.T, address string, n int64) { o.Pay(address, n) }
func (o litecoind) reorg(_ *testing.T, depth int)             { o.Reorg(depth) }
func (o litecoind) paid(_ *testing.T, txid, address string) ([]int64, uint64) {
	return o.Paid(txid, address)
}

type bchd struct{ *bchdtest.Node }

func (bchd) coin() *bitcoin.Chain {
	c, _ := bitcoin.Find("BCH", "regtest")
	return c
}
func (o bchd) place() string                 { return "bch=" + o.URL }
func (o bchd) mine(_ *testing.T, blocks int) { o.Mine(blocks) }
func (o bchd) reorg(_ *testing.T, depth int) { o.Reorg(depth) }
func (o bchd) pay(t *testing.T, address string, n int64) {
	t.Helper()
	script, err := bitcoin.AddressScript(address, regtest(t, "BCH"))
	must(t, err)
	o.Pay(script, n)
}
func (o bchd) paid(_ *testing.T, txid, address string) ([]int64, uint64) {
	return o.Paid(txid, address)
}

// addressIn is where an invoice wants to be paid on a chain.
func addressIn(inv *wire.Invoice, c *bitcoin.Chain) string {
	address, _, _ := strings.Cut(inv.PaymentCodes[c.Code]["BIP21"], "?")
	if c.CashPrefix == "" {
		address = strings.TrimPrefix(address, c.Scheme+":")
	}
	return address
}
