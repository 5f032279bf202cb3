// Package bchdtest starts bchd, a full node of Bitcoin Cash that is none of ours, on
// regtest for tests: with a miner's purse, and its own view of the chain as the
// foreign witness. Only tests import it.
package bchdtest
