package invoice

// Notice is what a change is called outside: the code and name of its webhook.
type Notice struct {
	Code int64
	Name string
}

// The webhooks of an invoice (BitPay's event codes).
var (
	PaidInFull        = Notice{1003, "invoice_paidInFull"}
	ExpiredNotice     = Notice{1004, "invoice_expired"}
	ConfirmedNotice   = Notice{1005, "invoice_confirmed"}
	Completed         = Notice{1006, "invoice_completed"}
	ManuallyNotified  = Notice{1012, "invoice_manuallyNotified"}
	FailedToConfirm   = Notice{1013, "invoice_failedToConfirm"}
	LatePaymentNotice = Notice{1014, "invoice_latePayment"}
	RefundComplete    = Notice{1016, "invoice_refundComplete"}
	DeclinedNotice    = Notice{1019, "invoice_declined"}
)

// Notice names a change. Changes without a webhook have code 0.
func (c Change) Notice() Notice {
	switch c.Kind {
	case Resent:
		return ManuallyNotified
	case LatePayment:
		return LatePaymentNotice
	case Refunded:
		return RefundComplete
	case Moved:
		return noticeOf(c.To)
	}
	return Notice{0, "invoice_" + string(c.Kind)}
}

func noticeOf(s Status) Notice {
	switch s {
	case Paid:
		return PaidInFull
	case Confirmed:
		return ConfirmedNotice
	case Complete:
		return Completed
	case Expired:
		return ExpiredNotice
	case Invalid:
		return FailedToConfirm
	case Declined:
		return DeclinedNotice
	}
	return Notice{}
}

// Tells reports whether the merchant asked to be told of a change: with
// extended notifications of everything, with full ones of paid, confirmed and
// complete, else only of the one that the transaction speed promises.
func (o *Order) Tells(c Change) bool {
	n := c.Notice()
	switch {
	case n.Code == 0:
		return false
	case c.Kind == Resent || o.Extended:
		return true
	case c.Kind != Moved:
		return false
	case o.Full:
		return c.To == Paid || c.To == Confirmed || c.To == Complete
	case o.Speed == Low:
		return c.To == Complete
	}
	return c.To == Confirmed
}
