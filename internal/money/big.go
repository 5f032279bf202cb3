package money

import (
	"math/big"

	"github.com/holiman/uint256"
)

// Big returns the amount as a new big.Int, for exact conversions.
func (a Units) Big() *big.Int { return a.n.ToBig() }

// FromBig is the inverse of Big; ErrRange if b is negative or above 2^256-1.
func FromBig(b *big.Int) (Units, error) {
	if b.Sign() < 0 {
		return Units{}, ErrRange
	}
	n, over := uint256.FromBig(b)
	if over {
		return Units{}, ErrRange
	}
	return Units{*n}, nil
}

// Pow10 returns 10^n as a new big.Int.
func Pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
