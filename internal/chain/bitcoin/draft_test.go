package bitcoin

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

func serialize(tx *wire.MsgTx) []byte {
	var b bytes.Buffer
	_ = tx.Serialize(&b)
	return b.Bytes()
}

// signedDraft has one input of each kind that a single key owns, signed.
func signedDraft() (tx *wire.MsgTx, scripts [][]byte) {
	tx = wire.NewMsgTx(2)
	scripts = [][]byte{
		append([]byte{0x00, 0x14}, make([]byte, 20)...),
		append([]byte{0x51, 0x20}, make([]byte, 32)...),
		append(append([]byte{0x76, 0xa9, 0x14}, make([]byte, 20)...), 0x88, 0xac),
	}
	for i := range scripts {
		tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: chainhash.Hash{1}, Index: uint32(i)}, nil, nil))
	}
	tx.TxIn[0].Witness = wire.TxWitness{make([]byte, 71), make([]byte, 33)}
	tx.TxIn[1].Witness = wire.TxWitness{make([]byte, 64)}
	tx.TxIn[2].SignatureScript = make([]byte, 1+71+1+33)
	tx.AddTxOut(wire.NewTxOut(5000, scripts[0]))
	return tx, scripts
}

// How large a transaction gets by signing is told from what it spends, to the byte.
func TestTheSignedSizeIsToldFromTheInputs(t *testing.T) {
	tx, scripts := signedDraft()
	d, err := ReadDraft(serialize(tx), Regtest)
	if err != nil || !d.Signed || d.ID != tx.TxHash().String() || d.Payments[0].Amount.String() != "5000" || len(d.Spends) != 3 {
		t.Fatalf("%+v %v", d, err)
	}
	for _, in := range tx.TxIn {
		in.Witness, in.SignatureScript = nil, nil
		bare, err := ReadDraft(serialize(tx), Regtest)
		if err != nil || bare.Signed {
			t.Fatalf("%+v %v", bare, err)
		}
		if size, ok := SignedSize(serialize(tx), scripts, Regtest); !ok || size != d.VSize {
			t.Errorf("%d bytes are expected, %v, and it has %d", size, ok, d.VSize)
		}
	}
	scripts[0] = append([]byte{0x00, 0x20}, make([]byte, 32)...)
	if _, ok := SignedSize(serialize(tx), scripts, Regtest); ok {
		t.Error("the size of a script's input is known")
	}
}

// What announces more than it has is refused before memory is taken for it.
func TestAnnouncedSizesAreHeldAgainstTheBytes(t *testing.T) {
	for name, text := range map[string]string{
		"a million inputs":                  "02000000" + "fe40420f00",
		"all the inputs there can be":       "02000000" + "ffffffffffffffffff",
		"a million outputs":                 "02000000" + "01" + strings.Repeat("00", 41) + "fe40420f00",
		"a million witness items":           "02000000" + "0001" + "01" + strings.Repeat("00", 41) + "01" + strings.Repeat("00", 9) + "fe40420f00",
		"a script longer than all":          "02000000" + "01" + strings.Repeat("00", 36) + "fdffff",
		"nothing":                           "",
		"a version alone":                   "02000000",
		"an input and the end":              "02000000" + "01" + strings.Repeat("00", 41),
		"a flag of another chain's program": "02000000" + "0008" + "01",
	} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(1, func() { _, err = ReadDraft(raw, Regtest) }); err == nil || n > 50 {
			t.Errorf("%s: %v after %v allocations", name, err, n)
		}
	}
	tx, _ := signedDraft()
	if _, err := ReadDraft(append(serialize(tx), 0), Regtest); err == nil || !strings.Contains(err.Error(), "follows") {
		t.Errorf("two in one: %v", err)
	}
}

// Whatever bytes come, they are read as exactly what they are, or refused.
func FuzzReadDraft(f *testing.F) {
	tx, scripts := signedDraft()
	f.Add(serialize(tx))
	for _, in := range tx.TxIn {
		in.Witness, in.SignatureScript = nil, nil
	}
	f.Add(serialize(tx))
	f.Add([]byte{2, 0, 0, 0, 0, 1, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := ReadDraft(raw, Regtest)
		if err != nil {
			return
		}
		var again wire.MsgTx
		if err := again.Deserialize(bytes.NewReader(raw)); err != nil || !bytes.Equal(serialize(&again), raw) {
			t.Errorf("%x was read and is not what is written", raw)
		}
		if d.ID != again.TxHash().String() || len(d.Spends) != len(again.TxIn) || len(d.Payments) != len(again.TxOut) || d.VSize <= 0 {
			t.Errorf("%x was read as %+v", raw, d)
		}
		for i, p := range d.Payments {
			if v, ok := p.Amount.Uint64(); !ok || again.TxOut[i].Value < 0 || v != uint64(again.TxOut[i].Value) {
				t.Errorf("%x: output %d is %v", raw, i, p.Amount)
			}
		}
		_, _ = SignedSize(raw, scripts, Regtest)
	})
}
