// Package recipient knows whom a merchant pays out to, which steps a recipient
// takes from the invitation to a proven address, and which address counts when.
// It does no I/O. It imports the leaves; payout, store, app and the edges import it.
package recipient
