package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// secret is what was given by flag or environment, or else what somebody types at
// the terminal.
func secret(given, env, prompt string) (string, error) {
	if given != "" {
		return given, nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", fmt.Errorf("a passphrase is needed and there is no terminal to ask at: set %s", env)
	}
	return secretLine(prompt)
}

// newSecret is one that seals something from now on: it is typed twice.
func newSecret(given, env, prompt string) (string, error) {
	s, err := secret(given, env, prompt)
	if err != nil {
		return "", err
	}
	if len(s) < leastPassphrase {
		return "", fmt.Errorf("the passphrase needs at least %d characters", leastPassphrase)
	}
	if given == "" {
		again, err := secretLine("Once more: ")
		if err != nil || again != s {
			return "", errors.Join(err, errors.New("the two are not the same"))
		}
	}
	return s, nil
}

// secretLine reads a line that the terminal does not show, or one of standard
// input.
func secretLine(prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if line == "" {
			return "", errors.Join(err, errors.New("nothing came from standard input"))
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	fmt.Fprint(os.Stderr, prompt)
	b, err := term.ReadPassword(fd)
	fmt.Fprintln(os.Stderr)
	return string(b), err
}
