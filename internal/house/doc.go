// Package house keeps the structure true: tests that every package says what it
// is for, that imports point down only, and that pictures and examples in the
// documents agree with the code. It holds tests only; nothing imports it.
package house
