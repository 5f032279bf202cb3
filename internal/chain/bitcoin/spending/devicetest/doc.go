// Package devicetest is a hardware signer for tests. It reads packets as such devices
// do (BIP 174 and 371), with the field's libraries and nothing of ours: by fingerprint
// and path it finds its keys, and amounts it believes only where it has proof. Only
// tests import it.
package devicetest
