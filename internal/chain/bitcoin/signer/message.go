package signer

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
)

// Bounds of a message. The heaviest transaction that nodes relay makes a packet
// of less than one megabyte.
const (
	maxRequest  = 2 << 20 // bytes
	maxResponse = 8 << 20 // bytes
	maxTransfer = 100     // characters
)

// The calls. The first two are all that a server makes.
const (
	signPath    = "/sign"
	statusPath  = "/status"
	approvePath = "/approve"
)

type signRequest struct {
	Transfer string `json:"transfer"`
	XPub     string `json:"xpub"`
	Kind     string `json:"kind"`
	Packet   []byte `json:"packet"`
}

// signAnswer has exactly one of its fields.
type signAnswer struct {
	Packet   []byte   `json:"packet,omitempty"`
	Withheld *refusal `json:"withheld,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// refusal is a chain.Withheld on its way.
type refusal struct {
	Reason string `json:"reason"`
	Final  bool   `json:"final"`
}

// check refuses what could not be shown to people as it is.
func (r *signRequest) check() error {
	if r.Transfer == "" || len(r.Transfer) > maxTransfer || strings.ContainsFunc(r.Transfer, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("the transfer's name is not from 1 to %d printable characters", maxTransfer)
	}
	return nil
}

func (r *signRequest) asked() chain.SignRequest {
	return chain.SignRequest{Transfer: r.Transfer, Account: chain.Account{XPub: r.XPub, Kind: r.Kind}, Packet: r.Packet}
}

// WalletStatus is one wallet of a signer.
type WalletStatus struct {
	Name string `json:"name"`
	hot.Status
}

type statusAnswer struct {
	Wallets []WalletStatus `json:"wallets"`
	Error   string         `json:"error,omitempty"`
}

// Approval is somebody's signature under a statement.
type Approval struct {
	XPub      string `json:"xpub"`
	Digest    string `json:"digest"`
	Name      string `json:"name"`
	Signature []byte `json:"signature"`
}

type approveAnswer struct {
	Agreed int    `json:"agreed"` // how many people do
	Error  string `json:"error,omitempty"`
}

// maxPath is what a socket's path may be long on every system, in bytes.
const maxPath = 100

// Address reads where a signer answers, unix:///PATH or an absolute path, and
// returns it as unix:///PATH.
func Address(text string) (string, error) {
	path, err := socketPath(text)
	return (&url.URL{Scheme: "unix", Path: path}).String(), err
}

func socketPath(text string) (string, error) {
	path := text
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "unix" || u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
			return "", fmt.Errorf("%q is not a signer's address such as unix:///run/quittance-signer/signer.sock", text)
		}
		path = u.Path
	}
	if !filepath.IsAbs(path) {
		return "", errors.New("a signer's address needs the whole path of its socket, such as unix:///run/quittance-signer/signer.sock")
	}
	if len(path) > maxPath {
		return "", fmt.Errorf("the socket's path is longer than %d bytes, which not every system takes", maxPath)
	}
	return filepath.Clean(path), nil
}
