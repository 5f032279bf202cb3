// Package feed reads exchange rates from public sources and keeps the current
// rate table. Each source has one file with its address and its parser; what is
// not a positive price in the documented form is refused. Poller combines the
// sources by the rules of package rate and fails closed.
//
// It imports money and rate; only cmd imports it. Users of the current table
// declare the one method they need: Current() (*rate.Table, error).
package feed
