package hot

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"
)

func approvalWorld(t *testing.T) *world {
	return newWorld(t, "bip84", Policy{ApproveAbove: 30_000, Approvers: people(person("ann"), person("bob"))})
}

// agree signs what the signer shows, as `quittance signer approve` does.
func (w *world) agree(a approver) (int, error) {
	w.Helper()
	st := w.signer.Status()
	if len(st.Waiting) == 0 {
		w.Fatal("nothing waits")
	}
	one := st.Waiting[0]
	return w.signer.Approve(one.Digest[:16], a.name, ed25519.Sign(a.key, []byte(one.Statement)))
}

func TestTwoDifferentPeopleApprove(t *testing.T) {
	w := approvalWorld(t)
	p := w.plan(40_000, w.coin(1, 90_000))
	w.refuses("t1", p.Packet, false, "0 of 2")
	for range 2 { // one person twice does not count
		if n, err := w.agree(person("ann")); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		w.refuses("t1", p.Packet, false, "1 of 2")
	}
	w.start()
	w.refuses("t1", p.Packet, false, "1 of 2")
	if n, err := w.agree(person("bob")); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	w.start()
	w.refuses("t1", w.plan(40_001, w.coin(1, 90_000)).Packet, false, "0 of 2") // they agreed to the other
	w.signs("t1", p)
	if st := w.signer.Status(); len(st.Waiting) != 1 || st.Today < 40_000 {
		t.Errorf("%+v", st)
	}
}

func TestForgedApprovalsDoNotCount(t *testing.T) {
	w := approvalWorld(t)
	p := w.plan(40_000, w.coin(1, 90_000))
	w.refuses("t1", p.Packet, false, "0 of 2")
	ask := w.signer.Status().Waiting[0]
	ann, bob := person("ann"), person("bob")
	signed := func(a approver, text string) []byte { return ed25519.Sign(a.key, []byte(text)) }
	for name, c := range map[string]struct {
		digest, who string
		signature   []byte
		says        string
	}{
		"nobody's name":      {ask.Digest, "eve", signed(person("eve"), ask.Statement), "no approver"},
		"somebody's key":     {ask.Digest, "ann", signed(person("eve"), ask.Statement), "not the signature of ann"},
		"ann's as bob":       {ask.Digest, "bob", signed(ann, ask.Statement), "not the signature of bob"},
		"no signature":       {ask.Digest, "ann", nil, "not the signature"},
		"other words":        {ask.Digest, "bob", signed(bob, strings.Replace(ask.Statement, "40000", "4", 1)), "not the signature"},
		"another packet":     {strings.Repeat("0", 64), "ann", signed(ann, ask.Statement), "nothing was asked for"},
		"a digest too short": {ask.Digest[:15], "ann", signed(ann, ask.Statement), "nothing was asked for"},
		"no digest":          {"", "ann", signed(ann, ask.Statement), "nothing was asked for"},
	} {
		if _, err := w.signer.Approve(c.digest, c.who, c.signature); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(w.file.Records()); n != 1 {
		t.Errorf("%d records", n)
	}
	w.refuses("t1", p.Packet, false, "0 of 2")
}

// A line that somebody wrote into the memory is no approval, and who lost the
// right, or the key, has not approved.
func TestApprovalsAreHeldAgainstThePolicyOfNow(t *testing.T) {
	w := approvalWorld(t)
	p := w.plan(40_000, w.coin(1, 90_000))
	w.refuses("t1", p.Packet, false, "0 of 2")
	digest := w.signer.Status().Waiting[0].Digest
	for _, who := range []string{"ann", "bob"} {
		must(t, w.file.Append(Record{What: approved, At: w.now, Digest: digest, By: who}))
	}
	w.refuses("t1", p.Packet, false, "0 of 2")
	for _, who := range []string{"ann", "bob"} {
		_, err := w.agree(person(who))
		must(t, err)
	}
	w.policy.Approvers = people(person("ann"), person("eve"))
	w.start()
	w.refuses("t1", p.Packet, false, "1 of 2")
}

func TestTheStatementSaysEverything(t *testing.T) {
	w := approvalWorld(t)
	w.refuses("t1", w.plan(40_000, w.coin(1, 90_000)).Packet, false, "0 of 2")
	st := w.signer.Status()
	a := st.Waiting[0]
	for _, want := range []string{a.Digest, "pays 40000 satoshi to " + payee, "network fee", "leaves 40", "regtest " + w.signer.account.Fingerprint()} {
		if !strings.Contains(a.Statement, want) {
			t.Errorf("no %q in\n%s", want, a.Statement)
		}
	}
	if a.Why == "" || a.Transfer != "t1" || len(a.Approved) != 0 || st.Today != 0 {
		t.Errorf("%+v", st)
	}
	w.now = w.now.Add(forgotten + time.Second)
	if st := w.signer.Status(); len(st.Waiting) != 0 {
		t.Errorf("after a month it still shows %+v", st.Waiting)
	}
}

func TestAPolicyThatOnePersonCouldMeetIsRefused(t *testing.T) {
	one := person("ann").key.Public().(ed25519.PublicKey)
	for name, p := range map[string]Policy{
		"one approver": {ApproveAbove: 1, Approvers: people(person("ann"))},
		"none":         {ApproveAbove: 1},
		"one key":      {Approvers: map[string]ed25519.PublicKey{"ann": one, "bob": one}},
		"no key":       {Approvers: map[string]ed25519.PublicKey{"ann": nil}},
	} {
		if err := p.Check(); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
