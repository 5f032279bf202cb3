package api

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/quittance/quittance/internal/app"
)

// maxVerified bounds what is remembered; an entry is about 150 bytes.
const maxVerified = 16384

// verified remembers which addresses were derived again from their wallet and
// found to be what is stored. An entry holds the address itself, so a row that
// somebody changes afterwards is derived again.
type verified struct {
	mu   sync.Mutex
	seen map[string]bool
}

// verify refuses to show an invoice whose stored address is not its wallet's.
func (s *Server) verify(ctx context.Context, inv app.Shown) error {
	key := addressKey(inv)
	s.verified.mu.Lock()
	known := s.verified.seen[key]
	s.verified.mu.Unlock()
	if known {
		return nil
	}
	if err := s.App.CheckAddresses(ctx, inv.Invoice); err != nil {
		return err
	}
	s.verified.mu.Lock()
	defer s.verified.mu.Unlock()
	if s.verified.seen == nil || len(s.verified.seen) >= maxVerified {
		s.verified.seen = map[string]bool{}
	}
	s.verified.seen[key] = true
	return nil
}

func addressKey(inv app.Shown) string {
	var b strings.Builder
	b.WriteString(inv.ID)
	for i := range inv.Terms.Options {
		o := &inv.Terms.Options[i]
		for _, part := range []string{o.Asset, o.Wallet, strconv.FormatInt(o.Index, 10), o.Address} {
			b.WriteByte(' ')
			b.WriteString(part)
		}
	}
	return b.String()
}
