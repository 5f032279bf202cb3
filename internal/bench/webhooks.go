package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/invoice"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/money"
	"github.com/quittance/quittance/internal/outbox"
	"github.com/quittance/quittance/internal/store"
	"github.com/quittance/quittance/internal/view"
)

const (
	endpoints   = 100
	perEndpoint = 100
)

// receivers is one server with many endpoints; the first of them may hang.
type receivers struct {
	url   string
	hang  atomic.Bool
	got   atomic.Int64
	close func()
}

func openReceivers() (*receivers, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receivers{url: "http://" + l.Addr().String()}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		if req.URL.Path == "/0" && r.hang.Load() {
			<-req.Context().Done()
			return
		}
		if req.URL.Path != "/0" {
			r.got.Add(1)
		}
	})}
	go srv.Serve(l) //nolint:errcheck // ends with close
	r.close = func() { srv.Close() }
	return r, nil
}

// webhooks measures deliveries per second to 100 endpoints, with and without
// one that hangs; the floor posts the same bodies and stores one row for each.
func (b *bench) webhooks(ctx context.Context) error {
	rec, err := openReceivers()
	if err != nil {
		return err
	}
	defer rec.close()
	var calm, hanging, floors, ratios []float64
	for i := range b.rounds {
		// In turn, so that a machine that slows down slows both.
		a, err := b.deliver(ctx, rec, filepath.Join(b.dir, fmt.Sprint("calm-", i)), false)
		if err != nil {
			return err
		}
		h, err := b.deliver(ctx, rec, filepath.Join(b.dir, fmt.Sprint("hang-", i)), true)
		if err != nil {
			return err
		}
		f, err := b.post(ctx, rec, filepath.Join(b.dir, fmt.Sprint("post-", i)))
		if err != nil {
			return err
		}
		calm, hanging, floors, ratios = append(calm, a), append(hanging, h), append(floors, f), append(ratios, h/a)
	}
	c, h, f := median(calm), median(hanging), median(floors)
	b.add(row{what: fmt.Sprintf("webhooks to %d endpoints", endpoints), ours: fmt.Sprintf("%.0f/s", c), floor: fmt.Sprintf("%.0f/s", f), ratio: c / f})
	r := median(ratios)
	b.add(row{what: "the same while one hangs, to the others", ours: fmt.Sprintf("%.0f/s", h), floor: fmt.Sprintf("%.0f/s", c), ratio: r, target: "≥ 0.95", ok: r >= 0.95})
	return nil
}

// deliver stores the webhooks first and then measures the outbox.
func (b *bench) deliver(ctx context.Context, rec *receivers, dir string, hang bool) (perSecond float64, err error) {
	st, err := store.Open(ctx, "", dir)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	a := app.New(app.Config{Store: st, AllowHTTP: true})
	m, _, err := a.CreateMerchant(ctx, "Bench", merchant.Settings{})
	if err != nil {
		return 0, err
	}
	if err := enqueue(ctx, a, m.ID, rec.url); err != nil {
		return 0, err
	}
	rec.hang.Store(hang)
	rec.got.Store(0)
	run, stop := context.WithCancel(ctx)
	out := outbox.New(outbox.Config{App: a, Renderer: &view.Renderer{PublicURL: "http://localhost"}, AllowHTTP: true, AllowPrivate: true})
	ended := make(chan error, 1)
	start := time.Now()
	go func() { ended <- out.Run(run) }()
	for rec.got.Load() < (endpoints-1)*perEndpoint && ctx.Err() == nil && time.Since(start) < time.Minute {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(start)
	stop()
	<-ended
	return float64(rec.got.Load()) / took.Seconds(), ctx.Err()
}

func enqueue(ctx context.Context, a *app.App, merchantID, url string) error {
	for e := range endpoints {
		order := invoice.Order{
			Price: money.NewUnits(1000), Currency: "USD", OrderID: "bench", Speed: invoice.Medium, Full: true, Extended: true,
			NotificationURL: fmt.Sprintf("%s/%d", url, e), Facade: "merchant", MerchantName: "Bench",
		}
		inv := invoice.Open(fmt.Sprintf("bench%017d", e), merchantID, "bench", fmt.Sprintf("token%061d", e), fmt.Sprint("guid-", e), order, nil, invoice.Lock{}, time.Now())
		if err := a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddInvoice(inv, nil) }); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for e := range endpoints {
		wg.Go(func() {
			for range perEndpoint {
				if err := a.ResendInvoice(ctx, fmt.Sprintf("bench%017d", e)); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// post is the floor: one goroutine per endpoint, one row per answer.
func (b *bench) post(ctx context.Context, rec *receivers, dir string) (perSecond float64, err error) {
	st, err := store.Open(ctx, "", dir)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	rec.hang.Store(false)
	rec.got.Store(0)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: endpoints}}
	defer client.CloseIdleConnections()
	body := bytes.Repeat([]byte("x"), 1000)
	var wg sync.WaitGroup
	start := time.Now()
	for e := 1; e < endpoints; e++ {
		wg.Go(func() {
			for i := range perEndpoint {
				resp, err := client.Post(fmt.Sprintf("%s/%d", rec.url, e), "application/json", bytes.NewReader(body))
				if err != nil {
					return
				}
				resp.Body.Close()
				_ = st.Update(ctx, func(tx *store.Tx) error {
					return tx.AddMail(store.Mail{ID: fmt.Sprint(e, "-", i), Sent: time.Now(), Recipient: "x"})
				})
			}
		})
	}
	wg.Wait()
	return float64(rec.got.Load()) / time.Since(start).Seconds(), nil
}
