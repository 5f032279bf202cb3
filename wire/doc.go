// Package wire holds the JSON shapes of the API, field for field: what a client
// sends, what the server answers and what a webhook carries. It has no
// behaviour beyond reading and writing JSON, imports nothing of this module and
// may be imported by anyone.
package wire
