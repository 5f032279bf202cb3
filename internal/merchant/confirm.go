package merchant

import (
	"fmt"
	"strconv"
	"strings"
)

// ConfirmRule says how many confirmations invoices need from a value on.
type ConfirmRule struct {
	Asset   string // "*" is every one
	FromUSD int64  // whole US dollars
	Medium  int64  // for "confirmed" at medium speed
	Credit  int64  // for "complete", and for "confirmed" at low speed
	Trust   int64  // least score of a waiting payment at high speed; -1 leaves the usual
}

// MaxConfirmations is more than anybody waits for, and less than what is still looked
// at on each block.
const MaxConfirmations = 100

// noTrust leaves a rule's score as it is without the rule.
const noTrust = -1

// ParseConfirm reads rules such as "BTC:1000:2:6,*:10000:3:12:100": asset, value in
// US dollars from which on it holds, confirmations at medium speed, confirmations
// that complete, and, if it is given, the least score at high speed (0 to 100).
func ParseConfirm(text string) (rules []ConfirmRule, err error) {
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		fields := strings.Split(part, ":")
		if len(fields) != 4 && len(fields) != 5 {
			return nil, fmt.Errorf("%q is not a rule such as BTC:1000:2:6 (asset, US dollars, confirmations at medium speed, confirmations that complete)", part)
		}
		var n [4]int64
		n[3] = noTrust
		for i, f := range fields[1:] {
			if n[i], err = strconv.ParseInt(f, 10, 32); err != nil || n[i] < 0 {
				return nil, fmt.Errorf("%q in the rule %q is not a whole number", f, part)
			}
		}
		r := ConfirmRule{strings.ToUpper(fields[0]), n[0], n[1], n[2], n[3]}
		if r.Asset == "" || r.Medium < 1 || r.Credit < r.Medium || r.Credit > MaxConfirmations || r.Trust > 100 {
			return nil, fmt.Errorf("the rule %q asks for something impossible: from 1 confirmation at medium speed, at least as many to complete, at most %d, and a score up to 100", part, MaxConfirmations)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// ConfirmFor finds the rule that holds for an asset at a value in US cents: the one
// from the highest value on, and of two such the one that names the asset.
func (s *Settings) ConfirmFor(asset string, cents int64) (best ConfirmRule, found bool) {
	rules, _ := ParseConfirm(s.Confirm) // it was checked when it was set
	for _, r := range rules {
		if r.Asset != "*" && r.Asset != asset || cents < r.FromUSD*100 {
			continue
		}
		if !found || r.FromUSD > best.FromUSD || r.FromUSD == best.FromUSD && best.Asset == "*" {
			best, found = r, true
		}
	}
	return best, found
}
