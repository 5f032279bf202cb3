// Package settlement knows how a merchant's ledger is paid out: periods that a
// clock closes, what is withheld, the rails and the states. It does no I/O. It
// imports fault and money; store, app and the edges import it.
package settlement
