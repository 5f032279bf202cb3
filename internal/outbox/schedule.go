package outbox

import "time"

// schedule says when a delivery is tried, counted from the first try: the times
// of the seed's classic API up to 55 minutes, then further apart until at least
// 75 hours are over even if each gap is a tenth shorter (threat A13).
var schedule = []time.Duration{
	0, 1 * time.Minute, 5 * time.Minute, 14 * time.Minute, 30 * time.Minute, 55 * time.Minute,
	2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 14 * time.Hour, 20 * time.Hour, 26 * time.Hour, 32 * time.Hour,
	38 * time.Hour, 44 * time.Hour, 50 * time.Hour, 56 * time.Hour, 62 * time.Hour, 68 * time.Hour, 74 * time.Hour,
	80 * time.Hour, 86 * time.Hour,
}

// refusalsBeforeAside is how many tries an endpoint may answer with a refusal
// before the message is taken out of the lane's order: the endpoint lives, so
// the message is to blame, and the others need not wait for it.
const refusalsBeforeAside = 5

// wait is how long to wait after the given number of failed tries, stretched by
// the factor jitter; false when the last try is over.
func wait(tries int64, jitter float64) (time.Duration, bool) {
	if tries < 1 || tries >= int64(len(schedule)) {
		return 0, false
	}
	return time.Duration(float64(schedule[tries]-schedule[tries-1]) * jitter), true
}
