// Package storetest is what any engine of the store has to pass. Only tests
// import it.
package storetest
