package invoice

import (
	"testing"
	"time"

	"github.com/quittance/quittance/internal/chain"
	"github.com/quittance/quittance/internal/money"
)

// On a chain that is seen in blocks only, who pays in the last minute of the window is
// seen when a block comes. Such a payment counts for an hour more; the invoice does not
// expire before.
func TestAPaymentThatHadToWaitForABlockCounts(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration // of the block, after the window closed
		want  Status
		late  bool
	}{
		{"in the window", -time.Minute, Confirmed, false},
		{"half an hour later", 30 * time.Minute, Confirmed, false},
		{"in the last second", BlockGrace, Confirmed, false},
		{"too late", BlockGrace + time.Second, Expired, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tell(t, Medium)
			s.inv.Terms.Options[0].Grace = BlockGrace.Milliseconds()
			mined := s.inv.Expires.Add(c.after)
			s.now = mined.Add(time.Second)
			if c.after > 0 && c.after < BlockGrace {
				// Up to here nothing was seen, and the chain was read beyond the window.
				if changes, err := s.inv.Assess(Facts{Now: s.now, ReadAt: map[string]time.Time{"BTC": s.now}}); err != nil || len(changes) > 0 {
					t.Fatalf("before the block came: %v, %v", changes, err)
				}
			}
			s.inv.See(Sighting{
				Chain: "BTC", Outpoint: chain.Outpoint{Txid: "a"}, Asset: "BTC", Amount: money.NewUnits(100), Block: blockAt(101, mined),
			}, s.now)
			if _, err := s.inv.Assess(Facts{Now: s.now, Tips: map[string]int64{"BTC": 101}, ReadAt: map[string]time.Time{"BTC": s.now}}); err != nil {
				t.Fatal(err)
			}
			if s.inv.Status != c.want || s.inv.HasLate() != c.late {
				t.Errorf("it is %s, late %v; want %s, late %v", s.inv.Status, s.inv.HasLate(), c.want, c.late)
			}
		})
	}
}
