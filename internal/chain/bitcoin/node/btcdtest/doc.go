// Package btcdtest starts btcd, a full node that is none of ours, on regtest for
// tests: its view of the chain is the foreign witness. Only tests import it.
package btcdtest
