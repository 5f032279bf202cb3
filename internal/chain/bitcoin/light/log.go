package light

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/btcsuite/btclog"
	"github.com/lightninglabs/neutrino"
)

// logger takes what the library logs. It is for those who look into the library:
// what an operator should know is said by the client itself.
type logger struct{ *slog.Logger }

var logOnce sync.Once

// useLog sends the library's log to one place: the library has one for the whole
// process, and it cannot be changed while it runs.
func useLog(to *slog.Logger) {
	logOnce.Do(func() { neutrino.UseLogger(logger{to}) })
}

func (l logger) say(text string) {
	if l.Enabled(context.Background(), slog.LevelDebug) {
		l.Logger.Debug("neutrino: " + strings.TrimSpace(text))
	}
}

func (l logger) sayf(format string, a []any) {
	if l.Enabled(context.Background(), slog.LevelDebug) {
		l.say(fmt.Sprintf(format, a...))
	}
}

func (logger) Tracef(string, ...any)          {}
func (logger) Trace(...any)                   {}
func (l logger) Debugf(f string, a ...any)    { l.sayf(f, a) }
func (l logger) Infof(f string, a ...any)     { l.sayf(f, a) }
func (l logger) Warnf(f string, a ...any)     { l.sayf(f, a) }
func (l logger) Errorf(f string, a ...any)    { l.sayf(f, a) }
func (l logger) Criticalf(f string, a ...any) { l.sayf(f, a) }
func (l logger) Debug(a ...any)               { l.say(fmt.Sprint(a...)) }
func (l logger) Info(a ...any)                { l.say(fmt.Sprint(a...)) }
func (l logger) Warn(a ...any)                { l.say(fmt.Sprint(a...)) }
func (l logger) Error(a ...any)               { l.say(fmt.Sprint(a...)) }
func (l logger) Critical(a ...any)            { l.say(fmt.Sprint(a...)) }
func (logger) Level() btclog.Level            { return btclog.LevelDebug }
func (logger) SetLevel(btclog.Level)          {}
