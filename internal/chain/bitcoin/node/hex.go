package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"regexp"
)

// beginning is how an answer begins whose result is a text, in whatever order a node
// has its fields. What follows up to the next quotation mark is in hex and needs no
// unquoting, so a block of megabytes is not taken through a JSON parser twice.
var beginning = regexp.MustCompile(`^\s*\{\s*(?:"(?:jsonrpc|id)"\s*:\s*(?:"[\w.]*"|\d+)\s*,\s*|"error"\s*:\s*null\s*,\s*)*"result"\s*:\s*"`)

// longestBeginning is where the search for it ends.
const longestBeginning = 200

// callHex asks for something in the form that goes over the network.
func (r *rpc) callHex(ctx context.Context, method string, params ...any) ([]byte, error) {
	status, body, err := r.exchange(ctx, method, r.request(method, params))
	if err != nil {
		return nil, err
	}
	if at := beginning.FindIndex(body[:min(len(body), longestBeginning)]); at != nil {
		rest := body[at[1]:]
		if end := bytes.IndexByte(rest, '"'); end > 0 {
			raw := make([]byte, hex.DecodedLen(end))
			if _, err := hex.Decode(raw, rest[:end]); err == nil {
				return raw, nil
			}
		}
	}
	// Another spelling, or a refusal.
	var text string
	if err := read(body, status, method, &text); err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("node: %s: its answer is not in hex: %w", method, err)
	}
	return raw, nil
}
