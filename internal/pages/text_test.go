package pages

import (
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var braces = regexp.MustCompile(`\{[a-z]+\}`)

// Every language has every sentence, with the same words to fill in.
func TestEveryLanguageIsComplete(t *testing.T) {
	if len(languages) < 5 {
		t.Fatalf("%d languages", len(languages))
	}
	for _, l := range languages {
		v, en := reflect.ValueOf(*l), reflect.ValueOf(english)
		for i := range v.NumField() {
			name, got := v.Type().Field(i).Name, v.Field(i).String()
			if strings.TrimSpace(got) == "" {
				t.Errorf("%s: %s is empty", l.Code, name)
			}
			want, have := braces.FindAllString(en.Field(i).String(), -1), braces.FindAllString(got, -1)
			slices.Sort(want)
			slices.Sort(have)
			if !slices.Equal(slices.Compact(want), slices.Compact(have)) {
				t.Errorf("%s: %s fills in %v, English %v", l.Code, name, have, want)
			}
			if l != &english && len(got) > 24 && got == en.Field(i).String() {
				t.Errorf("%s: %s is not translated", l.Code, name)
			}
		}
	}
}

func TestTheLanguageIsChosen(t *testing.T) {
	for _, c := range []struct{ query, header, want string }{
		{"", "", "en"},
		{"", "de-CH,de;q=0.9,en;q=0.8", "de"},
		{"", "ja,fr;q=0.5", "fr"},
		{"", "de;q=0,es", "es"},
		{"?lang=pt", "de", "pt"},
		{"?lang=pt-BR", "", "pt"},
		{"?lang=xx", "nl", "nl"},
		{"", strings.Repeat("x,", 5000) + "de", "en"},
	} {
		r := httptest.NewRequest("GET", "/invoice"+c.query, nil)
		r.Header.Set("Accept-Language", c.header)
		if got := choose(r); got.Code != c.want {
			t.Errorf("%q with %.40q chose %s, want %s", c.query, c.header, got.Code, c.want)
		}
	}
}

func TestThePageSpeaksEachLanguage(t *testing.T) {
	w := newWorld(t)
	inv := w.order()
	for _, l := range languages {
		body := w.get("/invoice?id=" + inv.ID + "&lang=" + l.Code).Body.String()
		if !strings.Contains(body, `<html lang="`+l.Code+`">`) || !strings.Contains(body, l.NewHead) {
			t.Errorf("%s: the page is in another language", l.Code)
		}
		if left := braces.FindString(strings.NewReplacer(`{error}`, "", `{seconds}`, "").Replace(body)); left != "" {
			t.Errorf("%s: %s was not filled in", l.Code, left)
		}
	}
}

func TestFillTakesValuesAsTheyAre(t *testing.T) {
	if got := fill("{a} and {b}", "a", "{b}", "b", "x"); got != "{b} and x" {
		t.Errorf("got %q", got)
	}
}

func TestRatesAreShortened(t *testing.T) {
	for in, want := range map[string]string{
		"50000": "50\u202f000", "63250.10731": "63\u202f250.10", "1234567.5": "1\u202f234\u202f567.5", "0.000012345": "0.000012345", "2500.123": "2500.12",
	} {
		if got := shorten(in); got != want {
			t.Errorf("%s became %q, want %q", in, got, want)
		}
	}
}
