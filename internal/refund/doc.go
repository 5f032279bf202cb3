// Package refund knows what goes back to a buyer, which steps that takes and what
// it may be. It does no I/O. It imports invoice and the leaves; store, app and the
// edges import it.
package refund
