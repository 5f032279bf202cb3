// Package merchant knows who may ask for what: merchants, their wallets, client
// identities (SINs), API tokens with their facades and policies, and pairing.
// It does no I/O. It imports fault and money; app, store and the edges import it.
package merchant
