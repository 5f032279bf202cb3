package phpjson

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// The right-hand sides were printed by PHP 8.2: json_encode(json_decode(…, true)).
func TestNumbersAreSpelledAsPHPDoes(t *testing.T) {
	for in, want := range map[string]string{
		"10": "10", "10.0": "10", "10.50": "10.5", "-0": "0", "0.0": "0", "-12.5": "-12.5",
		"0.0001": "0.0001", "0.00012": "0.00012", "0.00001": "1.0e-5",
		"0.000018035966241721267": "1.8035966241721267e-5", "1e-7": "1.0e-7", "1e-10": "1.0e-10",
		"1e14": "100000000000000", "1e16": "10000000000000000", "1e17": "1.0e+17", "1e18": "1.0e+18",
		"99999999999999990.0": "99999999999999980", "123456789012345680.0": "1.2345678901234568e+17",
		"9223372036854775807": "9223372036854775807", "9223372036854775808": "9.223372036854776e+18",
		"-9223372036854775808": "-9223372036854775808", "-9223372036854775809": "-9.223372036854776e+18",
		"10000000000000000000": "1.0e+19", "12345678901234567890": "1.2345678901234567e+19",
		"1.5e300": "1.5e+300", "0.1234567890123456789": "0.12345678901234568", "21000000.00000001": "21000000.00000001",
	} {
		got, err := Marshal(json.Number(in))
		if err != nil || string(got) != want {
			t.Errorf("%s is written %s (%v), PHP writes %s", in, got, err, want)
		}
	}
	if got, err := Marshal(json.Number("1e400")); err == nil {
		t.Errorf("1e400 is no double and was written as %s", got)
	}
}

func TestTextIsASCIIWithEscapedSlashes(t *testing.T) {
	for in, want := range map[string]string{
		"https://shop.example/ipn?a=1&b=<2>": `"https:\/\/shop.example\/ipn?a=1&b=<2>"`,
		"Zoë":                                `"Zo\u00eb"`,
		"😀":                                  `"\ud83d\ude00"`,
		"a\"b\\c":                            `"a\"b\\c"`,
		"\b\f\n\r\t\x01\x1f\x7f":             `"\b\f\n\r\t\u0001\u001f` + "\x7f" + `"`,
		"\u2028\u2029'":                      `"\u2028\u2029'"`,
		"bad \xff byte":                      `"bad \ufffd byte"`,
		"bfnrt":                              `"bfnrt"`,
	} {
		if got, err := Marshal(in); err != nil || string(got) != want {
			t.Errorf("%q is written %s (%v), PHP writes %s", in, got, err, want)
		}
	}
}

func TestKeyOrderStaysAndEmptyObjectsVanish(t *testing.T) {
	type inner struct {
		Rates map[string]string `json:"rates"`
	}
	v := struct {
		Z     int               `json:"z"`
		Empty map[string]string `json:"empty"`
		A     []inner           `json:"a"`
		Deep  inner             `json:"deep"`
		List  []string          `json:"list"`
		Last  bool              `json:"last"`
		None  *int              `json:"none"`
	}{Z: 1, Empty: map[string]string{}, A: []inner{{map[string]string{}}, {map[string]string{"k": "v"}}},
		Deep: inner{map[string]string{}}, List: []string{}}
	const want = `{"z":1,"a":[[],{"rates":{"k":"v"}}],"list":[],"last":false,"none":null}`
	if got, err := Marshal(v); err != nil || string(got) != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
	if got, _ := Marshal(struct{}{}); string(got) != "[]" {
		t.Errorf("an empty object is written %s, PHP writes []", got)
	}
}

// What is written must come out of another reading and writing unchanged, or a
// receiver's signature check fails.
func TestWritingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := map[string]any{
			"text": rapid.String().Draw(t, "text"), "f": rapid.Float64Range(-1e300, 1e300).Draw(t, "f"),
			"i": rapid.Int64().Draw(t, "i"), "list": rapid.SliceOf(rapid.Float64Range(-1, 1)).Draw(t, "list"),
		}
		once, err := Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := Marshal(json.RawMessage(once)); err != nil || string(twice) != string(once) {
			t.Fatalf("first %s, then %s (%v)", once, twice, err)
		}
		for _, c := range once {
			if c >= 0x80 {
				t.Fatalf("%q is not ASCII", once)
			}
		}
	})
}

func TestVectorOfTheSpecification(t *testing.T) {
	const body = `{"event":{"code":1003,"name":"invoice_paidInFull"},"data":{"id":"Hpqc63wvE1ZjzeeH4kEycF","status":"paid"}}`
	got, err := Marshal(json.RawMessage(body))
	if err != nil || string(got) != body {
		t.Fatalf("got %s (%v)", got, err)
	}
	m := hmac.New(sha256.New, []byte("abc"))
	m.Write(got)
	if sig := base64.StdEncoding.EncodeToString(m.Sum(nil)); sig != "l5hwqGYv5PX32p/TfsaGcOT+5scWrphjDgUazhM/iaM=" {
		t.Errorf("signature is %s", sig)
	}
}
