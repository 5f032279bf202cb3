package jsonl

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

type record struct{ N int }

// What was acknowledged is there after a crash, wherever in a line it came.
func TestACrashInTheMiddleOfALineLosesNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.jsonl")
	m, err := Open[record](path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := m.Append(record{n}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 17; cut <= len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open[record](path)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		if err := again.Append(record{9}); err != nil {
			t.Fatal(err)
		}
		want := []record{{0}, {1}, {9}}
		if cut == len(whole) {
			want = []record{{0}, {1}, {2}, {9}}
		}
		if got := again.Records(); !slices.Equal(got, want) {
			t.Errorf("cut after %d bytes: %v", cut, got)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte("{\"N\":1}\nhello\n{\"N\":2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open[record](path); err == nil {
		t.Error("a damaged line in the middle was passed over")
	}
}
