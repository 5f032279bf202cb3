// Package message verifies messages that were signed with the key of a Bitcoin
// address: BIP 322 in its simple form for P2WPKH and P2TR, and the older form of
// `signmessage` and BIP 137 for P2PKH, P2SH-P2WPKH and P2WPKH. It implements
// chain.Messages and does no I/O. It imports the leaves and bitcoin; only cmd and
// tests import it.
package message
