package ledger

import (
	"maps"
	"slices"
)

// Code says what a line of the API's ledger is (wire spec, part 2, section 2.3).
type Code int64

// The codes that can occur here.
const (
	Invoice            Code = 1000 // an invoice became complete
	FeeRefund          Code = 1004 // a processing fee given back
	ExchangeEntry      Code = 1006 // a pair, when one ledger is changed into another
	ExchangeFee        Code = 1007 // of such a pair
	PayoffNegative     Code = 1011 // a pair, when another ledger covers what this one lacks
	Corrective         Code = 1013 // a reversal
	SettlementFee      Code = 1014 // the network's cost of a settlement
	Custom             Code = 1016 // an operator's own entry
	AccountSettlement  Code = 1017 // taken from the balance
	OverpaymentFee     Code = 1018 // of an overpayment that was kept
	OverpaymentCredit  Code = 1019 // an overpayment that was kept
	InvoiceRefund      Code = 1020 // a refund executed
	OverpaymentRefund  Code = 1021 // an overpayment that was kept goes back after all
	SettlementReversal Code = 1022 // a settlement came back
	InvoiceFee         Code = 1023 // the processing fee, with its 1000
	BitcoinDeposit     Code = 1024 // the merchant funds the ledger with coins
	FiatDeposit        Code = 1025 // or otherwise
	PayoutFunding      Code = 1034 // a payout's principal
	TestnetSettlement  Code = 1038 // a settlement on a test chain
	RefundFee          Code = 1039 // the network's cost of a refund
	PayoutFee          Code = 1040 // of a payout
	WireFee            Code = 1041 // what the bank took of a settlement
	ImmediateRefund    Code = 1050 // a refund whose money is held at its creation
)

var names = map[Code]string{
	Invoice: "Invoice", FeeRefund: "Fee Refund", ExchangeEntry: "Exchange", ExchangeFee: "Exchange Fee", PayoffNegative: "Payoff Negative Balance", Corrective: "Corrective",
	SettlementFee: "Settlement Fee", Custom: "Custom", AccountSettlement: "Account Settlement", OverpaymentFee: "Overpayment Credit Fee",
	OverpaymentCredit: "Overpayment Credit", InvoiceRefund: "Invoice Refund", OverpaymentRefund: "Overpayment Credit Refund",
	SettlementReversal: "Corrective for Failed Account Settlement", InvoiceFee: "Invoice Fee", BitcoinDeposit: "Bitcoin Deposit",
	FiatDeposit: "Fiat Deposit", PayoutFunding: "Funding Payout Request", TestnetSettlement: "Testnet Bitcoin Settlement",
	RefundFee: "Refund Fee", PayoutFee: "Payout Fee", WireFee: "Wire Fee", ImmediateRefund: "Immediate Invoice Refund",
}

// Codes lists all of them, in order.
func Codes() []Code { return slices.Sorted(maps.Keys(names)) }

// Name is the entry type's name; empty for a code that is never written.
func (c Code) Name() string { return names[c] }

// OfInvoice reports whether lines with this code tell about an invoice.
func (c Code) OfInvoice() bool {
	switch c {
	case Invoice, InvoiceRefund, InvoiceFee, RefundFee, ImmediateRefund, OverpaymentCredit, OverpaymentFee, OverpaymentRefund:
		return true
	}
	return false
}
