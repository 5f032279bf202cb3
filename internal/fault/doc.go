// Package fault is the one error type that carries an API error code, and the
// whole table of those codes. A noun knows the four digits of a code, not HTTP;
// the API puts the method's two digits before them. It imports nothing of this
// module; every package may import it.
package fault
