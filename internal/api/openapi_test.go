package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("../../openapi.yaml")
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

func TestTheDocumentIsValidAndNamesExactlyTheRoutes(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented[method+" "+path] = true
		}
	}
	served := map[string]bool{}
	for _, rt := range table {
		served[rt.method+" "+rt.pattern] = true
	}
	if !maps.Equal(documented, served) {
		t.Fatalf("documented %v\nserved %v", slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(served)))
	}
}

func TestTheDocumentNamesNoCodeThatDoesNotExist(t *testing.T) {
	for _, rt := range table {
		for code := range codesOf(t, rt.method, rt.pattern) {
			if code[:2] != methodDigits(rt.method) {
				t.Errorf("%s %s: %s belongs to another method", rt.method, rt.pattern, code)
			}
		}
	}
}

// codesOf lists the codes an operation is documented to refuse with.
func codesOf(t testing.TB, method, pattern string) map[string]bool {
	t.Helper()
	op, err := operation(method, pattern)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, c := range op.Extensions["x-codes"].([]any) {
		out[c.(string)] = true
	}
	return out
}

func operation(method, pattern string) (*openapi3.Operation, error) {
	doc, err := document()
	if err != nil {
		return nil, err
	}
	item := doc.Paths.Value(pattern)
	if item == nil || item.GetOperation(method) == nil {
		return nil, fmt.Errorf("%s %s is not documented", method, pattern)
	}
	return item.GetOperation(method), nil
}

// conforms holds an answer against openapi.yaml and against what every SDK needs.
func conforms(method, escapedPath string, a *answer) error {
	if err := general(a); err != nil {
		return err
	}
	rt, _, _ := find(method, escapedPath)
	if method == http.MethodOptions {
		return nil
	}
	if rt == nil {
		return unrouted(a)
	}
	op, err := operation(rt.method, rt.pattern)
	if err != nil {
		return err
	}
	ref := op.Responses.Value("200")
	if a.status == http.StatusOK {
		envelope, _ := op.Extensions["x-envelope"].(string)
		if err := success(envelope, a); err != nil {
			return err
		}
	} else {
		ref = op.Responses.Default()
		if !slices.Contains(op.Extensions["x-codes"].([]any), any(a.code())) {
			return fmt.Errorf("code %q is not documented for %s %s", a.code(), rt.method, rt.pattern)
		}
	}
	return ref.Value.Content.Get("application/json").Schema.Value.VisitJSON(a.value)
}

// unrouted checks the refusal of what is no operation.
func unrouted(a *answer) error {
	doc, err := document()
	if err != nil {
		return err
	}
	if a.status < 400 {
		return errors.New("there is no such operation, and yet it succeeded")
	}
	return doc.Components.Schemas["Error"].Value.VisitJSON(map[string]any(a.body))
}

// general are the rules of the wire that hold for every answer.
func general(a *answer) error {
	for name, values := range a.header {
		if len(values) != 1 {
			return fmt.Errorf("header %s is there %d times", name, len(values))
		}
	}
	if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		return fmt.Errorf("content type %q", got)
	}
	if a.header.Get("Access-Control-Allow-Origin") != "*" {
		return errors.New("no Access-Control-Allow-Origin: *")
	}
	if a.status != http.StatusOK {
		return refusal(a)
	}
	for _, key := range []string{"error", "errors"} {
		if _, there := a.body[key]; there {
			return fmt.Errorf("a success has the key %q", key)
		}
	}
	return nil
}

// success checks what is around the data. An operation names its envelope in the
// document under x-envelope: none is the usual one, "ack" says only that
// something was done, "status" adds the status of old, and "bare" has no data at
// all: its schema alone says what it is, and where something may be null.
func success(envelope string, a *answer) error {
	_, hasStatus := a.body["status"]
	_, hasSuccess := a.body["success"]
	switch envelope {
	case "bare":
		return nil
	case "ack":
		if want := `{"status":"success","success":true,"data":{},"message":null}`; string(a.raw) != want {
			return fmt.Errorf("not the acknowledgement that every SDK reads: %s", want)
		}
		return nil
	case "status":
		list, isList := a.body["data"].([]any)
		if isList && len(list) == 0 && hasStatus {
			return errors.New("an empty list has a status")
		}
		if hasStatus && (a.body["status"] != "success" || a.body["message"] != nil) {
			return errors.New("a status that is not success without a message")
		}
	default:
		if hasStatus || hasSuccess {
			return errors.New(`a success has the key "status" or "success"`)
		}
		if err := noNull("", a.value); err != nil {
			return err
		}
	}
	if a.body["data"] == nil {
		return errors.New("a success has no data")
	}
	return nil
}

var sixDigits = regexp.MustCompile(`^0[0-4]0[0-9]{3}$`)

func refusal(a *answer) error {
	for _, key := range []string{"status", "code", "data", "error", "message"} {
		if _, there := a.body[key]; !there {
			return fmt.Errorf("a refusal lacks %q", key)
		}
	}
	switch text, _ := a.body["error"].(string); {
	case a.status < 400:
		return fmt.Errorf("status %d is neither success nor refusal", a.status)
	case a.body["status"] != "error" || a.body["data"] != nil:
		return errors.New("not the documented envelope")
	case text == "" || a.body["message"] != text:
		return errors.New("error and message are not one text")
	case !sixDigits.MatchString(a.code()):
		return fmt.Errorf("code %q has not six digits", a.code())
	case strings.Contains(text, "%!"):
		return fmt.Errorf("a text with a formatting fault: %s", text)
	}
	return nil
}

func noNull(at string, v any) error {
	switch v := v.(type) {
	case nil:
		return fmt.Errorf("%s is null", at)
	case map[string]any:
		for k, e := range v {
			if err := noNull(at+"."+k, e); err != nil {
				return err
			}
		}
	case []any:
		for i, e := range v {
			if err := noNull(fmt.Sprintf("%s[%d]", at, i), e); err != nil {
				return err
			}
		}
	}
	return nil
}
