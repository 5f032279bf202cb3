// Package ledger knows how the books are kept: double entry, in whole smallest
// units, every entry zero in each asset, never changed, corrected by new entries,
// and chained by hashes so that a change shows. It does no I/O. It imports money;
// the other nouns, store and app import it.
package ledger
