package support

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
)

// The forms that values have on the wire.
var (
	UUID                 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	TimeV1               = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`)
	TimeV2               = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$`)
	APIKeySecret         = regexp.MustCompile(`^[0-9a-f]{32}$`)
	ApplicationKeySecret = regexp.MustCompile(`^([a-f0-9]{40}|ddapp_[a-zA-Z0-9]{34})$`)
)

// What is not known, and what those are told who bring it.
const (
	UnknownAPIKey         = "00000000000000000000000000000000"
	UnknownApplicationKey = "0000000000000000000000000000000000000000"
	APIKeyRequiredBody    = `{"errors":["API key required"]}`
	// To the byte: clients and scripts compare with it.
	UnknownAPIKeyBody = `{"status":"error","code":403,"errors":["Forbidden"],"statuspage":"http://status.datadoghq.com",` +
		`"twitter":"http://twitter.com/datadogops","email":"support@datadoghq.com"}` + "\n"
)

// NoPermission is what those are told whose rights do not reach.
var NoPermission = []string{"Forbidden", "Failed permission authorization checks"}

// Equal asserts that two values are the same; pointers are followed.
func Equal(t *testing.T, name string, found, expected any) {
	t.Helper()
	if !reflect.DeepEqual(followed(found), followed(expected)) {
		t.Fatalf("%s: found %#v, expected %#v", name, followed(found), followed(expected))
	}
}

func followed(value any) any {
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// SameSet asserts that two lists hold the same, in whatever order.
func SameSet(t *testing.T, name string, found, expected []string) {
	t.Helper()
	found, expected = slices.Clone(found), slices.Clone(expected)
	slices.Sort(found)
	slices.Sort(expected)
	Equal(t, name, found, expected)
}

// Status asserts the status of a client's call, whatever the form of its error.
func Status[T any](t *testing.T, status int) func(answer T, response *http.Response, err error) {
	t.Helper()
	return func(_ T, response *http.Response, err error) {
		t.Helper()
		if response == nil || response.StatusCode != status {
			t.Fatalf("found %v %s, expected %d", err, bodyOf(err), status)
		}
	}
}

// Matches asserts the form of a value.
func Matches(t *testing.T, name string, form *regexp.Regexp, value string) {
	t.Helper()
	if !form.MatchString(value) {
		t.Fatalf("%s: %q is not of the form %v", name, value, form)
	}
}

// Understood returns the client's answer, once the call has succeeded and the client has known how to read all of it.
func Understood[T any](t *testing.T, status int) func(answer T, response *http.Response, err error) T {
	t.Helper()
	return func(answer T, response *http.Response, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("the call failed: %v %s", err, bodyOf(err))
		}
		if response.StatusCode != status {
			t.Fatalf("status %d, expected %d", response.StatusCode, status)
		}
		if isUnparsed, what := datadog.ContainsUnparsedObject(answer); isUnparsed {
			t.Fatalf("the client could not read %v", what)
		}
		return answer
	}
}

// Done asserts that a call without an answer's body has succeeded.
func Done(t *testing.T, status int) func(response *http.Response, err error) {
	t.Helper()
	return func(response *http.Response, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("the call failed: %v %s", err, bodyOf(err))
		}
		if response.StatusCode != status {
			t.Fatalf("status %d, expected %d", response.StatusCode, status)
		}
	}
}

// Refused asserts that a client's call fails so; with any error texts, where none are given.
func Refused(t *testing.T, response *http.Response, err error, status int, texts ...string) {
	t.Helper()
	if err == nil || response == nil {
		t.Fatalf("expected status %d, but found error %v", status, err)
	}
	var body struct{ Errors []string }
	if json.Unmarshal([]byte(bodyOf(err)), &body) != nil || len(body.Errors) == 0 {
		t.Fatalf("no list of error texts: %s", bodyOf(err))
	}
	if response.StatusCode != status || (len(texts) > 0 && !reflect.DeepEqual(body.Errors, texts)) {
		t.Fatalf("found %d %q, expected %d %q", response.StatusCode, body.Errors, status, texts)
	}
}

// RefusedCall is Refused for a call whose answer carries a body.
func RefusedCall[T any](t *testing.T, status int, texts ...string) func(answer T, response *http.Response, err error) {
	t.Helper()
	return func(_ T, response *http.Response, err error) {
		t.Helper()
		Refused(t, response, err, status, texts...)
	}
}

// RefusedDone is Refused for a call whose answer carries none.
func RefusedDone(t *testing.T, status int, texts ...string) func(response *http.Response, err error) {
	t.Helper()
	return func(response *http.Response, err error) {
		t.Helper()
		Refused(t, response, err, status, texts...)
	}
}

// HasFailedWith asserts a failure on the wire in the form of the key services: a list of strings, as JSON.
func (answer Answer) HasFailedWith(t *testing.T, status int, texts ...string) {
	t.Helper()
	if answer.Status != status || answer.ContentType != "application/json" {
		t.Fatalf("found %d %s %s, expected %d", answer.Status, answer.ContentType, answer.Text, status)
	}
	var body map[string][]string
	if json.Unmarshal([]byte(answer.Text), &body) != nil || len(body) != 1 || len(body["errors"]) == 0 {
		t.Fatalf("no list of error texts: %s", answer.Text)
	}
	if len(texts) > 0 {
		Equal(t, "errors", body["errors"], texts)
	}
}

// Is asserts an answer to the byte.
func (answer Answer) Is(t *testing.T, status int, contentType, text string) {
	t.Helper()
	Equal(t, "answer", answer, Answer{status, contentType, text})
}

func bodyOf(err error) string {
	var failure datadog.GenericOpenAPIError
	if errors.As(err, &failure) {
		return string(failure.Body())
	}
	return ""
}
