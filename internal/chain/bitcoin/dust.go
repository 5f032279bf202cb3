package bitcoin

import (
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// Bytes it takes to spend an output: an input of outpoint, sequence and script
// length with a signature and a public key, whose weight segwit divides by 4.
const (
	spendLegacyBytes = 148
	spendSegwitBytes = 67
)

// DustLimit is the least amount in satoshi an output with this script may
// carry so that nodes with the default policy relay it; on Bitcoin 294 for
// P2WPKH, 330 for P2TR and P2WSH, 540 for P2SH, 546 for P2PKH. An unspendable
// script has no limit (0).
func DustLimit(script []byte, c *Chain) uint64 {
	if txscript.IsUnspendable(script) {
		return 0
	}
	size := uint64(wire.NewTxOut(0, script).SerializeSize())
	if _, _, ok := witnessProgram(script); ok {
		size += spendSegwitBytes
	} else {
		size += spendLegacyBytes
	}
	return max(c.MinOutput, size*c.DustFee/1000)
}
