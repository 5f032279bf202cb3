package sweep

import (
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"

	"github.com/quittance/quittance/internal/chain/bitcoin"
)

// scriptOf is the output script of a key in one kind of address. The parameters only
// matter to an address's text, which is not made.
func scriptOf(kind bitcoin.Kind, pub *btcec.PublicKey, compressed bool) ([]byte, error) {
	var to btcutil.Address
	var err error
	switch kind {
	case bitcoin.BIP44:
		serialized := pub.SerializeCompressed()
		if !compressed {
			serialized = pub.SerializeUncompressed()
		}
		to, err = btcutil.NewAddressPubKeyHash(btcutil.Hash160(serialized), &chaincfg.MainNetParams)
	case bitcoin.BIP49:
		to, err = btcutil.NewAddressScriptHash(bitcoin.KeyScript(pub), &chaincfg.MainNetParams)
	case bitcoin.BIP86:
		return txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(pub))
	default:
		return bitcoin.KeyScript(pub), nil
	}
	if err != nil {
		return nil, err
	}
	return txscript.PayToAddrScript(to)
}
