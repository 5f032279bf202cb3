package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// The time limits keep slow clients from holding connections (streams extend
// their own).
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: hangUpOnChunks(h), ReadHeaderTimeout: 3 * time.Second, ReadTimeout: 6 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: 30 * time.Second, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(quiet{log.Handler()}, slog.LevelDebug),
	}
}

// hangUpOnChunks makes a request sent in chunks the last one of its connection.
// It may have named a length too (net/http drops that without a word), and a
// proxy that went by it takes what follows for something else than we do: RFC
// 9112, section 6.1, asks for the connection to be closed then.
func hangUpOnChunks(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

func (p *program) listen(ctx context.Context, l net.Listener) error {
	p.http = newHTTPServer(p.front, p.log)
	l = capped(l, p.conf.MaxConnections)
	p.loops.Go(func() {
		if err := p.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- err
		}
	})
	return p.listenControl(ctx)
}

func (p *program) listenControl(context.Context) error {
	if p.play == nil {
		return nil
	}
	l, err := net.Listen("tcp", p.conf.Control)
	if err != nil {
		return fmt.Errorf("cannot listen on %s for the sandbox's control: %w", p.conf.Control, err)
	}
	if host, _, _ := net.SplitHostPort(l.Addr().String()); !net.ParseIP(host).IsLoopback() {
		l.Close()
		return fmt.Errorf("--control %s is not a loopback address; the sandbox is moved from this machine only", p.conf.Control)
	}
	p.controlURL = "http://" + l.Addr().String()
	p.control = newHTTPServer(p.play.handler(map[string]func(context.Context, url.Values) (any, error){
		"verify": p.findings, "bump": p.asked("bump"), "lift": p.asked("lift"), "consolidate": p.consolidate, "find": p.find,
	}), p.log)
	p.loops.Go(func() { _ = p.control.Serve(l) })
	b, err := json.Marshal(controlFile{URL: p.controlURL, Public: p.publicURL})
	if err != nil {
		return err
	}
	p.announced = true
	return os.WriteFile(filepath.Join(p.conf.Data, controlName), b, 0o600)
}
