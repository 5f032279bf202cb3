package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcd/btcutil"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/node"
	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/watch"
)

const (
	catchUpBlocks = 80
	catchUpTxs    = 2500 // as in a full block of mainnet; some 0.9 MB
)

// catchUp measures how fast blocks are read over a node's RPC, looked through and
// applied to a database, beside fetching and parsing them alone.
func (b *bench) catchUp(ctx context.Context) error {
	a := newArchive()
	s := httptest.NewServer(a)
	defer s.Close()
	var ours, floor []float64
	for round := range b.rounds {
		took, err := b.catchUpOnce(ctx, a, s.URL, round)
		if err != nil {
			return err
		}
		ours = append(ours, catchUpBlocks/took.Seconds())
		if took, err = a.bare(s.URL); err != nil {
			return err
		}
		floor = append(floor, catchUpBlocks/took.Seconds())
	}
	mine, bare := median(ours), median(floor)
	b.add(row{
		what: fmt.Sprintf("catch-up by RPC, %d transactions each", catchUpTxs), ours: fmt.Sprintf("%.0f blocks/s", mine), floor: fmt.Sprintf("fetch, parse %.0f/s", bare),
		ratio: mine / bare, target: ">= 0.70", ok: mine/bare >= 0.7,
	})
	return nil
}

// catchUpOnce has a new server follow the whole archive.
func (b *bench) catchUpOnce(ctx context.Context, a *archive, url string, round int) (time.Duration, error) {
	st, err := store.Open(ctx, "", filepath.Join(b.dir, fmt.Sprintf("catch-up-%d", round)))
	if err != nil {
		return 0, err
	}
	defer st.Close()
	n, err := node.New(node.Config{Chain: bitcoin.Regtest, Places: []node.Place{{URL: url}}})
	if err != nil {
		return 0, err
	}
	ap := app.New(app.Config{
		Store: st, Rates: feed.Static(rate.Fixed(time.Now())),
		Assets: []app.Asset{{Code: "BTC", Chain: "BTC", Network: "regtest", Keys: bitcoin.NewKeys(bitcoin.Regtest), Unconfirmed: true}},
	})
	w, err := watch.New(watch.Config{App: ap, Source: n})
	if err != nil {
		return 0, err
	}
	a.tip.Store(0)
	if err := w.Sync(ctx); err != nil {
		return 0, err
	}
	a.tip.Store(catchUpBlocks)
	begun := time.Now()
	err = w.Sync(ctx)
	took := time.Since(begun)
	if err == nil && w.Status().Cursor.Height != catchUpBlocks {
		err = fmt.Errorf("the catch-up ended at block %d", w.Status().Cursor.Height)
	}
	return took, err
}

// bare fetches each block and parses it, and does nothing with it.
func (a *archive) bare(url string) (time.Duration, error) {
	begun := time.Now()
	for height := int64(1); height <= catchUpBlocks; height++ {
		var hash, text string
		if err := ask(url, &hash, "getblockhash", height); err != nil {
			return 0, err
		}
		if err := ask(url, &text, "getblock", hash, 0); err != nil {
			return 0, err
		}
		raw, err := hex.DecodeString(text)
		if err != nil {
			return 0, err
		}
		block, err := btcutil.NewBlockFromBytes(raw)
		if err != nil || len(block.Transactions()) != catchUpTxs {
			return 0, fmt.Errorf("block %d cannot be read: %w", height, err)
		}
	}
	return time.Since(begun), nil
}

func ask(url string, out any, method string, params ...any) error {
	body, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	resp, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	answer := struct{ Result any }{out}
	return json.Unmarshal(text, &answer)
}
