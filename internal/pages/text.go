package pages

import (
	"net/http"
	"strings"
)

// text is every sentence of the payer's pages in one language. Words in braces
// are filled in; every language uses the same ones.
type text struct {
	Code, Language string // BCP 47 tag; the language's name for itself

	PaymentTo, Payment, Details, Rate, NetworkCost, Total             string
	PayBefore, TimeLeft, PayWith                                      string
	SendAmount, ToAddress, Copy, CopyAmount, CopyAddress              string
	Copied, CopyFailed, OpenWallet, ScanHint, QRLabel, OnlyNetwork    string
	OpenProtocol                                                      string
	NewHead, NewText, BlocksOnly                                      string
	PartialHead, PartialText                                          string
	ClosingHead, ClosingText                                          string
	PaidHead, PaidText                                                string
	Confirmations                                                     string
	ConfirmedHead, ConfirmedText                                      string
	CompleteHead, CompleteText                                        string
	OverText                                                          string
	ExpiredHead, ExpiredText                                          string
	ExpiredPartialHead, ExpiredPartialText                            string
	LateHead, LateText                                                string
	InvalidHead, InvalidText                                          string
	CancelledHead, CancelledText                                      string
	DeclinedHead, DeclinedText                                        string
	BackTo, Back, CancelBack, Close, RedirectSoon, Stay               string
	EmailHead, EmailWhy, EmailLabel, EmailSave, EmailSaved            string
	Sandbox, SandboxPay, SandboxPartial, SandboxOver, SandboxMine     string
	SandboxLate, SandboxHint                                          string
	TestNetwork, Offline, Failed, NoScript                            string
	BillFrom, BillDue, BillFor, BillPay, BillContinue, BillSee        string
	BillPaid, BillComplete, BillOpen, BillFee, NoBillHead, NoBillText string
	RefundAskHead, RefundAskText, RefundLook, RefundAgain             string
	RefundCode, RefundAddress, RefundNext                             string
	RefundWaitHead, RefundWaitText, RefundSentHead, RefundSentText    string
	RefundDoneHead, RefundDoneText, RefundGoneHead, RefundGoneText    string
	RefundFailHead, RefundFailText                                    string
	RefundAddressStep, RefundSentStep, RefundDoneStep                 string
	BillAgain, BillAskFirst                                           string
	NotFoundHead, NotFoundText, UnverifiedHead, UnverifiedText, Retry string
}

// fill puts values in place of the words in braces: fill("{n} left", "n", "3").
func fill(s string, pairs ...string) string {
	braced := make([]string, len(pairs))
	for i, v := range pairs {
		if braced[i] = v; i%2 == 0 {
			braced[i] = "{" + v + "}"
		}
	}
	return strings.NewReplacer(braced...).Replace(s)
}

// languages is the order in which they are offered.
var languages = []*text{&english, &german, &spanish, &french, &portuguese, &dutch}

func language(tag string) (*text, bool) {
	tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	for _, t := range languages {
		if t.Code == tag {
			return t, true
		}
	}
	return nil, false
}

// choose picks the language of a request: what its address asks for, else the
// browser's first choice that there is, else English. The browser's list is
// taken in its order; all of them send it sorted by weight.
func choose(r *http.Request) *text {
	if t, ok := language(r.FormValue("lang")); ok {
		return t
	}
	for _, part := range strings.SplitN(r.Header.Get("Accept-Language"), ",", 20) {
		tag, weight, _ := strings.Cut(part, ";")
		if t, ok := language(tag); ok && strings.TrimSpace(weight) != "q=0" {
			return t
		}
	}
	return &english
}
