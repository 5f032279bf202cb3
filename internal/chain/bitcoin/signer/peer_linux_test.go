package signer

import (
	"os"
	"strings"
	"testing"
)

// The kernel says who asks; only the signer's own user and those that the policy
// lists are answered.
func TestOtherUsersAreHungUpOn(t *testing.T) {
	h := newHouse(t, bounds)
	me := os.Geteuid()
	must(t, h.answers(me))
	must(t, h.answers(me+1, me))
	if err := h.answers(me + 1); err == nil || !strings.Contains(err.Error(), "allow_uids") {
		t.Errorf("another user's process: %v", err)
	}
	if err := h.answers(me+1, me+2); err == nil || !strings.Contains(err.Error(), "allow_uids") {
		t.Errorf("one that is not listed: %v", err)
	}
}
