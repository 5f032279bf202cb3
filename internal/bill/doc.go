// Package bill knows what a bill is: items that a payer pays by opening an
// invoice over their total, and which steps that takes. It does no I/O. It
// imports the leaves and invoice; subscription, store, app and the edges import it.
package bill
