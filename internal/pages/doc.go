// Package pages serves the HTML of the program: the checkout page with its live
// state, the script that opens it inside a shop, the pages on which a merchant
// pairs clients, and in the sandbox the mails that were not sent. Everything is
// embedded; nothing is loaded from elsewhere, no script or style is inline, and
// no page holds a token, a key or what the merchant attached to an order.
//
// The checkout page is rendered by the server alone. Its script watches a small
// state (GET /invoice/live, or GET /invoice/state where streams do not get
// through), and when that changes it reads the page again and exchanges the
// parts marked data-live. Without a script the page reloads itself.
//
// Tests find their way by these data-testid attributes of the checkout page:
//
//	state         the status block; data-state is the phase, data-status the
//	              invoice's status in the API's words
//	amount        what is to be paid now; data-amount is the bare number
//	address       the payment address, in full
//	qr            the picture with the payment request; data-qr is its content
//	wallet-link   the same as a link
//	protocol-link for wallets that speak the JSON payment protocol
//	timer         the time left; data-expires is the end in Unix milliseconds
//	copy-address, copy-amount
//	confirmations the progress picture; data-have and data-need
//	pay-button, pay-partial, pay-over, pay-late, mine-button   sandbox only
//	back-link, cancel-link, close-button, redirect-notice
//	email-form, language
//
// and refund (data-status), ask-again; on the pages that mailed links lead to by
// refund, address-field, next, address, confirm, again, claimed, recipient
// (data-step), bill (data-state), says, total, pay, settlement and problem;
// and on the merchant's pages by code, key, approve, approved, pairing-code,
// facade, sin, list, pair, open, open-token, tokens, mails and problem.
//
// The phases (data-state) are open, partial, closing, paid, confirmed, complete,
// expired, expired-partial, late, invalid, cancelled and declined; see phaseOf. Only cmd imports this package; it
// imports app, view, the nouns, the leaves and wire.
package pages
