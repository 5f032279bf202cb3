package api

import "testing"

func TestTheHashOfAllRowsSeesEveryChange(t *testing.T) {
	w := newWorld(t)
	empty := w.rows()
	if w.rows() != empty {
		t.Error("two hashes of one state differ")
	}
	inv := w.merchant.create(nil)
	made := w.rows()
	if made == empty {
		t.Error("a new invoice is not seen")
	}
	w.merchant.put("/invoices/"+id(inv), fields{"buyerEmail": "a@b.example"}).ok()
	if w.rows() == made {
		t.Error("a changed one is not seen")
	}
}
