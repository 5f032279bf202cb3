package subscription

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// field is one of a cron expression's six: numbers, ranges, steps and lists.
var field = regexp.MustCompile(`^(\*|\d{1,2}(-\d{1,2})?)(/\d{1,2})?(,(\*|\d{1,2}(-\d{1,2})?)(/\d{1,2})?)*$`)

// shortest is the least time between two bills of a series: a slip of the pen
// must not mail a payer every second.
const shortest = time.Hour

// often is shortest in words, for refusals.
const often = "at most one delivery an hour"

// Cron turns a schedule into a cron expression of six fields: second, minute,
// hour, day of month, month and day of week (0 to 7, both ends Sunday), in UTC.
// weekly, monthly, quarterly and yearly take their day from the first delivery;
// a day that some month of the series lacks becomes its 28th, so that no month
// is left out. Names take midnight (the live service shifts times of day too).
func Cron(schedule string, first time.Time) (string, error) {
	first = first.UTC()
	day, month := first.Day(), int(first.Month())
	switch strings.ToLower(strings.TrimSpace(schedule)) {
	case "weekly":
		return fmt.Sprintf("0 0 0 * * %d", int(first.Weekday())), nil
	case "", "monthly":
		return fmt.Sprintf("0 0 0 %d * *", min(day, 28)), nil
	case "quarterly":
		m := (month-1)%3 + 1
		return fmt.Sprintf("0 0 0 %d %d,%d,%d,%d *", min(day, 28), m, m+3, m+6, m+9), nil
	case "yearly":
		if month == 2 {
			day = min(day, 28)
		}
		return fmt.Sprintf("0 0 0 %d %d *", day, month), nil
	}
	return check(schedule)
}

func check(schedule string) (string, error) {
	fields := strings.Fields(schedule)
	if len(fields) != 6 || len(schedule) > 200 {
		return "", fmt.Errorf("%.60q is not weekly, monthly, quarterly, yearly or six cron fields", schedule)
	}
	for _, f := range fields {
		if !field.MatchString(f) {
			return "", fmt.Errorf("%.60q is not a cron field of numbers, ranges, steps and lists", f)
		}
	}
	cron := strings.Join(fields, " ")
	if !gronx.IsValid(cron) {
		return "", fmt.Errorf("%.60q is not a cron expression", schedule)
	}
	// A reference that does not move keeps the check the same at any time; it
	// spans a leap year.
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 60 {
		next, err := gronx.NextTickAfter(cron, at, false)
		if err != nil || next.Year() > 2040 {
			if at.Year() == 2024 && at.YearDay() == 1 {
				return "", fmt.Errorf("%.60q never comes", schedule)
			}
			return cron, nil
		}
		if next.Sub(at) < shortest && at.After(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) {
			return "", fmt.Errorf("%.60q comes too often: %s", schedule, often)
		}
		at = next
	}
	return cron, nil
}

// Next is the first moment of a cron expression after a time.
func Next(cron string, after time.Time) (time.Time, error) {
	t, err := gronx.NextTickAfter(cron, after.UTC(), false)
	if err != nil {
		return time.Time{}, fmt.Errorf("subscription: the schedule %q has no next delivery: %w", cron, err)
	}
	return t.UTC(), nil
}

// Last is the last moment of a cron expression at or before a time, but not
// before the earliest one.
func Last(cron string, at, earliest time.Time) time.Time {
	t, err := gronx.PrevTickBefore(cron, at.UTC(), true)
	if err != nil || t.Before(earliest) {
		return earliest
	}
	return t.UTC()
}
