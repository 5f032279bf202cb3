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

// Place says where one node is.
type Place struct {
	// URL is http://user:password@host:port or https://…; user and password may be
	// left out where there is a cookie.
	URL string
	// Cookie is the file in which Bitcoin Core leaves the password of the day. It is
	// read again when the node refuses the last one.
	Cookie string
	// CA is the PEM file of the certificate that the node's TLS is trusted by, such
	// as btcd's rpc.cert. Empty: those of the system.
	CA string
	// ZMQ is where the node tells what is new, such as tcp://127.0.0.1:28332. Empty:
	// the node is asked.
	ZMQ string
}

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 64 << 20 // bytes; a block of 4 MB is 8 MB in hex
)

// errTooLong means that a node said more than is read.
var errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)

// codes of JSON-RPC errors that mean something here. The rest of them is in
// btcjson.
const (
	codeUnknownMethod btcjson.RPCErrorCode = -32601
	codeNotFound      btcjson.RPCErrorCode = -5
	codeWarmingUp     btcjson.RPCErrorCode = -28 // Bitcoin Core, while it starts
	codeMisc          btcjson.RPCErrorCode = -1
	codeType          btcjson.RPCErrorCode = -3 // a parameter of another type
	codeOutOfRange    btcjson.RPCErrorCode = -8 // Bitcoin Core, of a height above the tip
)

// rpc calls one node.
type rpc struct {
	place          Place
	url            string // without the password
	user, password string
	cookie         string
	http           *http.Client
	id             atomic.Uint64
}

func newRPC(c Place) (*rpc, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the node's address is not of the form http://user:password@host:port")
	}
	r := &rpc{place: c, cookie: c.Cookie, user: u.User.Username()}
	r.password, _ = u.User.Password()
	u.User = nil
	r.url = u.String()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.MaxIdleConnsPerHost = nil, 8
	// Bitcoin Core closes a connection that is idle for 30 seconds; it is given up
	// before, so that no call meets one that is just being closed.
	transport.IdleConnTimeout = 20 * time.Second
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

// request is one call as it goes over the wire.
type request struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

func (r *rpc) request(method string, params []any) request {
	if params == nil {
		params = []any{}
	}
	return request{"1.0", r.id.Add(1), method, params}
}

// call asks the node. A *btcjson.RPCError is the node's own refusal; any other
// error leaves open what it did.
func (r *rpc) call(ctx context.Context, out any, method string, params ...any) error {
	status, answer, err := r.exchange(ctx, method, r.request(method, params))
	if err != nil {
		return err
	}
	return read(answer, status, method, out)
}

// exchange posts one call, or a list of them.
func (r *rpc) exchange(ctx context.Context, method string, ask any) (status int, answer []byte, err error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return 0, nil, err
	}
	for try := 0; ; try++ {
		status, answer, err := r.post(ctx, body)
		if err != nil {
			return 0, nil, fmt.Errorf("node: %s: %w", method, err)
		}
		if status == http.StatusUnauthorized || status == http.StatusForbidden {
			if try == 0 && r.cookie != "" {
				continue // the node was restarted: the cookie is another one now
			}
			return 0, nil, fmt.Errorf("node: %s: the node does not know this user and password; look at rpcuser and rpcpassword (or the cookie) of the node", method)
		}
		return status, answer, nil
	}
}

// batch asks the same of many things in one exchange. visit gets each answer, in any
// order, and the place of its call in the list.
func (r *rpc) batch(ctx context.Context, method string, params [][]any, visit func(i int, result json.RawMessage, err error) error) error {
	list := make([]request, len(params))
	place := map[uint64]int{}
	for i, p := range params {
		list[i] = r.request(method, p)
		place[list[i].ID] = i
	}
	status, body, err := r.exchange(ctx, method, list)
	if err != nil {
		return err
	}
	var answers []struct {
		ID uint64
		answer
	}
	if err := json.Unmarshal(body, &answers); err != nil {
		return fmt.Errorf("node: %s: answered a list of calls with status %d and no list: %w", method, status, err)
	}
	for _, a := range answers {
		i, asked := place[a.ID]
		if !asked {
			return fmt.Errorf("node: %s: an answer to something that was not asked", method)
		}
		delete(place, a.ID)
		var failed error
		if a.Error != nil {
			failed = fmt.Errorf("node: %s: %w", method, a.Error)
		}
		if err := visit(i, a.Result, failed); err != nil {
			return err
		}
	}
	if len(place) > 0 {
		return fmt.Errorf("node: %s: %d calls of a list were not answered", method, len(place))
	}
	return nil
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
	switch n := resp.ContentLength; {
	case n > maxAnswer:
		return resp.StatusCode, nil, errTooLong
	case n > 0:
		answer = make([]byte, n)
		_, err = io.ReadFull(resp.Body, answer)
		return resp.StatusCode, answer, err
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = errTooLong
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

// answer is what a node says to one call.
type answer struct {
	Result json.RawMessage
	Error  *btcjson.RPCError
}

// read takes the result out of an answer. Nodes send refusals with a status of
// their own, so the body has the word.
func read(body []byte, status int, method string, out any) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
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
