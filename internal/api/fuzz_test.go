package api

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Whatever is decoded is what the standard library reads of the same bytes, and
// within the bounds.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"a":1,"a":2}`, `{"a":1e999}`, `{"a":"\ud800"}`, "{\"a\":\"\x00\"}", `{"a":1}x`, `[]`, `{"a":[1,]}`,
		strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), `{"price":"10.00","currency":"USD"}`, `{"a" 1}`, `{"a":1,}`, `{,}`, `{"a":-0.0e-18}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := decode(body)
		if err != nil {
			return
		}
		if !utf8.Valid(body) || !json.Valid(body) {
			t.Fatalf("%q was taken for JSON", body)
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var std map[string]any
		if err := d.Decode(&std); err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(o)
		b, _ := json.Marshal(std)
		if !bytes.Equal(a, b) {
			t.Fatalf("%s\n%s", a, b)
		}
		if depth(map[string]any(o)) > maxDepth {
			t.Fatalf("deeper than %d", maxDepth)
		}
		// No reader of a field may panic on it.
		r := &fieldReader{o: o, code: "0102"}
		for name := range o {
			r.text(name)
			r.number(name)
			r.whole(name)
			r.flag(name)
			r.texts(name)
			_, _ = o.object("0102", name)
		}
	})
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case object:
		return depth(map[string]any(v))
	case map[string]any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
		return deepest + 1
	case []any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
		return deepest + 1
	}
	return 0
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-01-31", "20260131", "01/31/2026", "2026-1-5", "2026-01-31T10:00:00.000Z", "2026-01-31T10:00:00+02:00", "2026-01-31T10:00:00 02:00", "9999-12-31", "0000-00-00", " 2026-01-01 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := &call{route: &route{}, query: url.Values{"d": {s}}}
		start, err1 := parseDate(c, "d", false)
		end, err2 := parseDate(c, "d", true)
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("%q is a date at one end only", s)
		}
		if err1 != nil {
			return
		}
		if !okYear(start) || end.Before(start) || end.Sub(start) > 24*time.Hour || start.Location() != time.UTC {
			t.Fatalf("%q: %s to %s", s, start, end)
		}
	})
}

func FuzzSpellings(f *testing.F) {
	for _, s := range []string{"/a?b=c", "/a", "/a?b=%20+~", "/a?b&c=d=e&&", "/a?%zz", "/a?b=%C3%BC#x", "/?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		list := spellings(target)
		if len(list) == 0 || len(list) > 3 || list[0] != target {
			t.Fatalf("%q: %q", target, list)
		}
		path, query, _ := strings.Cut(target, "?")
		for _, s := range list[1:] {
			p, q, _ := strings.Cut(s, "?")
			if p != path {
				t.Fatalf("%q: the path became %q", target, p)
			}
			// Nothing is sorted, left out or added: the parameters stay as many.
			if strings.Count(query, "&") != strings.Count(rfcOnly(q, query), "&") {
				t.Fatalf("%q: %q", target, s)
			}
		}
	})
}

// rfcOnly gives the escaped spelling for counting: the plain one may hold an
// "&" that was part of a value.
func rfcOnly(q, original string) string {
	if strings.Contains(original, "%26") {
		return original
	}
	return q
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"/invoices/x", "//BTC", "/rates/%2F", "/invoices/guid/%00", "/tokens/a/sins/b/", "/", "", "/%zz"} {
		f.Add("GET", s)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		rt, params, allowed := find(method, path)
		if rt != nil && allowed != nil {
			t.Fatal("found and not found")
		}
		for name, v := range params {
			if v == "" {
				t.Fatalf("%s is empty", name)
			}
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI = path
		r.URL = &url.URL{Path: path}
		_ = target(r)
	})
}
