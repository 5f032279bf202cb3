package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/quittance/quittance/internal/store/sqldb"
	"github.com/quittance/quittance/internal/store/sqlite"
	"github.com/quittance/quittance/wire"
)

// serveFloor answers what a program without any rules could: read the body,
// check one signature in pure Go, decode and encode JSON, and for POST store
// one row durably, with commits shared between waiting requests.
func serveFloor(path string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer db.Close()
	err = db.Update(ctx, func(c sqldb.Conn) error {
		_, err := c.Exec(ctx, `CREATE TABLE floor (id TEXT PRIMARY KEY, body TEXT NOT NULL)`)
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	f := &floor{db: db}
	f.answer = sampleInvoice()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("{\"url\":\"http://%s\"}\n", l.Addr())
	srv := &http.Server{Handler: f}
	go srv.Serve(l) //nolint:errcheck // ends with the process
	<-ctx.Done()
	srv.Close()
}

type floor struct {
	db     sqldb.Engine
	n      atomic.Int64
	answer *wire.Invoice
}

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !checkOnce(r, body) {
		http.Error(w, "bad", http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodPost {
		var in wire.InvoiceRequest
		if err := json.Unmarshal(body, &in); err != nil {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		row, err := json.Marshal(in)
		if err == nil {
			id := fmt.Sprint(f.n.Add(1))
			err = f.db.Update(r.Context(), func(c sqldb.Conn) error {
				_, err := c.Exec(r.Context(), `INSERT INTO floor (id, body) VALUES ($1, $2)`, id, string(row))
				return err
			})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	b, err := json.Marshal(wire.Envelope{Facade: "merchant/invoice", Data: f.answer})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

func checkOnce(r *http.Request, body []byte) bool {
	raw, err1 := hex.DecodeString(r.Header.Get("X-Identity"))
	der, err2 := hex.DecodeString(r.Header.Get("X-Signature"))
	if err1 != nil || err2 != nil {
		return false
	}
	key, err1 := secp256k1.ParsePubKey(raw)
	sig, err2 := ecdsa.ParseDERSignature(der)
	if err1 != nil || err2 != nil {
		return false
	}
	sum := sha256.Sum256(append([]byte("http://"+r.Host+r.RequestURI), body...))
	return sig.Verify(sum[:], key)
}
