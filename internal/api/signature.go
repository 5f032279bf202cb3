package api

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/quittance/quittance/internal/api/bitauth"
	"github.com/quittance/quittance/internal/fault"
)

// requireSignature checks who signed the request and keeps the SIN. The client
// signs its own idea of the URL, so each address this server may be known by is
// tried, in each spelling of the query that an official client is known to sign.
func (c *call) requireSignature() error {
	identity, signature := c.r.Header.Get("X-Identity"), c.r.Header.Get("X-Signature")
	if identity == "" || signature == "" {
		return fault.Access(http.StatusUnauthorized, "This needs a signed request: the X-Identity and X-Signature headers are missing")
	}
	id, err := c.server.verifier.Identity(identity)
	if err != nil {
		return fault.Access(http.StatusUnauthorized, "%v", err)
	}
	sig, err := bitauth.ParseSignature(signature)
	if err != nil {
		return fault.Access(http.StatusUnauthorized, "%v", err)
	}
	bases := c.server.bases(c.r)
	for _, target := range spellings(target(c.r)) {
		for _, base := range bases {
			if c.server.verifier.Verify(id, sig, []byte(base), []byte(target), c.body) {
				c.sin = id.SIN()
				return nil
			}
		}
	}
	return fault.Access(http.StatusUnauthorized, "%v of SIN %s: sign the full URL (this server is %s) followed by the raw body", bitauth.ErrSignature, id.SIN(), bases[0])
}

// target is the path and query as received, also of a client that sent the
// whole URL as if to a proxy.
func target(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// bases lists the addresses that the client may have signed, likeliest first,
// each without a slash at the end.
func (s *Server) bases(r *http.Request) []string {
	list := make([]string, 0, 12)
	add := func(b string) {
		if !slices.Contains(list, b) {
			list = append(list, b)
		}
	}
	for _, b := range s.BaseURLs {
		add(strings.TrimRight(b, "/"))
	}
	host := strings.TrimSuffix(r.Host, ":443")
	add("https://" + host)
	if s.TrustProxy && fromLoopback(r) {
		proto, fwd := r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Host")
		if (proto == "https" || proto == "http") && fwd != "" {
			add(proto + "://" + fwd)
		}
	}
	add("https://bitpay.com")
	add("https://test.bitpay.com")
	if s.PlainHTTP {
		add("http://" + host)
	}
	for _, b := range list { // one client always writes the port
		if !hasPort(b) {
			add(b + ":443")
		}
	}
	return list
}

func hasPort(base string) bool {
	u, err := url.Parse(base)
	return err != nil || u.Port() != ""
}

// spellings lists the request target as received and as other clients sign it:
// PHP signs "+" and "%7E" but sends "%20" and "~"; C# signs the unescaped text.
// The order of parameters is never changed.
func spellings(target string) []string {
	list := []string{target}
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return list
	}
	var php, plain []string
	for _, pair := range strings.Split(query, "&") {
		k, v, eq := strings.Cut(pair, "=")
		dk, err1 := url.QueryUnescape(k)
		dv, err2 := url.QueryUnescape(v)
		// Unlike a form's reader, C#'s leaves "+" as it is.
		pk, err3 := url.PathUnescape(k)
		pv, err4 := url.PathUnescape(v)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return list
		}
		sep := ""
		if eq {
			sep = "="
		}
		php = append(php, rfc1738(dk)+sep+rfc1738(dv))
		plain = append(plain, pk+sep+pv)
	}
	for _, q := range []string{strings.Join(php, "&"), strings.Join(plain, "&")} {
		if q != query {
			list = append(list, path+"?"+q)
		}
	}
	return list
}

// rfc1738 escapes as PHP's http_build_query does.
func rfc1738(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "~", "%7E") }

func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// ClientAddress is whom the limits count: the peer, or whom a trusted proxy
// speaks for.
func ClientAddress(r *http.Request, trustProxy bool) string {
	if trustProxy && fromLoopback(r) {
		chain := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if ip := net.ParseIP(strings.TrimSpace(chain[len(chain)-1])); ip != nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
