package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/quittance/quittance/internal/chain"
)

// Watchdog verifies the invariants and locks money out when one does not hold. A
// breach is looked at again after settle, which reads the chain anew: what the
// chain has and the database has not read yet is none. An error means that it could
// not look.
func (a *App) Watchdog(ctx context.Context, sources map[string]chain.Source, settle func(context.Context) error) error {
	var names, sentences []string
	look := func() error {
		only := names
		names, sentences = nil, nil
		_, err := a.Verify(ctx, VerifyOptions{Sources: sources, Only: only, Report: func(f Finding) {
			if f.Breach != "" {
				names = append(names, f.Name)
				sentences = append(sentences, fmt.Sprintf("%s: %s", f.Name, f.Breach))
			}
		}})
		return err
	}
	if err := look(); err != nil || len(names) == 0 {
		return err
	}
	for range 2 {
		if err := settle(ctx); err != nil {
			return err
		}
		if err := look(); err != nil || len(names) == 0 {
			return err
		}
	}
	return a.Lock(ctx, "verify", strings.Join(sentences, "; "))
}
