// Package spending makes Bitcoin transactions out of a wallet: it chooses coins,
// reckons fees, writes the packet that a signer signs (BIP 174) and checks what
// comes back. It holds no key and does no I/O. It imports chain, chain/bitcoin
// and money; cmd and tests import it.
package spending
