package doctor

import (
	"context"
	"net/http"
	"time"

	"github.com/quittance/quittance/internal/feed"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/internal/store"
)

// Prices asks every source of prices once. Two have to agree before anything is
// priced.
func Prices(ctx context.Context, client *http.Client, sources []feed.Source) (list []Finding) {
	works := 0
	for _, s := range sources {
		if votes, err := s.Fetch(ctx, client); err != nil {
			list = append(list, worse("one that is missing is outvoted by the others", "the price source %s does not answer: %v", s.Name(), plain(err)))
		} else if len(votes) > 0 {
			works++
		}
	}
	const do = "let this machine reach the sources over https, or wait if they are down: without two of them no invoice is priced"
	switch {
	case works < 2:
		return append(list, broken(do, "%d of %d price sources answer", works, len(sources)))
	case works < 3:
		return append(list, worse(do, "%d of %d price sources answer", works, len(sources)))
	}
	return append(list, fine("%d of %d price sources answer", works, len(sources)))
}

// stuckAfter is how late the head of a lane may be before it is worth a word.
const stuckAfter = 30 * time.Minute

// Lanes looks for endpoints that take no webhooks or mails.
func Lanes(ctx context.Context, st *store.Store, now time.Time) []Finding {
	var lanes []store.Lane
	oldest := map[string]time.Time{}
	err := st.View(ctx, func(tx *store.Tx) (err error) {
		if lanes, err = tx.WaitingLanes(); err != nil {
			return err
		}
		for _, l := range lanes {
			list, err := tx.WaitingIn(l.ID, 1)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				oldest[l.ID] = list[0].Created
			}
		}
		return nil
	})
	if err != nil {
		return []Finding{broken("look at the database", "the queues of webhooks and mails cannot be read: %v", err)}
	}
	var list []Finding
	for _, l := range lanes {
		if at, ok := oldest[l.ID]; ok && now.Sub(at) > stuckAfter {
			list = append(list, worse("look at its last answers with `quittance webhook list`, mend the endpoint, and send again with `quittance webhook resend`",
				"%d %ss to %s wait, the first for %s", l.Waiting, l.Kind, l.Endpoint, now.Sub(at).Round(time.Minute)))
		}
	}
	if len(list) == 0 {
		return []Finding{fine("webhooks and mails are delivered; %d endpoints have something to come", len(lanes))}
	}
	return list
}

// Wallets looks for seeds that nobody may have written down, and for limits that are
// missing. opens says whether a sealed seed opens here; bounded whether hot wallets
// have caps.
func Wallets(ctx context.Context, st *store.Store, opens func(*merchant.Wallet) bool, bounded, live bool) []Finding {
	var wallets []*merchant.Wallet
	confirmed := map[string]bool{}
	err := st.View(ctx, func(tx *store.Tx) (err error) {
		if wallets, err = tx.Wallets(""); err != nil {
			return err
		}
		for _, w := range wallets {
			if confirmed[w.ID], err = tx.BackupConfirmed(w.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return []Finding{broken("look at the database", "the wallets cannot be read: %v", err)}
	}
	if len(wallets) == 0 {
		return []Finding{worse("quittance wallet add", "no merchant has a wallet to receive with")}
	}
	var list []Finding
	hot := false
	for _, w := range wallets {
		if w.SealedSeed == "" {
			continue
		}
		hot = hot || w.Custody() == merchant.InProcess
		if live && !confirmed[w.ID] {
			list = append(list, worse("type its words once more: quittance wallet confirm-backup --wallet "+w.ID, "nobody has shown yet that the seed of the %s wallet %s is written down: without it the money is gone with this disk", w.Asset, w.ID))
		}
		if w.Custody() == merchant.InProcess && !opens(w) {
			list = append(list, worse("set QUITTANCE_SEED_PASSPHRASE for the server, or sign elsewhere: quittance psbt", "the seed of the %s wallet %s does not open here: nothing is paid from it", w.Asset, w.ID))
		}
	}
	if live && hot && !bounded {
		list = append(list, worse("set --hot-max-payment and --hot-max-day", "a hot wallet pays without a limit"))
	}
	if len(list) == 0 {
		return []Finding{fine("%d wallets, each with its keys where they should be", len(wallets))}
	}
	return list
}

// MoneyOut looks for what stops payments out.
func MoneyOut(ctx context.Context, st *store.Store) []Finding {
	var locks []store.OutgoingLock
	err := st.View(ctx, func(tx *store.Tx) (err error) {
		locks, err = tx.OutgoingLocks()
		return err
	})
	if err != nil {
		return []Finding{broken("look at the database", "what stops payments out cannot be read: %v", err)}
	}
	var list []Finding
	for _, l := range locks {
		list = append(list, broken("see `quittance outgoing status`; once it is understood: quittance outgoing unlock "+l.Reason, "nothing leaves since %s: %s", l.At.UTC().Format(time.DateTime), l.Detail))
	}
	if len(list) == 0 {
		return []Finding{fine("payments may leave")}
	}
	return list
}
