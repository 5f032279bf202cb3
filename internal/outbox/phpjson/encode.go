package phpjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Marshal returns the JSON of v, keys in the order of v's fields, as PHP's
// json_encode(json_decode(…, true)) would write it: no whitespace, ASCII only,
// slashes escaped, numbers as PHP spells them. A member whose value is an empty
// object is left out, because PHP turns {} into []; elsewhere it becomes [].
//
// It fails on what encoding/json cannot write and on numbers beyond a double.
func Marshal(v any) ([]byte, error) {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	d := json.NewDecoder(&plain)
	d.UseNumber()
	w := writer{in: d, out: make([]byte, 0, plain.Len()+plain.Len()/8)}
	if _, err := w.value(); err != nil {
		return nil, fmt.Errorf("phpjson: %w", err)
	}
	return w.out, nil
}

type writer struct {
	in  *json.Decoder
	out []byte
}

// value writes the next value and reports whether it is an object.
func (w *writer) value() (isObject bool, err error) {
	t, err := w.in.Token()
	if err != nil {
		return false, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return true, w.object()
		}
		return false, w.array()
	case string:
		w.out = appendString(w.out, t)
	case json.Number:
		w.out, err = appendNumber(w.out, t.String())
	case bool:
		w.out = fmt.Append(w.out, t)
	default:
		w.out = append(w.out, "null"...)
	}
	return false, err
}

func (w *writer) object() error {
	start := len(w.out)
	w.out = append(w.out, '{')
	for w.in.More() {
		key, err := w.in.Token()
		if err != nil {
			return err
		}
		member := len(w.out)
		if member > start+1 {
			w.out = append(w.out, ',')
		}
		w.out = append(appendString(w.out, key.(string)), ':')
		value := len(w.out)
		isObject, err := w.value()
		if err != nil {
			return err
		}
		if isObject && string(w.out[value:]) == "[]" {
			w.out = w.out[:member]
		}
	}
	if w.out = append(w.out, '}'); len(w.out) == start+2 {
		w.out = append(w.out[:start], "[]"...)
	}
	_, err := w.in.Token()
	return err
}

func (w *writer) array() error {
	w.out = append(w.out, '[')
	for first := true; w.in.More(); first = false {
		if !first {
			w.out = append(w.out, ',')
		}
		if _, err := w.value(); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	_, err := w.in.Token()
	return err
}

// appendString writes a text. Bytes that are not UTF-8 were replaced by U+FFFD
// before it came here.
func appendString(out []byte, s string) []byte {
	const short = "b\bf\fn\nr\rt\t"
	out = append(out, '"')
	for _, r := range s {
		switch i := bytes.IndexRune([]byte(short), r); {
		case r == '"' || r == '\\' || r == '/':
			out = append(out, '\\', byte(r))
		case r < ' ' && i > 0:
			out = append(out, '\\', short[i-1])
		case r >= ' ' && r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return append(out, '"')
}
