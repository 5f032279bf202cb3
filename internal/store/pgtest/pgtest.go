package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	env       = "QUITTANCE_TEST_POSTGRES"
	startTime = 60 * time.Second // a slow disk has to write the new cluster
)

// errMissing means that no PostgreSQL is installed.
var errMissing = errors.New("PostgreSQL is not installed: install the server (Debian: postgresql) so that initdb and postgres are in PATH or below /usr/lib/postgresql, or set " + env + " to a postgres:// URL of a role that may create databases")

// Open gives a new, empty database that nobody else uses. In continuous integration (CI=true) a missing PostgreSQL is a failure, elsewhere
// the test is skipped.
func Open(t testing.TB) (dbURL string) {
	t.Helper()
	admin, err := server()
	if errors.Is(err, errMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := "quittance_test_" + strings.ToLower(rand.Text())
	run(t, admin, `CREATE DATABASE `+name)
	if os.Getenv(env) != "" { // a private server takes its databases with it
		t.Cleanup(func() { run(t, admin, `DROP DATABASE `+name+` WITH (FORCE)`) })
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func run(t testing.TB, admin, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	c, err := pgx.Connect(ctx, admin)
	if err == nil {
		_, err = c.Exec(ctx, statement)
		err = errors.Join(err, c.Close(ctx))
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// server is the URL of the server's own database. The private server is started
// by the first test that asks.
var server = sync.OnceValues(func() (string, error) {
	if given := os.Getenv(env); given != "" {
		return given, nil
	}
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	return start(bin)
})

// binaries is the folder of the newest server that is installed.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(real), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errMissing
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1]), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// script makes the cluster, runs the server, and takes both away when its
// standard input ends, which it does when the test binary ends, however it does.
const script = `
bin=$1 dir=$2
"$bin/initdb" -D "$dir/data" -U postgres --auth=trust -E UTF8 --locale=C --no-sync || exit 1
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=200 &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$dir"
`

func start(bin string) (string, error) {
	// Not below the test's own temporary folder: a socket's path is short.
	dir, err := os.MkdirTemp("/tmp", "qpg")
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	cmd := exec.Command("/bin/sh", "-c", script, "sh", bin, dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := unprivileged(cmd, dir, log.Name()); err != nil {
		return "", err
	}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start PostgreSQL: %w", err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		runtime.KeepAlive(lifeline) // nobody closes it but the end of this process
	}()
	adminURL := (&url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {dir}, "user": {"postgres"}}.Encode()}).String()
	return adminURL, await(adminURL, ended, log.Name())
}

// unprivileged has the server run as another user when this is root, as it
// demands.
func unprivileged(cmd *exec.Cmd, own ...string) error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody: %w", err)
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for _, path := range own {
		if err := os.Chown(path, uid, gid); err != nil {
			return err
		}
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// await returns once the server answers.
func await(adminURL string, ended <-chan error, log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, adminURL)
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ended:
			said, _ := os.ReadFile(log)
			return fmt.Errorf("PostgreSQL ended: %s", said)
		case <-ctx.Done():
			said, _ := os.ReadFile(log)
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, said)
		}
	}
}
