// Package payout knows what a payment to a recipient is, when it is funded, what
// makes two of them the same, and which steps one may take. It does no I/O. It
// imports fault and money; store, app and the edges import it.
package payout
