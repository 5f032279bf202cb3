package signer

import (
	"errors"
	"net"
	"syscall"
)

// peersAreKnown reports whether peerUID works here.
const peersAreKnown = true

// peerUID is the user whose process is at the other end (SO_PEERCRED). The kernel
// noted it when the connection was made; the process cannot choose it.
func peerUID(c net.Conn) (uid int, err error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return -1, errors.New("signer: not a socket")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *syscall.Ucred
	cerr := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err = errors.Join(err, cerr); err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
