// Package chain says what every blockchain back end reports and which contract
// it fulfils, in words that no single chain owns. It imports only money. The
// nouns, store, watch and the back ends below it import it.
package chain
