// Package money holds whole amounts of the smallest unit of a currency and the
// one table of the currencies that exist: ISO 4217 and the assets of the chains.
// No float is ever used for an amount. It imports nothing of this module; every
// other package may import it.
package money
