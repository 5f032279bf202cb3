// Package outbox delivers stored notices: webhooks and e-mails. Operations put
// them into lanes in their own transactions; the outbox leases a lane, tries its
// head, records the try and goes on. Order is kept in a lane, no lane holds up
// another, and a notice is delivered at least once: a crash between sending and
// recording sends it again under the same id.
//
// It imports app, store, view, wire and the packages below it (mail, phpjson);
// cmd imports it.
package outbox
