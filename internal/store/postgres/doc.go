// Package postgres runs the store on PostgreSQL through a pgx pool: snapshot
// isolation, retried when two operations touch the same row, and a mark in each
// transaction by which a commit whose answer was lost is looked up. It imports
// sqldb and migrations; only store and tests import it.
package postgres
