package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/watch/match"
)

const (
	defaultPoll  = 5 * time.Second
	closeEvery   = time.Second
	maintainEach = time.Minute
	syncPause    = time.Second            // while the back end is on its way to the tip
	firstPause   = 250 * time.Millisecond // after the first error; doubles with each
	longestPause = time.Minute
)

// Config is what a Watcher is made of.
type Config struct {
	App    *app.App
	Source chain.Source
	Poll   time.Duration // longest time between two readings; 0 is 5 s
	// Patient is for back ends whose tip may go back without the chain's going back: a
	// node that reads its blocks anew, another one that is asked instead, one on a
	// branch that the others have left. The best chain has the most work, so it grows;
	// what was followed stands until the back end has come as far again.
	Patient bool
	Now     func() time.Time // nil is the App's clock
	Log     *slog.Logger     // nil logs nothing
	Observe func(Reading)    // called after each reading; nil: nobody looks
}

// Reading is what one look at the chain came to.
type Reading struct {
	Undone      int // blocks that left the best chain
	Blocks      int // blocks that joined it
	Unconfirmed int // transactions new in the mempool
	Hits        int // payments that may be ours
	Took        time.Duration
	Err         error // why it is not complete
}

// Status is how far a chain has been followed.
type Status struct {
	Chain    string
	Network  string
	Tip      chain.Ref // the best block the source told of
	Cursor   chain.Ref // the last block applied
	LastRead time.Time // when the latest complete reading began; zero before the first
	Watched  int       // addresses
	Err      error     // of the latest reading; nil when it was complete
}

// Watcher follows one chain. All its methods are safe for concurrent use.
type Watcher struct {
	Config
	set   *match.Set    // destinations
	skim  chain.Skimmer // the source, if it can tell which blocks are worth reading
	list  match.List    // the destinations themselves; empty where nothing is skimmed
	coins *match.Set    // outputs of ours, so that it is seen when something spends one

	turn    chan struct{} // held by the one who reads; guards the fields up to mu
	started bool
	hooked  bool
	told    time.Time // when progress was logged
	lookAt  time.Time // up to when other processes' addresses are known
	farAt   time.Time // when they were last looked for far back
	pool    pool
	absent  absence

	mu       sync.Mutex // guards what is below
	status   Status
	begun    uint64 // readings that have begun
	complete uint64 // number of the latest complete reading; 0 before the first
}

// New returns a Watcher that does nothing yet. App and Source must be given.
func New(c Config) (*Watcher, error) {
	if c.App == nil || c.Source == nil {
		return nil, errors.New("watch: an App and a Source are needed")
	}
	if c.Poll <= 0 {
		c.Poll = defaultPoll
	}
	if c.Now == nil {
		c.Now = c.App.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	skim, _ := c.Source.(chain.Skimmer)
	return &Watcher{
		Config: c, skim: skim, set: match.New(0), coins: match.New(0), turn: make(chan struct{}, 1), pool: newPool(), absent: absence{},
		status: Status{Chain: c.Source.Chain(), Network: c.Source.Network()},
	}, nil
}

// Run follows the chain until the context ends, and then returns nil. Faults of
// the source or the database are logged and tried again. It returns an error
// only when the source serves another chain than the database knows.
func (w *Watcher) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.follow(ctx) })
	group.Go(func() error {
		w.tick(ctx)
		return nil
	})
	group.Go(func() error {
		w.rescans(ctx)
		return nil
	})
	return group.Wait()
}

func (w *Watcher) follow(ctx context.Context) error {
	failures := 0
	for {
		err := w.Sync(ctx)
		var wrong *app.WrongChainError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &wrong):
			return err
		case errors.Is(err, chain.ErrSyncing):
			w.Log.Debug("the back end has not reached the tip yet", "chain", w.Source.Chain(), "error", err)
			w.wait(ctx, syncPause, nil)
		case err != nil:
			failures++
			w.Log.Error("read the chain; it is tried again", "chain", w.Source.Chain(), "failures", failures, "error", err)
			w.wait(ctx, pause(failures), nil)
		default:
			failures = 0
			w.wait(ctx, w.Poll, w.Source.Changed())
		}
	}
}

