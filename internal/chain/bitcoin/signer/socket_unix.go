//go:build !windows

package signer

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// Listen makes the socket, for the process's own user alone, or, shared, for
// others too, whom the server then tells apart. It replaces one that a crash left
// and refuses one that somebody answers at.
func Listen(path string, shared bool) (net.Listener, error) {
	folder, forbidden, socket := fs.FileMode(0o700), fs.FileMode(0o077), fs.FileMode(0o600)
	if shared {
		folder, forbidden, socket = 0o711, 0o022, 0o666
	}
	if err := os.MkdirAll(filepath.Dir(path), folder); err != nil {
		return nil, err
	}
	if err := checkFolder(filepath.Dir(path), forbidden); err != nil {
		return nil, err
	}
	if err := clearStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socket); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// clearStale removes a socket that nobody answers at.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is there and is not a socket: choose another --socket", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
		return fmt.Errorf("another signer answers at %s: stop it first, or choose another --socket", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("it cannot be found out whether a signer answers at %s: %w", path, err)
	}
	return os.Remove(path)
}

// checkFolder refuses a folder in which another user could put something in the
// place of what is ours; no bit of its mode may be in forbidden.
func checkFolder(path string, forbidden fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := checkOwner(path, info); err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return fmt.Errorf("other users can reach into %s (mode %o): run `chmod %o %s`, or choose another folder", path, mode, mode&^forbidden, path)
	}
	return nil
}

// checkFile refuses a file that another user could have written.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := checkOwner(path, info); err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("other users can change %s (mode %o): run `chmod go-w %s` once you have looked at what it says", path, mode, path)
	}
	return nil
}

func checkOwner(path string, info fs.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() && st.Uid != 0 {
		return fmt.Errorf("%s belongs to user %d, who could change it: it has to be the signer's own", path, st.Uid)
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
