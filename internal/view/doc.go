// Package view renders the nouns in the wire's shapes: the same invoice for the
// API, for webhooks, for the event stream and for the pages. It imports wire,
// app's results and the nouns; api, outbox and pages import it.
package view
