// Package sandbox is a Bitcoin regtest chain inside the process: btcd's own
// consensus and mempool code over a folder, without a network. A faucet pays, a
// miner mines, and a caller can replace, double-spend and reorganise in
// milliseconds. It fulfils chain.Source.
//
// # Folder
//
// chain/ is btcd's block database. btcd flushes its metadata only now and then,
// so blocks.log journals every block (and invalidation) since the last clean
// close and Open replays what the database lost. mempool.log holds the
// unconfirmed transactions, faucet.idx the faucet's coins with the tip they
// were true for, and faucet.seed the faucet's key. Every change reaches the
// operating system before the call that made it returns, so it survives
// kill -9; nothing waits for the disk, so a power cut may take the last seconds.
//
// # Faucet
//
// Nothing is ever mined silently. The first Open mines a foundation whose first
// coinbases are split into 1000 mature coins of 1 BTC, so a thousand payments
// need no confirmation in between. After those come unconfirmed change outputs,
// up to 25 deep (the ancestor limit of Bitcoin Core's default policy), which is
// some 25,000 payments between two blocks. While coins are scarce, coinbases
// mined later are split as well.
//
// It imports chain, money and bitcoin. Only cmd, and tests, import it.
package sandbox
