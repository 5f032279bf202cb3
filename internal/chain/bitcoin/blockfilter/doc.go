// Package blockfilter reads compact block filters (BIP 158, basic) and answers
// whether a block may concern any of many output scripts. The whole filter is
// unpacked once, with a word-wise reader, and every script is held against it by a
// bitmap that turns nearly all away; btcutil's own matching reads bit by bit and
// builds a map for each filter. It imports chain; chain/bitcoin/light imports it,
// and bench to measure it.
package blockfilter
