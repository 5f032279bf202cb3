package recipient

// Kind says what sort of change something is.
type Kind string

// The kinds of change. Moved alone is a step of the state machine.
const (
	Moved          Kind = "moved"
	Resent         Kind = "manuallyNotified" // the merchant asked for the webhook again
	LinkAsked      Kind = "linkSent"         // a fresh one-time link goes out by mail
	AddressGiven   Kind = "addressGiven"     // shown back; not proven yet
	AddressChanged Kind = "addressChanged"   // a proven one follows an earlier one
)

// Change is something that happened to a recipient.
type Change struct {
	Kind Kind
	To   Status // the state after it
	On   Event  // of a step
}

// Notice is what a change is called outside: the code and name of its webhook.
type Notice struct {
	Code int64
	Name string
}

// Notice names a change. Changes without a webhook have code 0.
func (c Change) Notice() Notice {
	switch c.Kind {
	case Resent:
		return Notice{4007, "recipient_manuallyNotified"}
	case Moved:
		return c.To.Notice()
	}
	return Notice{0, "recipient_" + string(c.Kind)}
}

// Notice is the webhook of a state.
func (s Status) Notice() Notice {
	for i, st := range Statuses() {
		if st == s {
			return Notice{4001 + int64(i), "recipient_" + string(s)}
		}
	}
	return Notice{}
}
