package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// Each transcript in testdata is a session of an operator: lines that start with
// $ are commands, the others what they print. Ids, keys and times are masked.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { transcript(t, f) })
	}
}

func transcript(t *testing.T, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("QUITTANCE_DATA", dir)
	t.Setenv("QUITTANCE_SEED_PASSPHRASE", "")
	var got strings.Builder
	for _, l := range strings.Split(string(b), "\n") {
		if command, ok := strings.CutPrefix(l, "$ quittance "); ok {
			got.WriteString(l + "\n" + mask(dir, captured(t, words(command))))
		} else if strings.HasPrefix(l, "#") || l == "" && got.Len() == 0 {
			got.WriteString(l + "\n")
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(b) {
		t.Errorf("the transcript says\n%s\nbut now it is\n%s", b, got.String())
	}
}

// words splits a command line; "double quotes" keep spaces.
func words(s string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|\S+`).FindAllStringSubmatch(s, -1) {
		if strings.HasPrefix(m[0], `"`) {
			out = append(out, m[1])
		} else {
			out = append(out, m[0])
		}
	}
	return out
}

// captured runs the program and returns what it printed, errors included.
func captured(t *testing.T, args []string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = w, w
	read := make(chan string)
	go func() {
		var b bytes.Buffer
		_, _ = io.Copy(&b, r)
		read <- b.String()
	}()
	status := run(args)
	os.Stdout, os.Stderr = stdout, stderr
	w.Close()
	out := <-read
	if status != 0 {
		out += "exit status " + string(rune('0'+status)) + "\n"
	}
	return out
}

var masks = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`qk_[0-9A-Za-z]{28}`), "qk_KEY"},
	{regexp.MustCompile(`whsec_[0-9A-Za-z+/=]{44}`), "whsec_SECRET"},
	{regexp.MustCompile(`\b[1-9A-HJ-NP-Za-km-z]{44}\b`), "TOKEN"},
	{regexp.MustCompile(`\b[1-9A-HJ-NP-Za-km-z]{22}\b`), "ID"},
	{regexp.MustCompile(`\b[mn][1-9A-HJ-NP-Za-km-z]{33}\b`), "KEY"},
	{regexp.MustCompile(`\b0[23][0-9a-f]{64}\b`), "PUBLIC"},
	{regexp.MustCompile(`(code )[0-9A-Za-z]{7}\b`), "${1}CODE"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ`), "TIME"},
}

func mask(dir, s string) string {
	s = strings.ReplaceAll(s, dir, "DATA")
	for _, m := range masks {
		s = m.find.ReplaceAllString(s, m.put)
	}
	return s
}
