package outbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

const maxRead = 64 << 10 // bytes of an answer, and of its header, that are read

// newClient returns the client for endpoints that merchants name: no proxy, no
// cookies, no redirects, and only to addresses that are allowed.
func newClient(allowPrivate bool, workers int) *http.Client {
	d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		// The check sits behind name resolution, on the very address that is
		// dialled, so a name that changes its mind gains nothing.
		d.Control = func(_, address string, _ syscall.RawConn) error { return checkDial(address) }
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxIdleConns:           2 * workers,
			MaxIdleConnsPerHost:    32,
			IdleConnTimeout:        60 * time.Second,
			MaxResponseHeaderBytes: maxRead,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends one webhook. Any 2xx is success; a redirect is a refusal.
func (o *Outbox) post(ctx context.Context, endpoint string, header http.Header, body []byte) result {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "":
		return failed("the notification URL cannot be read")
	case u.Scheme != "https" && (u.Scheme != "http" || !o.AllowHTTP):
		return failed("the notification URL must begin with https://")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return failed("the notification URL cannot be used: %v", inner(err))
	}
	req.Header = header
	req.Header.Set("User-Agent", "Quittance/"+o.Version)
	res, err := o.client.Do(req)
	if err != nil {
		return failed("%v", inner(err))
	}
	defer res.Body.Close()
	start, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	// The rest is read so that the connection can be used again. The status has
	// said all; an answer that breaks off changes nothing.
	_, _ = io.CopyN(io.Discard, res.Body, maxRead-maxAnswer)
	r := result{status: res.StatusCode, answer: clean(string(start), maxAnswer)}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		r.problem = clean("answered "+res.Status, maxProblem)
	}
	return r
}

// inner drops the URL that net/http puts before its errors: its query may hold
// a secret of the merchant.
func inner(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return errors.New("no answer in time")
		}
		return u.Err
	}
	return err
}
