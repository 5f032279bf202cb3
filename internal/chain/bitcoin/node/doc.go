// Package node reads and feeds a chain through a node's JSON-RPC, in the dialect of
// Bitcoin Core that btcd speaks too. Blocks and transactions are taken raw, by
// hash, and parsed here: what a node says about them is believed only where nothing
// depends on it. It imports chain and chain/bitcoin; cmd imports it.
package node
