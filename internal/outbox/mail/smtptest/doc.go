// Package smtptest is a mail server for tests: it takes mails over as a real one
// does and tells what came, as sent and taken apart. Only tests import it.
package smtptest
