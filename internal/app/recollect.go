package app

import (
	"fmt"
	"slices"
)

// marks are the first indices of a wallet that were never handed out.
type marks struct{ index, change int64 }

// recollection is a journal read through: the highest marks of each wallet, and the
// fullest note about each transfer that may have been signed, oldest first.
type recollection struct {
	marks     map[string]marks
	transfers []Note
}

func (a *App) recollect() recollection {
	r := recollection{marks: map[string]marks{}}
	at := map[string]int{}
	given := map[string]bool{}
	for _, n := range a.Journal.Records() {
		if n.Wallet != "" {
			m := r.marks[n.Wallet]
			r.marks[n.Wallet] = marks{max(m.index, n.Index), max(m.change, n.Change)}
		}
		if n.GivenUp != "" {
			given[n.GivenUp] = true
		}
		if n.Transfer == nil {
			continue
		}
		delete(given, n.Transfer.ID) // a backup had brought it back
		if i, ok := at[n.Transfer.ID]; ok {
			r.transfers[i] = n // a later note has more attempts
			continue
		}
		at[n.Transfer.ID] = len(r.transfers)
		r.transfers = append(r.transfers, n)
	}
	used := lastUses(r.transfers)
	r.transfers = slices.DeleteFunc(r.transfers, func(n Note) bool { return given[n.Transfer.ID] || used.overtaken(&n) })
	return r
}

// uses tells in which transfer an order or a coin was last.
type uses map[string]string

func lastUses(list []Note) uses {
	u := uses{}
	for i := range list {
		for _, key := range list[i].uses() {
			u[key] = list[i].Transfer.ID
		}
	}
	return u
}

// overtaken reports that a transfer was given up although no note says so, because
// the process ended just then: its orders, or coins, were given to be signed in
// another one later. One with several attempts was signed, so it was not.
func (u uses) overtaken(n *Note) bool {
	return len(n.Transfer.Attempts) == 1 && slices.ContainsFunc(n.uses(), func(key string) bool { return u[key] != n.Transfer.ID })
}

// uses names the orders and the coins that no other transfer has at the same time.
func (n *Note) uses() (keys []string) {
	for _, o := range n.Orders {
		keys = append(keys, "order/"+o.ID)
	}
	for _, in := range n.Transfer.Attempts[0].Inputs {
		keys = append(keys, fmt.Sprintf("coin/%s/%s/%d", n.Transfer.Chain, in.Txid, in.Vout))
	}
	return keys
}
