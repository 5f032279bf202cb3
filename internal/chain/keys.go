package chain

import "github.com/quittance/quittance/internal/money"

// Keys turns a wallet's public account key into receiving addresses of one
// network. All methods are safe for concurrent use.
type Keys interface {
	// Check verifies an account key that is about to become a wallet and returns
	// its canonical text.
	Check(xpub, kind string) (string, error)
	// Origin verifies where an account key is said to come from, such as
	// [d34db33f/84h/0h/0h], and returns it as it is kept. Empty is allowed: it is not
	// known.
	Origin(xpub, kind, origin string) (string, error)
	// Address derives the receiving address with an index, as the payer reads it
	// and as the chain itself uses it.
	Address(xpub, kind string, index int64) (address string, destination []byte, err error)
	// URI is a one-tap payment request for a wallet (for Bitcoin, BIP 21).
	URI(address string, amount money.Units, label, message string) string
	// Dust is the smallest amount that the chain relays to such a destination.
	Dust(destination []byte) money.Units
}
