package outbox

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/outbox/mail"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

const (
	defaultWorkers = 256
	poll           = time.Second      // other processes enqueue too
	batch          = 16               // deliveries read at once
	lease          = time.Minute      // how long a crash holds up a lane at most
	renewBelow     = 40 * time.Second // longer than any one try
	webhookTimeout = 15 * time.Second // spec "Invoice webhook", threat A12
	mailTimeout    = 30 * time.Second // the mailer may let several wait for their turn
	stopWait       = 3 * time.Second  // what a stop grants tries in progress
	writeWait      = 10 * time.Second // what a stop grants the record of a finished try
)

// Config is what an Outbox is made of.
type Config struct {
	App      *app.App
	Renderer *view.Renderer
	Mailer   mail.Mailer // nil: mails stay in their lanes as failing

	// Owner names this outbox in leases. Empty is a random name. A fixed one
	// takes over at once what a crashed run under that name left leased; no two
	// living processes may share it.
	Owner   string
	Version string // of the program, for User-Agent
	Workers int    // lanes worked on at once; 0 is 256

	AllowHTTP    bool // endpoints may be plain http
	AllowPrivate bool // endpoints may be at loopback and private addresses

	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
	Observe func(kind string, ok bool, took time.Duration) // each try; kind is webhook or mail
}

// Outbox delivers what waits in the lanes of one database.
type Outbox struct {
	Config
	store  *store.Store
	client *http.Client
	wake   chan struct{}
	slots  chan struct{}
	work   sync.WaitGroup
	short  atomic.Bool // lanes were due for which no slot was free

	mu   sync.Mutex
	busy map[string]store.Lane // those this outbox works on, by id; guarded by mu

	randMu sync.Mutex // guards Rand
}

// New returns an Outbox. Missing sources of time and randomness are the real ones.
func New(c Config) *Outbox {
	if c.Owner == "" {
		c.Owner = rand.Text()
	}
	if c.Workers <= 0 {
		c.Workers = defaultWorkers
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(string, bool, time.Duration) {}
	}
	return &Outbox{
		Config: c, store: c.App.Store, client: newClient(c.AllowPrivate, c.Workers),
		wake: make(chan struct{}, 1), slots: make(chan struct{}, c.Workers), busy: map[string]store.Lane{},
	}
}

// Wake makes Run look at once for lanes that are due. It never blocks; it is to
// be registered with app.OnEvent.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// jitter is a random factor from 0.9 to 1.1.
func (o *Outbox) jitter() float64 {
	var b [4]byte
	o.randMu.Lock()
	_, err := io.ReadFull(o.Rand, b[:])
	o.randMu.Unlock()
	if err != nil {
		return 1 // a source that ran dry only costs the spread
	}
	return 0.9 + 0.2*float64(binary.BigEndian.Uint32(b[:]))/(1<<32)
}
