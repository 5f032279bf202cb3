// Package match answers which outputs of a block pay a watched destination,
// for up to millions of destinations, from memory. The chain's raw destination
// (for Bitcoin the output script) is only hashed, never kept; where block filters
// are matched, which takes the destinations themselves, List keeps them packed.
//
// A hit is a strong hint, not a proof: two destinations share a 64-bit keyed
// hash once in 2^64/n lookups, which costs the caller the one database read
// that it makes for a true hit as well. A watched destination is never missed.
//
// It imports chain. watch imports it.
package match
