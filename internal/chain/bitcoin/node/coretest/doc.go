// Package coretest starts litecoind, a node of Bitcoin Core's family that is none
// of ours, on regtest for tests: with a wallet that pays, a miner, and its own view
// of the chain as the foreign witness. Only tests import it.
package coretest
