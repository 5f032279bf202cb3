package ledger

import "strings"

// The chart of accounts. Each merchant has its own set, one account per asset.
// A positive posting is a debit, a negative one a credit: what we have is
// positive, what we owe is negative.
const (
	// Merchant is what the API calls a ledger: what is owed to the merchant.
	// Its API balance is minus the account's.
	Merchant = "merchant"
	// Reserved is promised to refunds, payouts and settlements on their way.
	Reserved = "reserved"
	// Unapplied is received and not applied: under-, over- and late payments, and
	// receipts whose invoice is not complete.
	Unapplied = "unapplied"
	// Exchange is the operator's open position in each currency: what came in in
	// one and is owed in another.
	Exchange = "exchange"
	// Fees are the processing fees charged.
	Fees = "revenue/fees"
	// NetworkCharged is what merchants and recipients bore of the network's cost.
	NetworkCharged = "revenue/network"
	// NetworkPaid is what miners got.
	NetworkPaid = "expense/network"
	// Rounding takes the remainders of conversions.
	Rounding = "rounding"
	// Settled was handed to the merchant outside of these books: kept in its own
	// wallet, taken from there by itself, or paid by bank.
	Settled = "settled"
	// Adjusted is the other side of what an operator books by hand.
	Adjusted = "adjusted"
)

// wallets prefixes the accounts of coins on a chain, one per wallet.
const wallets = "wallet/"

// WalletAccount is the account of the coins in a wallet.
func WalletAccount(walletID string) string { return wallets + walletID }

// WalletOf is the wallet an account belongs to, if it is one's.
func WalletOf(account string) (walletID string, ok bool) { return strings.CutPrefix(account, wallets) }

// credits are the accounts that hold what is owed: their balance, in the sense of
// a debit, must not rise above zero, or somebody would have got more than was
// there.
var credits = map[string]bool{Merchant: true, Reserved: true, Unapplied: true}

var chart = map[string]bool{
	Merchant: true, Reserved: true, Unapplied: true, Exchange: true, Fees: true, NetworkCharged: true, NetworkPaid: true,
	Rounding: true, Settled: true, Adjusted: true,
}

func known(account string) bool {
	id, isWallet := WalletOf(account)
	return isWallet && id != "" || chart[account]
}

// Overdrawn reports whether a balance breaks the account's rule: what is owed
// cannot be less than nothing, and a wallet cannot hold less than nothing.
func Overdrawn(account string, sign int) bool {
	if _, isWallet := WalletOf(account); isWallet {
		return sign < 0
	}
	return credits[account] && sign > 0
}