// wait returns after a time, a notice or the end of the context.
func (w *Watcher) wait(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-t.C:
	}
}

// pause grows with each failure in a row, and differs between processes.
func pause(failures int) time.Duration {
	d := longestPause
	if failures < 10 {
		d = min(d, firstPause<<(failures-1))
	}
	return d/2 + rand.N(d/2)
}

// tick does what waits for the clock and not for the chain.
func (w *Watcher) tick(ctx context.Context) {
	windows, maintain := time.NewTicker(closeEvery), time.NewTicker(maintainEach)
	defer windows.Stop()
	defer maintain.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-windows.C:
			err = w.App.CloseWindows(ctx)
		case <-maintain.C:
			err = w.App.Maintain(ctx)
		}
		if err != nil && ctx.Err() == nil {
			w.Log.Error("regular work; it is tried again", "chain", w.Source.Chain(), "error", err)
		}
	}
}

// Sync returns once a complete reading that began after the call is applied. It
// reads the chain itself unless somebody else just does.
func (w *Watcher) Sync(ctx context.Context) error {
	w.mu.Lock()
	want := w.begun + 1
	w.mu.Unlock()
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.turn }()
	w.mu.Lock()
	served := w.complete >= want
	w.mu.Unlock()
	if served {
		return nil
	}
	return w.read(ctx)
}

// Ready reports whether the chain was read completely since the start.
func (w *Watcher) Ready() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.complete > 0
}

// Status is how far the chain has been followed.
func (w *Watcher) Status() Status {
	w.mu.Lock()
	s := w.status
	w.mu.Unlock()
	s.Watched = w.set.Len()
	return s
}

func (w *Watcher) setStatus(change func(*Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.status)
}

// start opens the cursor and fills the set of watched addresses. The hook comes
// first, so that no address is made unnoticed in between.
func (w *Watcher) start(ctx context.Context) error {
	if w.started {
		return nil
	}
	if !w.hooked {
		w.App.OnAddress(func(chainName string, destination []byte) {
			if chainName == w.Source.Chain() {
				w.add(destination)
			}
		})
		w.hooked = true
	}
	cursor, err := w.App.StartChain(ctx, w.Source)
	if err != nil {
		return err
	}
	begun := w.Now()
	if err := w.App.WatchedAddresses(ctx, w.Source.Chain(), time.Time{}, w.add); err != nil {
		return fmt.Errorf("load the addresses: %w", err)
	}
	if err := w.App.WatchedCoins(ctx, w.Source.Chain(), func(o chain.Outpoint) { w.coins.Add(o.Key()) }); err != nil {
		return fmt.Errorf("load the coins: %w", err)
	}
	w.lookAt, w.farAt, w.started = begun, begun, true
	w.setStatus(func(s *Status) { s.Cursor = cursor.Block })
	w.Log.Info("following the chain", "chain", w.Source.Chain(), "network", w.Source.Network(),
		"height", cursor.Block.Height, "addresses", w.set.Len())
	return nil
}

// add watches a destination.
func (w *Watcher) add(to []byte) {
	if w.set.AddNew(to) && w.skim != nil {
		w.list.Add(to)
	}
}

// How far before the last look addresses are looked for again: clocks of other
// processes differ, and a slow one commits an address a while after it made it.
const (
	lookBack    = time.Minute
	lookFarBack = time.Hour
	farEvery    = 10 * time.Minute
)

// look picks up the addresses that other processes made: further servers, and the
// operator's commands. It is called between fetching and matching: whoever paid an
// address could read it before. Where blocks are skimmed it is also called between
// learning their hashes and skimming them, for the same reason.
func (w *Watcher) look(ctx context.Context) error {
	begun, from := w.Now(), w.lookAt.Add(-lookBack)
	far := begun.Sub(w.farAt) >= farEvery
	if far {
		from = w.farAt.Add(-lookFarBack)
	}
	if err := w.App.WatchedAddresses(ctx, w.Source.Chain(), from, w.add); err != nil {
		return fmt.Errorf("look for new addresses: %w", err)
	}
	w.lookAt = begun
	if far {
		w.farAt = begun
	}
	return nil
}
