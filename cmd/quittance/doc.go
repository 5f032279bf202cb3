// Command quittance is the whole program: the server, its demo and the tools of
// the operator. This package only puts the parts together; one file holds one
// subcommand.
package main
