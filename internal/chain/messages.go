package chain

// Messages checks texts that the owner of an address has signed. All methods are
// safe for concurrent use.
type Messages interface {
	// Verify holds a signature, as wallets print it, against an address and a
	// text. The error is a sentence that says what is wrong: a signature that
	// cannot be read, one of another address or text, an address of a kind that
	// signs nothing here.
	Verify(address, message, signature string) error
}
