package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/quittance/quittance/client"
	"github.com/quittance/quittance/internal/chain/bitcoin/sandbox/control"
	"github.com/quittance/quittance/wire"
)

// refusal starts the program where it must not start and returns what it says.
func (s *server) refusal(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.bin, append([]string{"serve", "--sandbox", "--listen", "127.0.0.1:0"}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		s.t.Errorf("%v: it ended with %v\n%s", args, err, &said)
	}
	return said.String()
}

func TestStartsThatWouldDoHarmAreRefused(t *testing.T) {
	s := newServer(t, "")
	other := filepath.Join(t.TempDir(), "other")
	file := filepath.Join(s.data, "quittance.db")
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"two servers on one data folder", "another quittance server works here", []string{"--data", s.data}},
		{"two servers on one database file", "another quittance server works here", []string{"--data", other, "--database", file}},
		{"a public URL without a scheme", "--public-url", []string{"--data", other, "--public-url", "pay.example.com"}},
		{"a public URL of another scheme", "--public-url", []string{"--data", other, "--public-url", "ftp://pay.example.com"}},
		{"a public URL with a query", "--public-url", []string{"--data", other, "--public-url", "https://pay.example.com/?a=1"}},
		{"a public URL with a password", "--public-url", []string{"--data", other, "--public-url", "https://a:b@pay.example.com"}},
	} {
		if said := s.refusal(c.args...); !strings.Contains(said, c.says) {
			t.Errorf("%s: it says %s", c.name, said)
		}
	}
	// The one that runs is none the worse for it.
	s.operator(nil, "merchant", "list")
	if _, err := (&control.Client{URL: s.control}).Do(t.Context(), "mine", control.Mine{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(s.data, "sandbox-control.json")); err != nil {
		t.Errorf("the running sandbox can no longer be found: %v", err)
	}
	s.stop()
	if said := s.refusal("--data", other, "--database", file); !strings.Contains(said, "use another data folder") {
		t.Errorf("a database that has followed another chain: it says %s", said)
	}
}

// limitFiles keeps a running process from making any file longer than n bytes,
// as a full disk does.
func limitFiles(t *testing.T, pid int, n uint64) {
	t.Helper()
	const fileSize = 1 // RLIMIT_FSIZE
	limit := [2]uint64{n, ^uint64(0)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), fileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
}

// On a full disk requests are refused, reading goes on, nothing that was
// acknowledged is lost, and when there is room again work goes on (A17).
func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	s := newServer(t, "")
	c := pair(t, s)
	var made []*wire.Invoice
	create := func() error {
		inv, err := c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: "5", Currency: "USD", GUID: fmt.Sprintf("disk-%d", len(made))})
		if err == nil {
			made = append(made, inv)
		}
		return err
	}
	for range 10 {
		must(t, create())
	}
	log, err := os.Stat(filepath.Join(s.data, "quittance.db-wal"))
	must(t, err)
	limitFiles(t, s.cmd.Process.Pid, uint64(log.Size())+100_000)
	refused := 0
	for tries := 0; refused < 10 && tries < 2000; tries++ {
		if err := create(); err != nil {
			var f *client.Error
			if !errors.As(err, &f) || f.Status < 500 {
				t.Fatalf("on a full disk: %v", err)
			}
			refused++
		}
	}
	if refused < 10 {
		t.Fatal("the disk never became full")
	}
	if _, err := c.Invoice(t.Context(), client.Merchant, made[0].ID); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	limitFiles(t, s.cmd.Process.Pid, ^uint64(0))
	for range 10 {
		must(t, create())
	}
	s.kill()
	s.start(strings.TrimPrefix(s.url, "http://"))
	for _, was := range made {
		now, err := c.Invoice(t.Context(), client.Merchant, was.ID)
		if err != nil {
			t.Errorf("invoice %s was acknowledged: %v", was.ID, err)
		} else if fixed(was) != fixed(now) {
			t.Errorf("invoice %s was acknowledged as %s and is %s", was.ID, fixed(was), fixed(now))
		}
	}
}

// exchange sends bytes as they are and reads answers until the server hangs up
// or has given as many as wanted.
func exchange(t *testing.T, s *server, request string, most int) (status []int) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 5*time.Second)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	go func() { _, _ = io.WriteString(conn, request) }()
	r := bufio.NewReader(conn)
	for len(status) < most {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return status
		}
		status = append(status, resp.StatusCode)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Close {
			return status
		}
	}
	return status
}

