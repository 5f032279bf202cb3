// Package watch follows one chain: it asks a chain.Source what is new, finds
// what pays a watched address, and hands each reading to app.FollowChain. It is
// the same for every back end, sandbox and mainnet.
//
// # What a complete reading promises
//
// A payment that was in the mempool or in the best chain when a complete
// reading began is in the database once the reading is applied. Deadlines rest
// on that. The order of the questions makes it so: the mempool is listed first
// and the tip is asked for afterwards, so that a payment mined in between is in
// a block that is still read. A reading during which the best chain left the
// block that was its tip at the beginning is started over.
//
// A waiting payment is given up at once when something else spends its coins,
// and after app.DropAfter when it is merely missing from the mempool.
//
// The cursor lives in the database and moves with the payments in one
// transaction; a restart goes on from there. Nothing else has to survive.
//
// It imports app, chain and match. cmd imports it.
package watch
