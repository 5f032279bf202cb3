package paypro

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/wire"
)

// keysBody is the list of keys as it is published: the same bytes from every server
// on this database and at every moment, as long as the keys are the same, because
// operators sign them.
func (s *Server) keysBody(r *http.Request) ([]byte, error) {
	list, err := s.Keys.Published(r.Context())
	if err != nil {
		return nil, err
	}
	out := wire.SigningKeys{Owner: s.host(), ValidDomains: []string{s.host()}, PublicKeys: []string{}}
	for i, k := range list {
		out.PublicKeys = append(out.PublicKeys, k.Public)
		if end := iso(k.Expires); i == 0 || end < out.ExpirationDate {
			out.ExpirationDate = end
		}
	}
	return json.Marshal(out)
}

func (s *Server) signingKeys(w http.ResponseWriter, r *http.Request) error {
	body, err := s.keysBody(r)
	if err != nil {
		return err
	}
	return s.write(w, body)
}

var (
	hashName    = regexp.MustCompile(`^([0-9a-f]{64})\.json$`)
	fingerprint = regexp.MustCompile(`^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})\.asc$`)
)

// maxSignature bounds a signature's file, in bytes.
const maxSignature = 64 << 10

// signatures lists who vouches for a list of keys: the operator's files
// HASH/FINGERPRINT.asc. They are passed on as they are; wallets check them.
func (s *Server) signatures(w http.ResponseWriter, r *http.Request) error {
	m := hashName.FindStringSubmatch(r.PathValue("name"))
	if m == nil {
		return fault.Access(http.StatusNotFound, "Ask for the SHA-256 of the published keys in small hexadecimal digits: /signatures/HASH.json")
	}
	body, err := s.keysBody(r)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	files, err := os.ReadDir(filepath.Join(s.Signatures, m[1]))
	if errors.Is(err, fs.ErrNotExist) && m[1] != hex.EncodeToString(sum[:]) {
		return fault.Access(http.StatusNotFound, "No published keys of this server have this hash")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out := wire.KeySignatures{KeyHash: m[1], Signatures: []wire.KeySignature{}}
	for _, f := range files {
		print := fingerprint.FindStringSubmatch(f.Name())
		info, err := f.Info()
		if print == nil || err != nil || info.Size() > maxSignature || !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.Signatures, m[1], f.Name()))
		if err != nil {
			return err
		}
		out.Signatures = append(out.Signatures, wire.KeySignature{
			Created: iso(info.ModTime()), Identifier: strings.ToLower(print[1]), Signature: hex.EncodeToString(text),
		})
	}
	if body, err = json.Marshal(out); err != nil {
		return err
	}
	return s.write(w, body)
}
