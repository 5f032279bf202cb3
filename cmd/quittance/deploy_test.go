package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	flagWord = regexp.MustCompile("(?:^|[\\s`(\"])--([a-z][a-z-]+)")
	envWord  = regexp.MustCompile(`\bQUITTANCE_[A-Z_]+[A-Z]`)
	tomlKey  = regexp.MustCompile(`(?m)^([a-z-]+) = `)
)

// foreign flags are those of other programs that the examples call.
var foreign = []string{"name", "network", "help", "now", "system", "home-dir", "shell", "chmod", "chown", "armor", "detach-sign"}

// What the README, the units and the container say of flags, keys and environment
// variables is what the program knows.
func TestTheExamplesOfGoingLiveAreWhatTheProgramKnows(t *testing.T) {
	var c cli
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	var flags, envs []string
	_ = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			flags, envs = append(flags, f.Name), append(envs, f.Envs...)
		}
		return next(nil)
	})
	files, err := filepath.Glob("../../deploy/*")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files in deploy, %v", len(files), err)
	}
	for _, file := range append(files, "../../README.md") {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // a folder
		}
		text := string(b)
		for _, m := range flagWord.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(flags, m[1]) && !slices.Contains(foreign, m[1]) {
				t.Errorf("%s: --%s is not a flag", filepath.Base(file), m[1])
			}
		}
		for _, e := range envWord.FindAllString(text, -1) {
			if !slices.Contains(envs, e) {
				t.Errorf("%s: %s is not a setting", filepath.Base(file), e)
			}
		}
		_, settings, found := strings.Cut(text, "```toml\n")
		settings, _, _ = strings.Cut(settings, "```")
		for _, m := range tomlKey.FindAllStringSubmatch(settings, -1) {
			if found && !slices.Contains(flags, m[1]) {
				t.Errorf("%s: %q is not a key", filepath.Base(file), m[1])
			}
		}
	}
}
