//go:build !linux

package main

// hideMemory does nothing: this system has no such switch.
func hideMemory() {}
