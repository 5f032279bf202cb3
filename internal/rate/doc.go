// Package rate turns the prices that several sources report into one table of
// exchange rates, and amounts of one currency into amounts of another. It fails
// closed: a currency that cannot be priced with confidence has no rate.
//
// It does no I/O and reads no clock. It imports money only; feed, the nouns,
// app and the edges may import it.
package rate
