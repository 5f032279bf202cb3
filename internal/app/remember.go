package app

import (
	"context"
	"sync"
	"time"

	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// remembered keeps what nearly every request reads and hardly any changes:
// tokens with their merchants, and wallets. What this process changes is
// forgotten at once; what another process changes is seen within a second.
type remembered struct {
	mu      sync.RWMutex
	turn    int64 // grows with each change; what was read before it is not kept
	tokens  map[string]tokenEntry
	wallets map[string]walletEntry // by merchant
}

const (
	rememberFor = time.Second
	rememberMax = 10_000
)

type tokenEntry struct {
	token    *merchant.Token
	merchant *merchant.Merchant
	read     time.Time
}

type walletEntry struct {
	wallets []*merchant.Wallet
	read    time.Time
}

func (r *remembered) token(text string) (e tokenEntry, ok bool, turn int64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok = r.tokens[text]
	return e, ok && time.Since(e.read) < rememberFor, r.turn
}

func (r *remembered) keepToken(text string, e tokenEntry, turn int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.turn != turn {
		return
	}
	if r.tokens == nil || len(r.tokens) >= rememberMax {
		r.tokens = map[string]tokenEntry{}
	}
	r.tokens[text] = e
}

// forget is called after anything about tokens, merchants or wallets changed.
func (r *remembered) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn++
	r.tokens, r.wallets = nil, nil
}

// walletsOf reads a merchant's wallets. They are shared: nobody changes them.
func (a *App) walletsOf(ctx context.Context, merchantID string) ([]*merchant.Wallet, error) {
	a.memory.mu.RLock()
	e, ok := a.memory.wallets[merchantID]
	turn := a.memory.turn
	a.memory.mu.RUnlock()
	if ok && time.Since(e.read) < rememberFor {
		return e.wallets, nil
	}
	e = walletEntry{read: time.Now()}
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		e.wallets, err = tx.Wallets(merchantID)
		return err
	})
	if err != nil {
		return nil, err
	}
	a.memory.mu.Lock()
	defer a.memory.mu.Unlock()
	if a.memory.turn != turn {
		return e.wallets, nil
	}
	if a.memory.wallets == nil || len(a.memory.wallets) >= rememberMax {
		a.memory.wallets = map[string]walletEntry{}
	}
	a.memory.wallets[merchantID] = e
	return e.wallets, nil
}

// Token reads an API token with its merchant (nil while it has none). Both are
// shared: nobody changes them.
func (a *App) Token(ctx context.Context, text string) (*merchant.Token, *merchant.Merchant, error) {
	e, ok, turn := a.memory.token(text)
	if ok {
		return e.token, e.merchant, nil
	}
	e = tokenEntry{read: time.Now()}
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if e.token, err = tx.Token(text); err != nil || e.token.Merchant == "" {
			return err
		}
		e.merchant, err = tx.Merchant(e.token.Merchant)
		return err
	})
	if err == nil && e.token.State == merchant.Active {
		a.memory.keepToken(text, e, turn)
	}
	return e.token, e.merchant, err
}

// changed runs an operation on tokens, merchants or wallets and forgets what was
// remembered of them.
func (a *App) changed(ctx context.Context, fn func(*store.Tx) error) error {
	defer a.memory.forget()
	return a.Store.Update(ctx, fn)
}
