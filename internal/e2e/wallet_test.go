package e2e

import "testing"

// BitPay's own wallet client, unmodified, pays invoices of the program through the
// JSON payment protocol, on both engines, and holds our signatures against the keys
// that we publish; in the end the books are right.
func TestBitPaysWalletClient(t *testing.T) {
	requireNode(t)
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, database(t))
			runNode(t, s, "wallet.test.mjs")
			s.verify(t)
		})
	}
}
