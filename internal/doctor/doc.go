// Package doctor looks an installation over: what is wrong with it, and what to do.
// Each check is independent of the others and changes nothing. It imports store, the
// back end of nodes and the price feed; only cmd imports it.
package doctor
