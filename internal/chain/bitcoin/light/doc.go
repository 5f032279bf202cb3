// Package light follows the Bitcoin network without a node: it fetches block headers
// and compact filters (BIP 157, BIP 158) from peers, reads only the blocks whose
// filter says that they may concern a watched script, and hands transactions to
// peers. The peer-to-peer work is neutrino's. It imports chain, chain/bitcoin and
// chain/bitcoin/blockfilter; cmd imports it.
//
// # What is fetched
//
// All block headers since the first block (80 bytes each) and all filter headers (32
// bytes each): neutrino checks the one against its checkpoints and the other against
// the lists of checkpoints of all connected peers, every thousandth first, and has no
// way to begin later. Filters themselves, some 25 KB a block, are fetched only from
// where the database's cursor begins, which for a new database is the height of birth
// or the day of the first start; none is kept.
//
// A filter matches one foreign script in 784,931: with a thousand scripts one block in
// 785 is read in vain, with 100,000 one in eight, with a million most of them.
//
// # Whom it believes
//
// A filter header that peers disagree upon is settled by the block: a filter that
// leaves out an output of its block is a lie, and whoever sent it is banned and an
// alarm raised. What the first peer says alone would be believed, and everybody who
// comes later banned for contradicting it; so peers have time to gather before filter
// headers are compared, and when half of them contradict what is stored, all of it is
// fetched and compared again. Blocks are held against their merkle root.
//
// The tip is told only while it can be the tip: not while headers are fetched, not
// without peers, and not in the middle of a reorganisation.
//
// # The library's panics
//
// neutrino v0.17.1 panics in goroutines of its own, where nobody can recover:
//
//   - "Rollback failed" when a header cannot be taken back. Two ways lead there. The
//     library reads once how far its filter headers reach before it rolls back, and
//     another goroutine may write more of them meanwhile: the store then ends with a
//     block that the index has forgotten. Nothing follows it any more, each later
//     rollback panics, and the store cannot be opened again. And a crash between the
//     truncation of a file and that of its index leaves a file that is shorter than the
//     index says; the library reckons the difference without a sign and cannot open it.
//   - three more while it fetches filter headers in bulk and the chain is reorganised.
//   - It runs out of memory when a peer's list of checkpoints is shorter than the filter
//     headers that are stored, again for a difference without a sign.
//
// guard.go keeps the two stores in step, keeps such lists away, and where a store fails
// all the same it ends the goroutine that would panic (runtime.Goexit): the client
// notices and opens the library anew. repair.go puts the stores right before they are
// opened, and gives them up when they contradict themselves or killed the process
// several times: headers are fetched again, which costs minutes and no money. What was
// found in blocks is in the database by then, and no part of this.
package light
