package bitauth

import "github.com/decred/dcrd/dcrec/secp256k1/v4"

const (
	places = 32  // bytes of a scalar
	digits = 255 // values of a byte, less zero
)

// affine is a point that is not infinity.
type affine struct{ x, y secp256k1.FieldVal }

func (a *affine) point(p *secp256k1.JacobianPoint) {
	p.X.Set(&a.x)
	p.Y.Set(&a.y)
	p.Z.SetInt(1)
}

// keyTable holds d·256^i·Q for each digit d from 1 to 255 and place i.
type keyTable struct{ points [places][digits]affine }

func newKeyTable(key *secp256k1.PublicKey) *keyTable {
	t := new(keyTable)
	var base secp256k1.JacobianPoint
	key.AsJacobian(&base)
	var row [digits + 1]secp256k1.JacobianPoint // one more: the next place's base
	for i := range t.points {
		row[0].Set(&base)
		for d := 1; d < len(row); d++ {
			secp256k1.AddNonConst(&row[d-1], &base, &row[d])
		}
		normalize(row[:])
		for d := range t.points[i] {
			t.points[i][d] = affine{row[d].X, row[d].Y}
		}
		base.Set(&row[digits])
	}
	return t
}

// normalize brings points to Z = 1 with a single inversion for all of them
// (Montgomery's trick). None is infinity: the group's order is prime, and the
// multiples stay below it.
func normalize(points []secp256k1.JacobianPoint) {
	products := make([]secp256k1.FieldVal, len(points))
	var all secp256k1.FieldVal
	all.SetInt(1)
	for i := range points {
		products[i].Set(&all) // of the Zs before this one
		all.Mul(points[i].Z.Normalize())
	}
	all.Inverse()
	for i := len(points) - 1; i >= 0; i-- {
		p := &points[i]
		var inverse, square secp256k1.FieldVal
		inverse.Mul2(&all, &products[i])
		all.Mul(&p.Z)
		square.SquareVal(&inverse)
		p.X.Mul(&square).Normalize()
		p.Y.Mul(square.Mul(&inverse)).Normalize()
		p.Z.SetInt(1)
	}
}

// verify is the ECDSA check (SEC 1, 4.1.4) of a hash of 32 bytes.
func (t *keyTable) verify(sig *Signature, hash []byte) bool {
	var e, w, u1, u2 secp256k1.ModNScalar
	e.SetByteSlice(hash)
	w.InverseValNonConst(&sig.s)
	u1.Mul2(&e, &w)
	u2.Mul2(&sig.r, &w)
	var sum, step, next secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(&u1, &sum)
	scalar := u2.Bytes()
	for i, d := range scalar {
		if d == 0 {
			continue
		}
		t.points[places-1-i][d-1].point(&step)
		secp256k1.AddNonConst(&sum, &step, &next)
		sum, next = next, sum
	}
	return sameX(&sum, &sig.r)
}

// sameX reports whether the point's affine x-coordinate is r modulo the group
// order. It compares X with r·Z² instead of dividing; as the order is a little
// smaller than the field, r plus the order may be meant too.
func sameX(p *secp256k1.JacobianPoint, r *secp256k1.ModNScalar) bool {
	if p.Z.Normalize().IsZero() || p.X.IsZero() && p.Y.IsZero() {
		return false
	}
	var zz, x, want secp256k1.FieldVal
	zz.SquareVal(&p.Z)
	x.Set(&p.X).Normalize()
	raw := r.Bytes()
	want.SetBytes(&raw)
	var scaled secp256k1.FieldVal
	if scaled.Mul2(&want, &zz).Normalize().Equals(&x) {
		return true
	}
	// r + n is below the field's prime only when r is below their difference.
	if want.IsGtOrEqPrimeMinusOrder() {
		return false
	}
	want.Add(orderAsField)
	return scaled.Mul2(&want, &zz).Normalize().Equals(&x)
}

// orderAsField is the order of the group as an element of the field.
var orderAsField = func() *secp256k1.FieldVal {
	var f secp256k1.FieldVal
	f.SetByteSlice(secp256k1.Params().N.Bytes())
	return &f
}()