// Requests that a proxy and the server might cut at different places get one
// answer and no second thought.
func TestRequestsOfUnclearLengthAreNotSmuggled(t *testing.T) {
	s := newServer(t, "")
	const get, host = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "Host: a\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct {
		request string
		most    int
		want    []int
	}{
		"pipelining is answered in order": {get + get + get, 3, []int{200, 200, 200}},
		"HTTP/1.0 gets one answer":        {"GET /healthz HTTP/1.0\r\n\r\n" + get, 2, []int{200}},
		"both lengths, then another request": {
			"POST /invoices HTTP/1.1\r\n" + host + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX" + get, 2, []int{400}},
		"two lengths": {"POST /invoices HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + get, 2, []int{400}},
		"an encoding nobody knows": {
			"POST /invoices HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + get, 2, []int{501}},
		"a chunked request of HTTP/1.0": {"POST /invoices HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get, 2, []int{400}},
		"a space before the colon":      {"POST /invoices HTTP/1.1\r\n" + host + "Content-Length : 44\r\n\r\n" + get, 2, []int{400}},
		"a folded header is no length":  {"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\n Content-Length: 9\r\n\r\n" + get, 2, []int{200, 200}},
		"a negative length":             {"POST /invoices HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n" + get, 2, []int{400}},
		"two hosts":                     {"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 1, []int{400}},
		"no host":                       {"GET /healthz HTTP/1.1\r\n\r\n", 1, []int{400}},
		"a NUL in a header":             {"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: \x00\r\n\r\n", 1, []int{400}},
		"headers of 1 MiB":              {"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", 2, []int{431}},
		"a target of 1 MiB":             {"GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n", 2, []int{431}},
		"10,000 headers":                {"GET /healthz HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("A: b\r\n", 10_000) + "\r\n", 2, []int{431}},
		"a body of 1 GiB is not waited for": {
			"POST /invoices HTTP/1.1\r\n" + host + "Content-Length: 1073741824\r\n\r\n{", 1, []int{413}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := exchange(t, s, c.request, c.most)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("answered %v, want %v", got, c.want)
			}
		})
	}
}

// A client that hangs up in the middle of a body made no request.
func TestAHalfSentBodyIsNoRequest(t *testing.T) {
	s := newServer(t, "")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /tokens HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{\"facade\":\"merchant\"}")
	must(t, err)
	must(t, conn.(*net.TCPConn).CloseWrite())
	must(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil && resp.StatusCode != http.StatusBadRequest {
		t.Errorf("it was answered with %s", resp.Status)
	}
}

// A shop that names the server itself, or the sandbox's control, as the place
// for its webhooks moves nothing with them.
func TestWebhooksToTheServerItselfAreRefusedThere(t *testing.T) {
	s := newServer(t, "")
	c := pair(t, s)
	chain := &control.Client{URL: s.control}
	before, err := chain.Status(t.Context())
	must(t, err)
	for _, to := range []string{s.url + "/tokens", s.url + "/invoices", s.control + "/mine", s.control + "/invalidate"} {
		for _, extended := range []bool{true, false} {
			inv, err := c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{
				Price: "5", Currency: "USD", NotificationURL: fmt.Sprintf("%s?extended=%v", to, extended), ExtendedNotifications: extended,
			})
			must(t, err)
			must(t, c.ResendInvoice(t.Context(), inv.ID))
			if try := firstTry(t, s, inv.ID); try < 400 || try > 499 {
				t.Errorf("%s answered %d", to, try)
			}
		}
	}
	after, err := chain.Status(t.Context())
	must(t, err)
	if *after != *before {
		t.Errorf("the chain was moved from %+v to %+v", before, after)
	}
}

// firstTry waits for the first try of an invoice's first delivery and returns
// the status that it was answered with.
func firstTry(t *testing.T, s *server, id string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		var list []struct{ Tries []struct{ Status int } }
		s.operator(&list, "webhook", "list", id)
		if len(list) > 0 && len(list[0].Tries) > 0 {
			return list[0].Tries[0].Status
		}
		moment(ctx, 20*time.Millisecond)
	}
	t.Fatalf("nothing was sent about invoice %s", id)
	return 0
}

// An invoice that everybody changes at the same time: each change waits for its
// turn, none is refused, and the events stay numbered without a gap.
func TestManyChangesOfOneInvoiceAtOnceAllHappen(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, database(t))
			c := pair(t, s)
			inv, err := c.CreateInvoice(t.Context(), client.Merchant, wire.InvoiceRequest{Price: "5", Currency: "USD", NotificationURL: s.url})
			must(t, err)
			var work sync.WaitGroup
			for range 8 {
				work.Go(func() {
					for range 5 {
						if err := c.ResendInvoice(t.Context(), inv.ID); err != nil {
							t.Error(err)
						}
					}
				})
			}
			work.Wait()
			var sent []struct{ ID string }
			s.operator(&sent, "webhook", "list", inv.ID)
			if len(sent) != 40 {
				t.Errorf("%d of 40 webhooks are known", len(sent))
			}
		})
	}
}
