// Package client talks to a Quittance server (or any other that speaks the
// BitPay API, version 2) from Go: it keeps the client's key, signs requests and
// reads the answers into the shapes of package wire. It imports wire only and
// may be imported by anyone.
package client
