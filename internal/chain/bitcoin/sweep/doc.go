// Package sweep empties an old wallet of Bitcoin's family: it derives what its words
// or keys own, searches the chain for it, and signs one transaction that pays all of
// it to one address. Keys stay in memory and reach nothing but signatures. It imports
// chain, chain/bitcoin, chain/bitcoin/spending and money; cmd and tests import it.
package sweep
