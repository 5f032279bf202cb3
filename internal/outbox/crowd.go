package outbox

import (
	"net/url"

	"github.com/quittance/quittance/internal/store"
)

// crowd counts the lanes worked on, by whose time they take. Shops that name
// another URL for each order make a lane of each; when such a shop hangs, its
// lanes would fill every slot and all others wait for it. So one host gets a
// quarter of the slots at most, and one merchant half.
type crowd struct {
	perHost, perMerchant int
	hosts, merchants     map[string]int
}

func newCrowd(slots int) *crowd {
	return &crowd{
		perHost: max(1, slots/4), perMerchant: max(1, slots/2),
		hosts: map[string]int{}, merchants: map[string]int{},
	}
}

// host is the beginning of an endpoint's URL, up to its path; empty for mails,
// which share one relay.
func host(l store.Lane) string {
	u, err := url.Parse(l.Endpoint)
	if l.Kind != "webhook" || err != nil || u.Host == "" {
		return ""
	}
	// As it is written, so that it is found again as the beginning of others.
	root := url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}
	return root.String()
}

func (c *crowd) add(l store.Lane) {
	if h := host(l); h != "" {
		c.hosts[h]++
	}
	c.merchants[l.Merchant]++
}

// room reports that one more lane may be worked on.
func (c *crowd) room(l store.Lane) bool {
	return c.hosts[host(l)] < c.perHost && c.merchants[l.Merchant] < c.perMerchant
}

// full names those that have all the slots they can get.
func (c *crowd) full() (s store.SkipLanes) {
	for h, n := range c.hosts {
		if n >= c.perHost {
			s.Endpoints = append(s.Endpoints, h)
		}
	}
	for m, n := range c.merchants {
		if n >= c.perMerchant {
			s.Merchants = append(s.Merchants, m)
		}
	}
	return s
}
