// Package mail writes the e-mails that tell a merchant of an invoice, and hands
// them to an SMTP server or, in the sandbox, to a table that a page shows. It
// imports app's results, money, invoice and store; outbox and cmd import it.
package mail
