package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
)

// psbtCmd takes the transactions of watch-only wallets to whoever has the keys.
type psbtCmd struct {
	List   psbtList   `cmd:"" help:"List what waits to be signed elsewhere."`
	Export psbtExport `cmd:"" help:"Hand out a transaction to sign, as a PSBT (BIP 174)."`
	Import psbtImport `cmd:"" help:"Take a signed PSBT back; the server sends it."`
}

type psbtList struct{ place }

func (c *psbtList) Run(ctx context.Context) error {
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.ToSign(ctx, "")
	if err != nil {
		return err
	}
	return c.showTransfers(list)
}

type psbtExport struct {
	place
	Transfer string `arg:"" help:"Id of the transfer."`
	Out      string `help:"File to write, in binary; else it is printed in base64." short:"o" placeholder:"FILE"`
	Base64   bool   `help:"Write the file in base64 too, for wallets that take text." name:"base64"`
}

func (c *psbtExport) Run(ctx context.Context) error {
	if c.Out != "" {
		if _, err := os.Stat(c.Out); err == nil {
			return fmt.Errorf("%s is there already: name another file", c.Out)
		}
	}
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	packet, err := a.ExportPacket(ctx, c.Transfer)
	if err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(packet)
	if c.Out != "" {
		if c.Base64 {
			packet = []byte(text + "\n")
		}
		if err := os.WriteFile(c.Out, packet, 0o600); err != nil {
			return err
		}
		return c.show(map[string]string{"transfer": c.Transfer, "file": c.Out}, func(w io.Writer) {
			fmt.Fprintf(w, "%s holds transfer %s; sign it, then `quittance psbt import FILE`\n", c.Out, c.Transfer)
		})
	}
	return c.show(map[string]string{"transfer": c.Transfer, "psbt": text}, func(w io.Writer) { fmt.Fprintln(w, text) })
}

type psbtImport struct {
	place
	File string `arg:"" help:"The signed PSBT, binary or base64; - reads it from standard input."`
}

// maxPacket bounds what is read as a packet, in bytes: a transaction is at most
// 400,000, and each input carries what it spends.
const maxPacket = 8 << 20

func (c *psbtImport) Run(ctx context.Context) error {
	packet, err := c.read()
	if err != nil {
		return err
	}
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	t, err := a.ImportPacket(ctx, packet)
	if err != nil {
		return err
	}
	row := rowOfTransfer(t)
	return c.show(row, func(w io.Writer) { fmt.Fprintf(w, "transfer %s is signed; the server sends it\n", t.ID) })
}

func (c *psbtImport) read() ([]byte, error) {
	from := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, maxPacket+1))
	if err == nil && len(b) > maxPacket {
		err = errors.New("this is too long for a PSBT")
	}
	if err == nil && len(bytes.TrimSpace(b)) == 0 {
		err = errors.New("there is nothing to import")
	}
	return b, err
}
