package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// canary remembers everything that must not be written down: what it is told,
// and what goes over the wire through it as an http.RoundTripper.
type canary struct {
	mu      sync.Mutex
	secrets map[string]string // what it is, by its text
}

func newCanary() *canary { return &canary{secrets: map[string]string{}} }

// keep adds a secret. What is too short to tell from chance is no secret.
func (c *canary) keep(what string, texts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range texts {
		if len(s) >= 6 {
			c.secrets[s] = what
		}
	}
}

// kinds says of what secrets there are.
func (c *canary) kinds() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	kinds := map[string]bool{}
	for _, what := range c.secrets {
		kinds[what] = true
	}
	return kinds
}

var tokenInJSON = regexp.MustCompile(`"token":"([^"]+)"`)

// RoundTrip implements http.RoundTripper.
func (c *canary) RoundTrip(r *http.Request) (*http.Response, error) {
	c.keep("an X-Signature", r.Header.Get("X-Signature"))
	c.keep("a query string", r.URL.RawQuery)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	for _, m := range tokenInJSON.FindAllSubmatch(body, -1) {
		c.keep("a token", string(m[1]))
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

var (
	queryString = regexp.MustCompile(`\?[A-Za-z]\w*=`)
	wordBefore  = regexp.MustCompile(`\w$`)
	wordAfter   = regexp.MustCompile(`^\w`)
)

// found lists which secrets a text holds. A secret counts where it stands by
// itself, so that a code of six digits is not found in a time.
func (c *canary) found(text string) (hits []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, what := range c.secrets {
		for at, from := 0, 0; ; from = at + 1 {
			i := strings.Index(text[from:], s)
			if i < 0 {
				break
			}
			at = from + i
			if !wordBefore.MatchString(text[max(0, at-1):at]) && !wordAfter.MatchString(text[at+len(s):]) {
				hits = append(hits, what+": "+s)
			}
		}
	}
	for _, q := range queryString.FindAllString(text, -1) {
		hits = append(hits, "a query: "+q)
	}
	return hits
}

// pen collects what a process writes.
type pen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until string
	there chan struct{} // closed once the text holds until
}

func newPen(until string) *pen { return &pen{until: until, there: make(chan struct{})} }

func (p *pen) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := strings.Contains(p.text.String(), p.until)
	p.text.Write(b)
	if !was && strings.Contains(p.text.String(), p.until) {
		close(p.there)
	}
	return len(b), nil
}

func (p *pen) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// overheard is a server all of whose output is kept.
type overheard struct {
	*server
	stdout, stderr *pen
}

// overhear starts a server with as much logging as there is. Its standard
// output is complete up to the text until.
func overhear(t *testing.T, until string, args ...string) *overheard {
	t.Helper()
	bin, err := build()
	must(t, err)
	s := &overheard{server: &server{t: t, bin: bin, data: t.TempDir(), log: &bytes.Buffer{}}, stdout: newPen(until), stderr: newPen("\n")}
	s.cmd = exec.Command(bin, append([]string{"serve", "--sandbox", "--listen", "127.0.0.1:0", "--log-level", "debug", "--data", s.data}, args...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Env = append(os.Environ(), "NO_COLOR=1")
	s.cmd.Stdout, s.cmd.Stderr = s.stdout, s.stderr
	must(t, s.cmd.Start())
	t.Cleanup(s.stop)
	select {
	case <-s.stdout.there:
	case <-t.Context().Done():
		t.Fatalf("the server did not start\n%s%s", s.stdout, s.stderr)
	}
	return s
}
