// Package subscription knows when the next of a series of bills is due and what
// it says. Times are UTC. It does no I/O and has no clock. It imports bill and
// the leaves; store, app and the edges import it.
package subscription
