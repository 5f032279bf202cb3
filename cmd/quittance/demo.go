package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/quittance/quittance/wire"
)

// demoCmd shows what the program is for, on a server of its own in a folder of
// its own.
type demoCmd struct {
	Check  bool   `help:"Run the tour alone and end: exit status 0 only when each payment ended as documented."`
	JSON   bool   `help:"With --check: print one JSON object per step." name:"json"`
	Listen string `help:"Address of the demo's server." default:"127.0.0.1:0" placeholder:"ADDR"`
	Data   string `help:"Keep the demo's data in this folder; default: a temporary one." placeholder:"DIR"`
	Browse bool   `help:"Open the browser." default:"true" negatable:""`
}

// Run starts a server and shows an invoice in the browser, or runs the tour.
func (c *demoCmd) Run(ctx context.Context) error {
	dir := c.Data
	if dir == "" {
		tmp, err := os.MkdirTemp("", "quittance-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	conf := &serveCmd{place: place{Data: dir}, Sandbox: true, Listen: c.Listen, Control: "127.0.0.1:0", Rates: "fixed", MaxConnections: 256, MailFrom: "Quittance <no-reply@localhost>"}
	p, err := start(ctx, conf, log)
	if err != nil {
		return err
	}
	defer p.stop() //nolint:errcheck // the demo's folder goes with it
	t, err := newTour(ctx, p, c.JSON)
	if err != nil {
		return err
	}
	defer t.close()
	if c.Check {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		return t.check(ctx)
	}
	return c.guide(ctx, p, t)
}

// guide makes one invoice for the visitor to pay in the browser and prints what
// happens to it.
func (c *demoCmd) guide(ctx context.Context, p *program, t *tour) error {
	inv, err := t.order(ctx, wire.InvoiceRequest{
		Price: "10.00", Currency: "USD", OrderID: "demo-1", ItemDesc: "One cup of very good coffee, and the beans",
		RedirectURL:     p.publicURL + "/",
		ItemizedDetails: []wire.Item{{Amount: "3.50", Description: "Flat white"}, {Amount: "6.50", Description: "Beans, 250 g"}},
	})
	if err != nil {
		return err
	}
	fmt.Printf(`A shop has just asked for 10.00 USD, through the same API its BitPay plugin would use.

  %s

Open it and press "Pay": a real transaction pays it on a Bitcoin regtest chain
inside this process. Then press "Mine a block" and watch it confirm; every step
that the shop is told appears here.

  start page  %s
  mails       %s/sandbox/mails

`, inv.URL, p.publicURL, p.publicURL)
	if c.Browse {
		browse(inv.URL)
	}
	t.follow(ctx, os.Stdout, inv.ID)
	err = p.wait(ctx)
	fmt.Println("\nThe demo is over; its folder is gone. To keep one: quittance serve --sandbox")
	return err
}

// follow prints the webhooks that the shop receives.
func (t *tour) follow(ctx context.Context, w io.Writer, id string) {
	go func() {
		seen := 0
		for ctx.Err() == nil {
			hooks := t.shop.of(id)
			for _, h := range hooks[min(seen, len(hooks)):] {
				fmt.Fprintf(w, "  %s  webhook %d %-28s the invoice is %s\n", time.Now().Format("15:04:05"), h.code, h.name, h.status)
			}
			seen = len(hooks)
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
}

// browse opens the visitor's browser, if there is one; the address is printed
// anyway.
func browse(url string) {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	cmd := exec.Command(name, args...)
	if cmd.Start() == nil {
		go cmd.Wait() //nolint:errcheck // whether it worked, the visitor sees
	}
}
