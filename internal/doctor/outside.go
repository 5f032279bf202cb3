package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// certificateSoon is how long before its end a certificate is worth a word.
const certificateSoon = 14 * 24 * time.Hour

// PublicURL asks for the server at the address that clients and buyers use, and looks
// at its certificate. live is false for play money and test networks, which do without
// TLS.
func PublicURL(ctx context.Context, client *http.Client, address string, live bool, now time.Time) []Finding {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return []Finding{broken("set --public-url to how clients reach this server, such as https://pay.example.com", "no public URL is set")}
	}
	var list []Finding
	if ip := net.ParseIP(u.Hostname()); live && (u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified())) {
		list = append(list, broken("set --public-url to the name that the outside knows", "%s cannot be reached from outside: signatures, links in mails and webhooks are made for it", address))
	}
	if live && u.Scheme != "https" {
		list = append(list, broken("put a reverse proxy that ends TLS in front and set --public-url to https://…", "%s is not https: tokens and addresses travel in the open", address))
	}
	resp, err := get(ctx, client, strings.TrimRight(address, "/")+"/healthz")
	if err != nil {
		return append(list, reached(address, err))
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64))
	if resp.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != "ok" {
		return append(list, broken("look at the reverse proxy: it has to pass every path on to --listen, unchanged", "%s/healthz answers %s and not as this program does", address, resp.Status))
	}
	if resp.Request.URL.Host != u.Host || resp.Request.URL.Scheme != u.Scheme {
		list = append(list, broken("set --public-url to where it leads: signatures cover the exact address", "%s leads on to %s://%s", address, resp.Request.URL.Scheme, resp.Request.URL.Host))
	}
	list = append(list, fine("%s leads to a server of this program", address))
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		list = append(list, certificate(resp.TLS.PeerCertificates[0], now))
	}
	return list
}

func get(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

func reached(address string, err error) Finding {
	var unknownAuthority x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &wrongName):
		return broken("get a certificate for this very name", "the certificate of %s is for another name: %v", address, wrongName)
	case errors.As(err, &unknownAuthority):
		return broken("serve the whole chain of certificates, of an authority that browsers know", "the certificate of %s is signed by nobody that is known", address)
	case errors.As(err, &invalid), errors.As(err, &verification):
		return broken("renew the certificate", "the certificate of %s is not valid: %v", address, plain(err))
	}
	return broken("start the server and the reverse proxy, and let the name's DNS record point here", "%s cannot be reached: %v", address, plain(err))
}

func certificate(c *x509.Certificate, now time.Time) Finding {
	left := c.NotAfter.Sub(now)
	if left < certificateSoon {
		return worse("see that its renewal works", "the certificate ends in %d days", int(left/(24*time.Hour)))
	}
	return fine("the certificate is good for %d more days", int(left/(24*time.Hour)))
}

// Mail connects to the mail relay and reads its greeting.
func Mail(ctx context.Context, relay string) []Finding {
	if relay == "" {
		return []Finding{worse("set --smtp", "there is no mail relay: invitations, refund links and receipts reach nobody")}
	}
	u, err := url.Parse(relay)
	if err != nil || u.Hostname() == "" {
		return []Finding{broken("write --smtp as smtp://user:password@mail.example.com:587", "the mail relay's address cannot be read")}
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"smtps": "465", "smtp": "587"}[u.Scheme]
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return []Finding{broken("check the relay's name and port, and whether this machine may reach it", "the mail relay cannot be reached: %v", err)}
	}
	defer conn.Close()
	if u.Scheme == "smtps" {
		return []Finding{fine("the mail relay at %s answers", u.Host)}
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	greeting := make([]byte, 3)
	if _, err := io.ReadFull(conn, greeting); err != nil || string(greeting) != "220" {
		return []Finding{broken("check that the port is the relay's", "what answers at %s is no mail relay", u.Host)}
	}
	return []Finding{fine("the mail relay at %s answers", u.Host)}
}

// Server asks the server on this machine whether it takes invoices, and how its
// chains are.
func Server(ctx context.Context, client *http.Client, listen string) []Finding {
	resp, err := get(ctx, client, fmt.Sprintf("http://%s/readyz", listen))
	if err != nil {
		return []Finding{broken("start it: quittance serve, or systemctl start quittance; its log says why it ended", "no server answers at %s", listen)}
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	text := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return []Finding{broken("it goes on by itself where it only has to catch up; else see the parts below", "the server takes no invoices yet: %s", text)}
	}
	return []Finding{fine("the server at %s takes invoices", listen)}
}

// Chains asks the server on this machine how the chains are that it follows itself:
// their progress, their peers and what alarms there are.
func Chains(ctx context.Context, client *http.Client, listen string) (list []Finding) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/status", listen), nil)
	if err != nil {
		return nil
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return []Finding{unknown("start the server", "how its chains are can be asked while the server runs")}
	}
	defer resp.Body.Close()
	var status struct {
		Chains []struct {
			Chain, Says string
			Ready       bool
			Alarms      []struct{ Text string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&status); err != nil {
		return []Finding{unknown("", "what the server says of its chains cannot be read: %v", err)}
	}
	for _, c := range status.Chains {
		for _, a := range c.Alarms {
			list = append(list, worse("see the page /status, and the log", "%s: %s", c.Chain, a.Text))
		}
		if c.Ready {
			list = append(list, fine("%s", c.Says))
		} else {
			list = append(list, worse("it goes on by itself; if it does not, look at its peers or its node", "%s", c.Says))
		}
	}
	return list
}
