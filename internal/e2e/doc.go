// Package e2e runs the real binary and lets foreign clients judge it: the
// official Node SDK and a browser. It holds tests only and imports nothing of
// this module but test helpers; nothing imports it.
package e2e
