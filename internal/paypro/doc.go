// Package paypro is the server's side of the JSON payment protocol, version 2: a
// wallet asks what an invoice can be paid with, is told what to pay, has its unsigned
// payment looked at, and hands over the signed one. Each answer is signed with a key
// that is published under /signingKeys/paymentProtocol.json.
//
// Each server has keys of its own, in its data folder; their public halves are in the
// database, and every server on it publishes all of them. So no server needs another
// one's secret, and none is in the database. The keys sign answers only: they can move
// no money.
//
// It imports app, store's rows, the leaves and wire. Only cmd imports it.
package paypro
