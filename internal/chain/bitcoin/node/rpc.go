package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/btcjson"
)

// Config says where a node is.
type Config struct {
	// URL is http://user:password@host:port or https://…; user and password may be
	// left out where there is a cookie.
	URL string
	// Cookie is the file in which Bitcoin Core leaves the password of the day. It is
	// read again when the node refuses the last one.
	Cookie string
	// CA is the PEM file of the certificate that the node's TLS is trusted by, such
	// as btcd's rpc.cert. Empty: those of the system.
	CA string
	// Network is what the node must be on: main, test, signet or regtest.
	Network string
	// FallbackFee is taken where the node has no estimate, in satoshi per 1,000
	// virtual bytes. 0 is 10,000.
	FallbackFee uint64
}

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 64 << 20 // bytes; a block of 4 MB is 8 MB in hex
)

// codes of JSON-RPC errors that mean something here. The rest of them is in
// btcjson.
const (
	codeUnknownMethod btcjson.RPCErrorCode = -32601
	codeNotFound      btcjson.RPCErrorCode = -5
	codeOutOfRange    btcjson.RPCErrorCode = -8 // Bitcoin Core, of a height above the tip
)

// rpc calls one node.
type rpc struct {
	url            string // without the password
	user, password string
	cookie         string
	http           *http.Client
	id             atomic.Uint64
}

func newRPC(c Config) (*rpc, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the node's address is not of the form http://user:password@host:port")
	}
	r := &rpc{cookie: c.Cookie, user: u.User.Username()}
	r.password, _ = u.User.Password()
	u.User = nil
	r.url = u.String()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.MaxIdleConnsPerHost = nil, 8
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("the node's certificate: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", c.CA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	r.http = &http.Client{Transport: transport, Timeout: callTimeout}
	return r, nil
}

// call asks the node. A *btcjson.RPCError is the node's own refusal; any other
// error leaves open what it did.
func (r *rpc) call(ctx context.Context, out any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": r.id.Add(1), "method": method, "params": params})
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		status, answer, err := r.post(ctx, body)
		if err != nil {
			return fmt.Errorf("node: %s: %w", method, err)
		}
		if status == http.StatusUnauthorized || status == http.StatusForbidden {
			if try == 0 && r.cookie != "" {
				continue // the node was restarted: the cookie is another one now
			}
			return fmt.Errorf("node: %s: the node does not know this user and password; look at rpcuser and rpcpassword (or the cookie) of the node", method)
		}
		return read(answer, status, method, out)
	}
}

func (r *rpc) post(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	user, password, err := r.credentials()
	if err != nil {
		return 0, nil, err
	}
	req.SetBasicAuth(user, password)
	resp, err := r.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return resp.StatusCode, answer, err
}

func (r *rpc) credentials() (user, password string, err error) {
	if r.cookie == "" {
		return r.user, r.password, nil
	}
	b, err := os.ReadFile(r.cookie)
	if err != nil {
		return "", "", fmt.Errorf("the node's cookie: %w", err)
	}
	user, password, ok := strings.Cut(strings.TrimSpace(string(b)), ":")
	if !ok {
		return "", "", fmt.Errorf("%s is not a node's cookie", r.cookie)
	}
	return user, password, nil
}

// read takes the result out of an answer. Nodes send refusals with a status of
// their own, so the body has the word.
func read(answer []byte, status int, method string, out any) error {
	var a struct {
		Result json.RawMessage
		Error  *btcjson.RPCError
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("node: %s: answered with status %d and no JSON: %w", method, status, err)
	}
	if a.Error != nil {
		return fmt.Errorf("node: %s: %w", method, a.Error)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.Result, out); err != nil {
		return fmt.Errorf("node: %s: cannot read its answer: %w", method, err)
	}
	return nil
}

// refused is the code of the node's own refusal, if an error is one.
func refused(err error) (*btcjson.RPCError, bool) {
	var e *btcjson.RPCError
	return e, errors.As(err, &e)
}

func isCode(err error, codes ...btcjson.RPCErrorCode) bool {
	e, ok := refused(err)
	for _, c := range codes {
		if ok && e.Code == c {
			return true
		}
	}
	return false
}
