package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/quittance/quittance/internal/fault"
)

// Bounds of a request's body.
const (
	maxDepth    = 32
	maxDigits   = 32
	maxExponent = 18
	maxKeys     = 2000
	maxBulkKeys = 20_000
)

// object is a decoded JSON object. Names are matched exactly, letter case too.
type object map[string]any

// decode reads exactly one JSON object, strictly: valid UTF-8, no name twice, no
// data behind it, bounded depth and numbers.
func decode(body []byte) (object, error) { return decodeUpTo(body, maxKeys) }

// decodeUpTo bounds how many fields and list members there are in all.
func decodeUpTo(body []byte, keys int) (object, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("it is not valid UTF-8")
	}
	// Names that are there twice are found below, where they can be named.
	d := &decoder{dec: jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true)), most: keys}
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("it is not a JSON object")
	}
	if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return o, nil
}

type decoder struct {
	dec  *jsontext.Decoder
	keys int
	most int
}

var errJSON = errors.New("it is not valid JSON")

func (d *decoder) value(depth int) (any, error) {
	t, err := d.dec.ReadToken()
	if err != nil {
		return nil, errJSON
	}
	switch t.Kind() {
	case '{', '[':
		if depth >= maxDepth {
			return nil, fmt.Errorf("it is nested deeper than %d", maxDepth)
		}
		if t.Kind() == '{' {
			return d.object(depth)
		}
		return d.array(depth)
	case '0':
		n := t.String()
		return json.Number(n), checkNumber(n)
	case '"':
		s := t.String()
		if strings.ContainsRune(s, 0) {
			return nil, errors.New("a text holds a NUL character")
		}
		return s, nil
	case 't', 'f':
		return t.Bool(), nil
	case 'n':
		return nil, nil
	}
	return nil, errJSON
}

func (d *decoder) object(depth int) (any, error) {
	o := make(object, 16)
	for d.dec.PeekKind() != '}' {
		t, err := d.dec.ReadToken()
		if err != nil {
			return nil, errJSON
		}
		name := t.String()
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("%.40q is there twice", name)
		}
		if d.keys++; d.keys > d.most {
			return nil, fmt.Errorf("it has more than %d fields", d.most)
		}
		if o[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return o, d.end()
}

func (d *decoder) array(depth int) (any, error) {
	list := []any{}
	for d.dec.PeekKind() != ']' {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if d.keys++; d.keys > d.most {
			return nil, fmt.Errorf("it has more than %d fields", d.most)
		}
		list = append(list, v)
	}
	return list, d.end()
}

func (d *decoder) end() error {
	if _, err := d.dec.ReadToken(); err != nil {
		return errJSON
	}
	return nil
}

// checkNumber bounds a number before anything computes with it.
func checkNumber(s string) error {
	mantissa, exponent, has := strings.Cut(strings.ToLower(s), "e")
	if has {
		n, err := strconv.Atoi(exponent)
		if err != nil || n < -maxExponent || n > maxExponent {
			return fmt.Errorf("a number's exponent is outside -%d to %d", maxExponent, maxExponent)
		}
	}
	digits := 0
	for _, c := range mantissa {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	if digits > maxDigits {
		return fmt.Errorf("a number has more than %d digits", maxDigits)
	}
	return nil
}

// text reads a string field; null and absent are empty. A number is taken as its
// own text, because some clients send ids as numbers.
func (o object) text(code fault.Code, name string) (string, error) {
	switch v := o[name].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	}
	return "", fault.Invalid(code, name, "expected a text")
}

// number reads a number field as its literal; clients may quote it. Empty means
// absent.
func (o object) number(code fault.Code, name string) (string, error) {
	switch v := o[name].(type) {
	case nil:
		return "", nil
	case json.Number:
		return v.String(), nil
	case string:
		s := strings.TrimSpace(v)
		if s == "" {
			return "", nil
		}
		if !json.Valid([]byte(s)) || s[0] != '-' && (s[0] < '0' || s[0] > '9') || checkNumber(s) != nil {
			return "", fault.Invalid(code, name, "%.40q is not a number", v)
		}
		return s, nil
	}
	return "", fault.Invalid(code, name, "expected a number")
}

// whole reads a whole number; zero means absent.
func (o object) whole(code fault.Code, name string) (int64, error) {
	s, err := o.number(code, name)
	if err != nil || s == "" {
		return 0, err
	}
	return parseWhole(code, name, s)
}

func parseWhole(code fault.Code, name, s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != float64(int64(f)) || f > 1<<53 || f < -(1<<53) {
			return 0, fault.Invalid(code, name, "%.40q is not a whole number", s)
		}
		n = int64(f)
	}
	return n, nil
}

