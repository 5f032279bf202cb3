// Package api is the HTTP front: it reads a request once, finds out who asks,
// lets the authorization table decide, calls one operation of app and writes
// one answer. It is the only writer of the error envelope. It imports app,
// view, wire and the nouns; only the command imports it.
package api
