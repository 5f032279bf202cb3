package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quittance/quittance/internal/store/pgtest"
)

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "quittance-e2e-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "quittance")
	out, err := exec.Command("go", "build", "-o", bin, "../../cmd/quittance").CombinedOutput()
	if err != nil {
		return "", &buildError{out}
	}
	return bin, nil
})

type buildError struct{ out []byte }

func (e *buildError) Error() string { return string(e.out) }

// TestMain removes the binary that the tests shared.
func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// engines are the databases that each test runs on.
var engines = map[string]func(t *testing.T) (database string){
	"sqlite":   func(*testing.T) string { return "" },
	"postgres": func(t *testing.T) string { return pgtest.Open(t) },
}

// server is a running quittance serve.
type server struct {
	t        *testing.T
	bin      string
	data     string
	database string
	node     string // URL of the node that is followed; empty is the sandbox
	peer     string // of the light client, if that is what follows the chain
	extra    []string
	url      string
	control  string
	cmd      *exec.Cmd
	log      *bytes.Buffer
}

// newServer starts one on a database of its own. It is stopped with the test.
func newServer(t *testing.T, database string, extra ...string) *server {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, bin: bin, data: t.TempDir(), database: database, extra: extra}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

// place is the flags that name the server's database.
func (s *server) place() []string {
	p := []string{"--data", s.data}
	if s.database != "" {
		p = append(p, "--database", s.database)
	}
	return p
}

// followed is the flags that name the outside node, if any.
func (s *server) followed() []string {
	if s.node == "" {
		return nil
	}
	return []string{"--node", s.node}
}

func (s *server) start(listen string) {
	s.t.Helper()
	args := append([]string{"serve", "--listen", listen, "--json", "--limit-address", "0", "--limit-merchant", "0"}, s.place()...)
	switch args = append(args, s.followed()...); {
	case s.peer != "":
		args = append(args, "--light", "--network", "regtest", "--peer", s.peer)
	case s.node == "":
		args = append(args, "--sandbox")
	}
	s.cmd = exec.Command(s.bin, append(args, s.extra...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.log = &bytes.Buffer{}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var told struct{ URL, Control string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &told)
	}
	if err != nil {
		_ = s.cmd.Wait()
		s.t.Fatalf("the server did not start: %v\n%s", err, s.log)
	}
	s.url, s.control = told.URL, told.Control
}

// kill ends the server as a power cut would end the process.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop ends it gracefully and fails the test when that is not possible.
func (s *server) stop() {
	if s.cmd == nil || s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			s.t.Errorf("the server ended with %v\n%s", err, s.log)
		}
	case <-time.After(15 * time.Second):
		s.kill()
		s.t.Errorf("the server did not stop within 15 seconds\n%s", s.log)
	}
}

// operator runs a command of the program on the server's database and reads
// what it printed.
func (s *server) operator(out any, args ...string) {
	s.t.Helper()
	cmd := exec.Command(s.bin, append(append(args, s.place()...), "--json")...)
	b, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, errorOutput(err))
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			s.t.Fatalf("%v printed %q: %v", args, b, err)
		}
	}
}

func errorOutput(err error) []byte {
	if e, ok := err.(*exec.ExitError); ok {
		return e.Stderr
	}
	return nil
}
