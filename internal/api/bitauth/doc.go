// Package bitauth checks the signatures that API clients make: ECDSA over
// secp256k1 and SHA-256, strict DER, both halves of S. It also makes them, for
// the Go client and for tests. It imports merchant for the SIN; api and tests
// import it.
package bitauth
