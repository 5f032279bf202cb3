// Package signer keeps keys in a process of their own. The server asks over a
// unix socket and gets a signature, or why there is none; what is signed, the
// signer reads from the packet and holds against its own policy file and its own
// memory, so that whoever takes the server over moves no more than the policy
// allows. Only named people can approve what is above a limit: by signatures with
// keys that neither process has. It imports chain, chain/bitcoin and hot; cmd
// imports it.
package signer
