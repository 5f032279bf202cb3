package merchant

import "testing"

func TestTheRuleOfTheHighestValueHolds(t *testing.T) {
	s := Settings{Confirm: "*:1000:2:8, BTC:1000:3:6,*:50000:6:20:100"}
	for _, c := range []struct {
		asset  string
		cents  int64
		medium int64 // 0: none holds
	}{
		{"BTC", 99_999, 0}, {"BTC", 100_000, 3}, {"LTC", 100_000, 2}, {"BTC", 5_000_000, 6}, {"DOGE", 1_000_000_000, 6},
	} {
		r, ok := s.ConfirmFor(c.asset, c.cents)
		if ok != (c.medium > 0) || ok && r.Medium != c.medium {
			t.Errorf("%s at %d cents: %+v, %v", c.asset, c.cents, r, ok)
		}
	}
	if r, _ := s.ConfirmFor("BTC", 100_000); r.Trust != noTrust {
		t.Errorf("a rule without a score changes it: %+v", r)
	}
}

func TestARuleThatCannotHoldIsRefused(t *testing.T) {
	for _, text := range []string{"BTC", "BTC:1:2", "BTC:x:1:6", "BTC:-1:1:6", "BTC:0:0:6", "BTC:0:7:6", "BTC:0:1:101", "BTC:0:1:6:101", ":0:1:6", "BTC:0:1:6:7:8", "BTC:99999999999999999999:1:6"} {
		if rules, err := ParseConfirm(text); err == nil {
			t.Errorf("%q was read as %+v", text, rules)
		}
	}
	if rules, err := ParseConfirm(""); err != nil || rules != nil {
		t.Errorf("no rules: %v, %v", rules, err)
	}
}
