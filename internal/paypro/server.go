package paypro

import (
	"crypto/sha256"
	"encoding/hex"
	stdjson "encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/wire"
)

const (
	maxBody = 64 << 10 // bytes; a transaction of 32,000
	// atOnce is how many payments are looked at at the same time: each asks the chain
	// for what it spends.
	atOnce = 8
)

// Server answers wallets.
type Server struct {
	App        *app.App
	Keys       *Keyring
	PublicURL  string // without a slash at the end
	Signatures string // folder with the operator's signatures of the keys
	Log        *slog.Logger

	looking chan struct{}
}

// Register adds the routes to a mux, all but GET /i/{id}, which pages share: people
// follow it too.
func (s *Server) Register(mux *http.ServeMux) {
	s.looking = make(chan struct{}, atOnce)
	mux.HandleFunc("POST /i/{id}", s.answer(s.post))
	mux.HandleFunc("GET /signingKeys/paymentProtocol.json", s.answer(s.signingKeys))
	mux.HandleFunc("GET /signatures/{name}", s.answer(s.signatures))
}

// ServeHTTP answers GET /i/{id} of a wallet.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.answer(s.options)(w, r) }

// answer sends what a step returns, or a refusal in plain text.
func (s *Server) answer(step func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		err := checkVersion(r)
		if err == nil {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			err = step(w, r)
		}
		if err == nil {
			return
		}
		f := s.refusal(r, err)
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Message) // whoever asked has gone
	}
}

func checkVersion(r *http.Request) error {
	if v := r.Header.Get("X-Paypro-Version"); v != "" && v != "2" {
		return bad("This server speaks version 2 of the JSON payment protocol, not %.20q: send the header x-paypro-version: 2", v)
	}
	return nil
}

func bad(format string, args ...any) error {
	return fault.Access(http.StatusBadRequest, format, args...)
}

// refusal turns any error into what a wallet may know of it.
func (s *Server) refusal(r *http.Request, err error) *fault.Error {
	f, ok := fault.As(err)
	if ok && f.Status < http.StatusInternalServerError {
		return f
	}
	if r.Context().Err() == nil {
		s.Log.Error("the payment protocol", "route", r.Pattern, "error", err)
	}
	if ok {
		return f
	}
	return fault.Access(http.StatusInternalServerError, "Something went wrong on this server; please try again")
}

// send signs an answer and sends it (spec, section 10: two spellings of the header).
func (s *Server) send(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := stdjson.Marshal(v)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(body)
	identity, signature, err := s.Keys.Sign(r.Context(), digest[:])
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Digest", "SHA-256="+hex.EncodeToString(digest[:]))
	h.Set("X-Identity", identity)
	h.Set("X-Signature-Type", "ecc")
	h.Set("X-Signature", signature)
	h.Set("Signature", signature)
	return s.write(w, body)
}

func (s *Server) write(w http.ResponseWriter, body []byte) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if _, err := w.Write(body); err != nil {
		s.Log.Debug("the wallet went away", "error", err)
	}
	return nil
}

// post tells the steps apart by the type of what is sent.
func (s *Server) post(w http.ResponseWriter, r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	switch kind {
	case wire.PaymentRequestType:
		return s.request(w, r)
	case wire.PaymentVerificationType, wire.PaymentType:
		return s.pay(w, r, kind == wire.PaymentType)
	}
	return bad("The Content-Type %.60q is none of %s, %s and %s", r.Header.Get("Content-Type"), wire.PaymentRequestType, wire.PaymentVerificationType, wire.PaymentType)
}

// read decodes a body strictly: valid UTF-8, no name twice, names as they are
// written, nothing behind it.
func read(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return bad("The request is longer than %d bytes", big.Limit)
	case err != nil:
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return bad("The request cannot be read: it is not the JSON object that this step asks for")
	}
	return nil
}

// host is what the keys are good for.
func (s *Server) host() string {
	u, err := url.Parse(s.PublicURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
