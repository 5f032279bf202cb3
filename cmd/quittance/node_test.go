package main

import (
	"strings"
	"testing"
)

// A node that is given twice is no second node; one of another chain, or behind another
// path of a gateway, is.
func TestANodeIsGivenOnce(t *testing.T) {
	for _, c := range []struct {
		nodes string
		fine  bool
	}{
		{"http://a:b@node:8332 http://c:d@NODE:8332/", false},
		{"LTC=http://a:b@node:9332 ltc=http://a:b@node:9332?zmq=tcp://node:1", false},
		{"http://a:b@node:8332 LTC=http://a:b@node:8332", true},
		{"http://a:b@node:8332/one http://a:b@node:8332/two", true},
	} {
		p := &program{conf: &serveCmd{nodePlace: nodePlace{Node: strings.Fields(c.nodes), Network: "regtest"}}}
		if _, err := p.nodes(); (err == nil) != c.fine || err != nil && (!strings.Contains(err.Error(), "given twice") || strings.Contains(err.Error(), "a:b")) {
			t.Errorf("%s: %v", c.nodes, err)
		}
	}
}
