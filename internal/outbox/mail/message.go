package mail

import (
	"context"
	"time"
)

// Message is one e-mail to one recipient.
type Message struct {
	ID      string // of the delivery: the same over all tries
	To      string // bare address
	Subject string
	Text    string
	HTML    string
	Date    time.Time
}

// Mailer takes a message over or says why it cannot. An error means that the
// message is offered again later.
type Mailer interface {
	Send(ctx context.Context, m Message) error
}
