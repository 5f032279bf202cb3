package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a refusal that the caller of the API may read: what is wrong, in
// words to act on, and its code.
type Error struct {
	Code    Code
	Status  int // HTTP status
	Message string
	Params  []Param // for validation failures, in the order found
}

// Param names one bad or missing field of a request.
type Param struct {
	Name    string
	Message string
}

// New returns a refusal with the code's usual HTTP status.
func New(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Status: c.status(), Message: fmt.Sprintf(format, args...)}
}

// Missing says which required field was left out. c is the resource's own
// "missing parameters" code.
func Missing(c Code, field string) *Error {
	e := New(c, "Missing required parameter: %s", field)
	e.Params = []Param{{field, "Missing required parameter."}}
	return e
}

// Invalid says which field has a value that cannot be used, and why.
func Invalid(c Code, field, format string, args ...any) *Error {
	why := fmt.Sprintf(format, args...)
	e := New(c, "Invalid %s: %s", field, why)
	e.Params = []Param{{field, why}}
	return e
}

// Access is a refusal before the resource was looked at: 401, 403, 409 or 429.
func Access(status int, format string, args ...any) *Error {
	c := Invalid0
	if status == http.StatusTooManyRequests || status >= 500 {
		c = Generic
	}
	return &Error{Code: c, Status: status, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is makes errors.Is(err, fault.InvoiceNotFound) work: the code is the kind.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// As returns the refusal inside err, if there is one.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
