// Package invoice knows what an invoice is, which steps it may take and what a
// payment means for it. It does no I/O and reads no clock. It imports chain,
// money, fault and rate; store, app, view and the edges import it.
package invoice
