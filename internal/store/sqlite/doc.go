// Package sqlite runs the store on one SQLite file: WAL, synchronous=FULL, one
// writer that groups waiting operations into one commit with a savepoint each,
// and a small pool of readers. It imports sqldb and migrations; only store and
// tests import it.
package sqlite
