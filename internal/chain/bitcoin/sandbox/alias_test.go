package sandbox

import (
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/wire"
)

type (
	outpoint = wire.OutPoint
	block    = btcutil.Block
	tx       = btcutil.Tx
)
