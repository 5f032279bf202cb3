package main

import "golang.org/x/sys/unix"

// hideMemory keeps other processes, of the same user too, from reading this one's
// memory and environment, and its seeds out of core dumps. What cannot be set is
// as it was.
func hideMemory() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
