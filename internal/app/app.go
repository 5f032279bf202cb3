package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcutil/base58"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/rate"
	"github.com/quittance/quittance/internal/store"
)

// Rates is where prices come from.
type Rates interface {
	// Current is the present table, or an error when no price can be trusted.
	Current() (*rate.Table, error)
}

// SMS sends a text message; it is called after the code is stored.
type SMS interface {
	Send(ctx context.Context, number, text string) error
}

// Sandbox is play money: only there can the server pay its own invoices.
type Sandbox interface {
	// Pay sends amount to an address and returns the transaction's id.
	Pay(ctx context.Context, address string, amount uint64) (txid string, err error)
	// Mine adds n blocks and returns when the server has followed them.
	Mine(ctx context.Context, n int) error
	// Settle returns when the server has followed all that the chain holds.
	Settle(ctx context.Context) error
}

// Asset is something invoices can be paid with.
type Asset struct {
	Code    string
	Chain   string
	Network string
	Keys    chain.Keys
	// Unconfirmed is false where payments are seen in blocks only.
	Unconfirmed bool
	// LowFeeRate, in the smallest unit per virtual byte, is where a waiting payment is
	// said to pay too little to be mined soon; 0 is 1.
	LowFeeRate float64
	// Depths is how many confirmations payments need; zero is invoice.Standard.
	Depths invoice.Depths
	// Ready reports whether the chain was read up to its tip since the start: nothing
	// leaves before. nil: it always was.
	Ready func() bool
	// Spending makes transactions and Sender takes them to the network; nil where
	// nothing can be paid out.
	Spending chain.Spending
	Sender   chain.Sender
	// Messages checks signed texts; nil where an address signs nothing.
	Messages chain.Messages
	// Inspector looks at transactions that wallets hand over; nil where they cannot.
	Inspector chain.Inspector
}

// Config is what an App is made of.
type Config struct {
	Store     *store.Store
	Rates     Rates
	Assets    []Asset
	SMS       SMS     // nil: numbers cannot be verified
	Sandbox   Sandbox // nil on live networks
	Now       func() time.Time
	Rand      io.Reader
	Log       *slog.Logger
	PublicURL string  // without a slash at the end
	AllowHTTP bool    // notification URLs may be plain http
	NoMail    bool    // nothing can be mailed: there is no relay
	Signers   Signers // nil: every wallet is watch-only
	Owner     string  // this process's name in leases; two living ones never share it
	// Journal is what a database put back from an older copy is found out by; nil:
	// nobody finds out.
	Journal Journal
	// TestAmount sends a recipient the small payment that proves an address; nil:
	// a signature is the only proof. It may be called again for the same payment.
	TestAmount func(context.Context, TestAmount) error
	// Step is called at named points of the way money takes out; an error stops
	// there, as a crash would. For tests; nil otherwise.
	Step func(name string) error
}

// App is the program's rules bound to a database.
type App struct {
	Config
	mu      sync.Mutex
	indices map[string]*indices  // by wallet; guarded by mu
	readAt  map[string]time.Time // by chain; guarded by mu
	skipDue int                  // see expirySkip; guarded by mu
	noted   map[string]int       // attempts in the journal, by transfer; nil until it was read; guarded by mu
	memory  remembered
	quoted  quotedRates
	fees    feeRates
	hooks   hooks
}

type hooks struct {
	mu      sync.Mutex
	address []func(chainName string, destination []byte)
	event   []func(resource string)
}

// New returns an App. Missing sources of time and randomness are the real ones.
func New(c Config) *App {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Owner == "" {
		c.Owner = rand.Text()
	}
	return &App{Config: c, indices: map[string]*indices{}, readAt: map[string]time.Time{}}
}

// OnAddress registers f to be called with each new address before anyone can see
// it. The address of an invoice that could not be stored is told of too.
func (a *App) OnAddress(f func(chainName string, destination []byte)) {
	a.hooks.mu.Lock()
	defer a.hooks.mu.Unlock()
	a.hooks.address = append(a.hooks.address, f)
}

// OnEvent registers f to be called with a resource's id after something durable
// happened to it. f must not block.
func (a *App) OnEvent(f func(resource string)) {
	a.hooks.mu.Lock()
	defer a.hooks.mu.Unlock()
	a.hooks.event = append(a.hooks.event, f)
}

func (a *App) tellAddress(chainName string, destination []byte) {
	a.hooks.mu.Lock()
	fs := a.hooks.address
	a.hooks.mu.Unlock()
	for _, f := range fs {
		f(chainName, destination)
	}
}

func (a *App) tellEvents(resources ...string) {
	a.hooks.mu.Lock()
	fs := a.hooks.event
	a.hooks.mu.Unlock()
	for _, r := range resources {
		for _, f := range fs {
			f(r)
		}
	}
}

// now is the time that is stored: whole milliseconds, as the wire has them.
func (a *App) now() time.Time { return a.Now().UTC().Truncate(time.Millisecond) }

// Asset finds what an invoice can be paid with by its code.
func (a *App) Asset(code string) (*Asset, bool) {
	for i := range a.Assets {
		if a.Assets[i].Code == code {
			return &a.Assets[i], true
		}
	}
	return nil, false
}

// newID returns an id of 22 base58 characters: 128 random bits.
func (a *App) newID() (string, error) { return a.randomText(16, 22) }

// newToken returns an API token: 32 random bytes, 44 base58 characters.
func (a *App) newToken() (string, error) { return a.randomText(32, 44) }

// newResourceToken returns a resource's own token: 48 random bytes, 66 characters.
func (a *App) newResourceToken() (string, error) { return a.randomText(48, 66) }

// randomText writes random bytes in base58, always with the same length.
func (a *App) randomText(bytes, chars int) (string, error) {
	b := make([]byte, bytes)
	if _, err := io.ReadFull(a.Rand, b); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	s := base58.Encode(b)
	for len(s) < chars {
		s = "1" + s
	}
	return s[len(s)-chars:], nil
}

// pairingCode returns seven letters or digits that are hard to confuse.
func (a *App) pairingCode() (string, error) {
	const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	code := make([]byte, 7)
	for i := range code {
		n, err := rand.Int(a.Rand, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		code[i] = alphabet[n.Int64()]
	}
	return string(code), nil
}

// refine turns a missing row into the refusal the caller may read.
func refine(err error, missing *fault.Error) error {
	if errors.Is(err, store.ErrNotFound) {
		return missing
	}
	return err
}