// flag reads a boolean; clients may send it as a text or as 0 and 1. set is
// false when it is absent.
func (o object) flag(code fault.Code, name string) (value, set bool, err error) {
	switch v := o[name].(type) {
	case nil:
		return false, false, nil
	case bool:
		return v, true, nil
	case json.Number:
		value, set, err = parseFlag(code, name, v.String())
	case string:
		value, set, err = parseFlag(code, name, v)
	default:
		err = fault.Invalid(code, name, "expected true or false")
	}
	return value, set, err
}

// parseFlag reads true and false in any letter case, 1 and 0; empty is absent.
func parseFlag(code fault.Code, name, s string) (value, set bool, err error) {
	switch strings.ToLower(s) {
	case "":
		return false, false, nil
	case "true", "1":
		return true, true, nil
	case "false", "0":
		return false, true, nil
	}
	return false, false, fault.Invalid(code, name, "%.40q is neither true nor false", s)
}

// object reads an object field; nil when absent.
func (o object) object(code fault.Code, name string) (object, error) {
	switch v := o[name].(type) {
	case nil:
		return nil, nil
	case object:
		return v, nil
	case string:
		if v == "" {
			return nil, nil
		}
	case []any:
		if len(v) == 0 { // PHP writes an empty object as an empty list
			return nil, nil
		}
	}
	return nil, fault.Invalid(code, name, "expected an object")
}

// list reads a list field; a single text counts as a list of one.
func (o object) list(code fault.Code, name string) ([]any, error) {
	switch v := o[name].(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	case string:
		if v == "" {
			return nil, nil
		}
		return []any{v}, nil
	}
	return nil, fault.Invalid(code, name, "expected a list")
}

// fieldReader reads several fields and keeps the first refusal.
type fieldReader struct {
	o      object
	code   fault.Code
	prefix string // of the name in a refusal, such as "buyer."
	err    error
}

func (r *fieldReader) keep(err error) {
	if r.err != nil || err == nil {
		return
	}
	if f, ok := fault.As(err); ok && r.prefix != "" {
		for i := range f.Params {
			f.Message = strings.Replace(f.Message, f.Params[i].Name, r.prefix+f.Params[i].Name, 1)
			f.Params[i].Name = r.prefix + f.Params[i].Name
		}
	}
	r.err = err
}

func (r *fieldReader) text(name string) string {
	v, err := r.o.text(r.code, name)
	r.keep(err)
	return v
}

func (r *fieldReader) flag(name string) bool {
	v, _, err := r.o.flag(r.code, name)
	r.keep(err)
	return v
}

func (r *fieldReader) flagOr(name string, otherwise bool) bool {
	v, set, err := r.o.flag(r.code, name)
	r.keep(err)
	if !set {
		return otherwise
	}
	return v
}

func (r *fieldReader) whole(name string) int64 {
	v, err := r.o.whole(r.code, name)
	r.keep(err)
	return v
}

func (r *fieldReader) number(name string) string {
	v, err := r.o.number(r.code, name)
	r.keep(err)
	return v
}

func (r *fieldReader) texts(name string) []string {
	list, err := r.o.list(r.code, name)
	r.keep(err)
	var out []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			r.keep(fault.Invalid(r.code, name, "expected a list of texts"))
			return nil
		}
		out = append(out, s)
	}
	return out
}
