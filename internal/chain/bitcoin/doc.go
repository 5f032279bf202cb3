// Package bitcoin turns keys into Bitcoin addresses and addresses into output
// scripts: BIP 39 mnemonics, BIP 32 accounts under BIP 84 or BIP 86, SLIP-132
// key texts, BIP 173/350 addresses, BIP 380 descriptors, BIP 21 payment links,
// and seeds sealed under a passphrase. It never talks to a chain.
//
// It imports chain and money. app, api, pages, cmd and the Bitcoin back ends
// below it may import it.
package bitcoin
