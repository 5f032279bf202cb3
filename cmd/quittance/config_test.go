package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func serveFlags(t *testing.T) map[string]*kong.Flag {
	t.Helper()
	var c cli
	k, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]*kong.Flag{}
	for _, n := range k.Model.Children {
		if n.Name == "serve" {
			for _, f := range n.Flags {
				flags[f.Name] = f
			}
		}
	}
	return flags
}

// The example names every setting of serve, and nothing that is not one.
func TestTheExampleConfigurationIsComplete(t *testing.T) {
	b, err := os.ReadFile("../../quittance.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# ([a-z-]+) = `).FindAllStringSubmatch(string(b), -1) {
		named[m[1]] = true
	}
	flags := serveFlags(t)
	for name := range named {
		if flags[name] == nil {
			t.Errorf("the example has %q, which is not a setting", name)
		}
	}
	for name := range flags {
		if !named[name] && name != "data" && name != "json" && name != "help" && name != "config" {
			t.Errorf("the example does not have %q", name)
		}
	}
	// With every line switched on it must still be read.
	on := regexp.MustCompile(`(?m)^# ([a-z-]+ = )`).ReplaceAllString(string(b), "$1")
	if _, err := tomlConfig(strings.NewReader(on)); err != nil {
		t.Error(err)
	}
}

func TestEverySettingIsAnEnvironmentVariable(t *testing.T) {
	for name, f := range serveFlags(t) {
		if len(f.Envs) == 0 && name != "json" && name != "help" {
			t.Errorf("--%s has no environment variable", name)
		}
	}
}

func TestTheFlagWinsOverTheEnvironmentOverTheFile(t *testing.T) {
	parse := func(args ...string) serveCmd {
		var c cli
		k, err := kong.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		file, err := tomlConfig(strings.NewReader("listen = \"127.0.0.1:1\"\nmail-from = \"file\"\nrates = \"live\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := kong.Resolvers(file).Apply(k); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Parse(append([]string{"serve"}, args...)); err != nil {
			t.Fatal(err)
		}
		return c.Serve
	}
	t.Setenv("QUITTANCE_LISTEN", "127.0.0.1:2")
	t.Setenv("QUITTANCE_MAIL_FROM", "environment")
	got := parse("--listen", "127.0.0.1:3")
	if got.Listen != "127.0.0.1:3" || got.MailFrom != "environment" || got.Rates != "live" {
		t.Errorf("listen %q, mail-from %q, rates %q", got.Listen, got.MailFrom, got.Rates)
	}
}

func TestAMistakeInTheFileIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"lisen = \"x\"":           `"lisen", which is not a setting`,
		"[serve]\nlisten = \"x\"": "plain names such as listen",
		"listen = ":               "cannot be read",
	} {
		var c cli
		k, err := kong.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		file, err := tomlConfig(strings.NewReader(text))
		if err == nil {
			if err = kong.Resolvers(file).Apply(k); err == nil {
				_, err = k.Parse([]string{"version"})
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want a sentence with %q", text, err, want)
		}
	}
}
