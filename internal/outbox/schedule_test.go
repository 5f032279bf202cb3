package outbox

import (
	"testing"
	"time"
)

func TestTheScheduleKeepsItsPromise(t *testing.T) {
	for _, jitter := range []float64{0.9, 1, 1.1} {
		var total time.Duration
		tries := int64(1)
		for ; ; tries++ {
			d, more := wait(tries, jitter)
			if !more {
				break
			}
			if d <= 0 {
				t.Fatalf("no pause after try %d", tries)
			}
			total += d
		}
		if tries < 10 || total < 75*time.Hour {
			t.Errorf("with jitter %v: %d tries over %v; threat A13 asks for 10 over 75 h", jitter, tries, total)
		}
	}
	for i, want := range []time.Duration{0, 1, 5, 14, 30, 55} {
		if schedule[i] != want*time.Minute {
			t.Errorf("try %d comes after %v, the seed's API has %d minutes", i+1, schedule[i], want)
		}
	}
}

func TestJitterStaysWithinATenth(t *testing.T) {
	for _, b := range []byte{0x00, 0x80, 0xff} {
		o := Outbox{Config: Config{Rand: repeat(b)}}
		if j := o.jitter(); j < 0.9 || j > 1.1 {
			t.Errorf("jitter %v", j)
		}
	}
}

type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}
