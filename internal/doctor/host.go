package doctor

import (
	"context"
	"net/http"
	"os"
	"slices"
	"time"
)

// How much room a data folder needs, in bytes.
const (
	fullBelow = 200 << 20
	warnBelow = 2 << 30
)

// Disk looks at the room that is left where the data is, and at who may read it.
func Disk(folder string) []Finding {
	info, err := os.Stat(folder)
	if err != nil {
		return []Finding{broken("say where the data is with --data", "the data folder cannot be read: %v", err)}
	}
	var list []Finding
	if m := info.Mode().Perm(); m&0o077 != 0 {
		list = append(list, worse("chmod 700 "+folder, "others on this machine may look into the data folder (mode %o): sealed seeds and the database are in it", m))
	}
	free, ok := freeBytes(folder)
	switch {
	case !ok:
		return append(list, unknown("", "how much room is left on the disk cannot be told on this system"))
	case free < fullBelow:
		return append(list, broken("make room before the database cannot be written any more", "%d MiB are left on the disk", free>>20))
	case free < warnBelow:
		return append(list, worse("make room soon", "%d MiB are left on the disk", free>>20))
	}
	return append(list, fine("%d GiB are left on the disk", free>>30))
}

// Clocks that differ by this much are worth a word, and this much breaks rates, time
// stamps of webhooks and deadlines.
const (
	clockWorse  = 5 * time.Second
	clockBroken = time.Minute
)

// Clock holds this machine's clock against those of web servers, as they say the time
// in the header Date, and takes the median.
func Clock(ctx context.Context, client *http.Client, urls []string, now func() time.Time) []Finding {
	var off []time.Duration
	for _, u := range urls {
		if d, ok := offset(ctx, client, u, now); ok {
			off = append(off, d)
		}
	}
	if len(off) == 0 {
		return []Finding{unknown("check it with the system's own tool (timedatectl)", "no server could be asked for the time")}
	}
	slices.Sort(off)
	d := off[len(off)/2]
	const do = "let the system keep its clock: timedatectl set-ntp true"
	switch {
	case d.Abs() >= clockBroken:
		return []Finding{broken(do, "this machine's clock is off by %s", d.Round(time.Second))}
	case d.Abs() >= clockWorse:
		return []Finding{worse(do, "this machine's clock is off by %s", d.Round(time.Second))}
	}
	return []Finding{fine("the clock agrees with %d servers to %s", len(off), max(d.Abs(), time.Second).Round(time.Second))}
}

// offset is how far our clock is ahead of a server's. A header tells whole seconds.
func offset(ctx context.Context, client *http.Client, url string, now func() time.Time) (time.Duration, bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return 0, false
	}
	begun := now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	middle := begun.Add(now().Sub(begun) / 2)
	d := middle.Sub(at.Add(500 * time.Millisecond))
	if d.Abs() < time.Second {
		d = 0
	}
	return d, true
}
