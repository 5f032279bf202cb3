// Package app holds the verbs: one file per operation, one transaction per
// operation. It decides nothing that a noun can decide and sends nothing to the
// outside. It imports store, the nouns and the leaves; api, pages, watch and
// outbox import it.
package app
