// Command bench prints one table of figures, each beside a floor measured in the
// same run: what the same work costs with nothing of this program around it. It
// is run by make bench. It imports what it measures; nothing imports it.
package main
