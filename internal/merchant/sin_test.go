package merchant

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// The wire specification's vector, computed with the official Node SDK.
const (
	vectorKey = "033b132d6d6aed0d79ded2cc24a3472be26df0b05d66faeef520b1336adfbec6be"
	vectorSIN = "TfHPZkwH77cqxq6kPwdQ5aiPYAmMjymv4Jy"
)

func TestASINIsDerivedFromTheCompressedKey(t *testing.T) {
	key, err := hex.DecodeString(vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	if got := SIN(key); got != vectorSIN {
		t.Errorf("SIN %s, want %s", got, vectorSIN)
	}
}

func TestASINIsChecked(t *testing.T) {
	if err := CheckSIN(vectorSIN); err != nil {
		t.Error(err)
	}
	for name, s := range map[string]string{
		"empty": "", "a letter changed": strings.Replace(vectorSIN, "Z", "Y", 1), "cut": vectorSIN[:34],
		"another prefix": "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "not base58": strings.Replace(vectorSIN, "Z", "0", 1),
		"very long": strings.Repeat("T", 10000), "spaces": " " + vectorSIN,
	} {
		if err := CheckSIN(s); !errors.Is(err, ErrSIN) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
