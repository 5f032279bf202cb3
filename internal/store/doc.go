// Package store keeps the nouns in a database: one SQL text per statement for
// both engines, one transaction per operation. It holds no rules; those are the
// nouns'. It imports the nouns and the engines; only app imports it, and the
// command that opens it.
package store
