// Package transfer knows how money leaves: orders to pay wait in a queue, one
// transaction takes many of them, and every attempt at that transaction shares an
// input with every other, so that at most one can ever confirm. It does no I/O.
// It imports the leaves; store and app import it.
package transfer
