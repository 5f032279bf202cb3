// Package control lets a person or a test move the sandbox chain over HTTP on
// the loopback interface: pay, mine, replace, double-spend, reorganise. It
// imports sandbox and chain; only the command and tests import it. Nothing that
// handles live money does.
package control
