package bitcoin

import (
	"fmt"

	"github.com/btcsuite/btcd/chaincfg"
)

// networkNames lists the networks in the order they are tried when an address
// of a foreign network has to be named.
var networkNames = []string{"main", "test", "signet", "regtest"}

// Params returns the chain parameters of "main", "test" (testnet3), "signet"
// or "regtest".
func Params(network string) (*chaincfg.Params, error) {
	switch network {
	case "main":
		return &chaincfg.MainNetParams, nil
	case "test":
		return &chaincfg.TestNet3Params, nil
	case "signet":
		return &chaincfg.SigNetParams, nil
	case "regtest":
		return &chaincfg.RegressionNetParams, nil
	}
	return nil, fmt.Errorf("bitcoin: %q is not a network; use main, test, signet or regtest", network)
}
