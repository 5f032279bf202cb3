// Package light follows the Bitcoin network without a node: it fetches block headers
// and compact filters (BIP 157, BIP 158) from peers, reads only the blocks whose
// filter says that they may concern a watched script, and hands transactions to
// peers. The peer-to-peer work is neutrino's. It imports chain, chain/bitcoin and
// chain/bitcoin/blockfilter; cmd imports it.
package light
