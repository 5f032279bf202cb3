package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// State says how a thing is.
type State string

// The states, from best to worst.
const (
	Fine    State = "ok"
	Unknown State = "unknown" // it could not be looked at from here
	Worse   State = "warning" // it works, and somebody should look at it
	Broken  State = "broken"
)

// Finding is what one check came to.
type Finding struct {
	Part  string `json:"part"` // database, disk, clock, node, prices, webhooks, wallets, public URL, mail, money out
	State State  `json:"state"`
	What  string `json:"what"`         // a sentence
	Do    string `json:"do,omitempty"` // what to do about it; empty where nothing is to be done
}

// Check looks at one part.
type Check struct {
	Part string
	Look func(ctx context.Context) []Finding
}

// checkTime bounds one check, so that one thing that hangs hides no other.
const checkTime = 15 * time.Second

// Run makes the checks one after the other and reports each as soon as it is made. It
// returns the worst state that was found.
func Run(ctx context.Context, checks []Check, report func(Finding)) State {
	worst := Fine
	for _, c := range checks {
		for _, f := range look(ctx, c) {
			f.Part = c.Part
			report(f)
			if rank[f.State] > rank[worst] {
				worst = f.State
			}
		}
	}
	return worst
}

var rank = map[State]int{Fine: 0, Unknown: 1, Worse: 2, Broken: 3}

func look(ctx context.Context, c Check) (list []Finding) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return c.Look(ctx)
}

func fine(format string, args ...any) Finding {
	return Finding{State: Fine, What: fmt.Sprintf(format, args...)}
}

func worse(do, format string, args ...any) Finding {
	return Finding{State: Worse, Do: do, What: fmt.Sprintf(format, args...)}
}

func broken(do, format string, args ...any) Finding {
	return Finding{State: Broken, Do: do, What: fmt.Sprintf(format, args...)}
}

func unknown(do, format string, args ...any) Finding {
	return Finding{State: Unknown, Do: do, What: fmt.Sprintf(format, args...)}
}

// plain is a failed request's error without its address, which the sentence has.
func plain(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
