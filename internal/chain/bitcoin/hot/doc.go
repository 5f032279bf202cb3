// Package hot signs for a wallet whose seed is open in this process: the server's
// own, or the separate signer's. What it signs it reads from the packet itself and
// holds against a policy; whoever asks is not believed. It imports chain,
// chain/bitcoin and its spending; signer and cmd import it.
package hot
