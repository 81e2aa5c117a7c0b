package support

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
)

// Object is a JSON object.
type Object = map[string]any

// Body makes the client's own type from JSON, which the client then writes anew.
func Body[T any](t *testing.T, json_ any) T {
	t.Helper()
	var body T
	text, err := json.Marshal(json_)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	if isUnparsed, what := datadog.ContainsUnparsedObject(body); isUnparsed {
		t.Fatalf("the client cannot write %v", what)
	}
	return body
}

// Data wraps a resource as the body of a create.
func Data(kind string, attributes Object) Object {
	return Object{"data": Object{"type": kind, "attributes": attributes}}
}

// Patch wraps a resource as the body of an update.
func Patch(kind, id string, attributes Object) Object {
	return Object{"data": Object{"type": kind, "id": id, "attributes": attributes}}
}

// Unique is a name that nothing else has, and that no other is part of.
func Unique(name string) string { return fmt.Sprintf("conformance %s %s", UnknownID(), name) }

// UnknownID is an id that nothing has.
func UnknownID() string {
	var bytes [16]byte
	if _, err := rand.Read(bytes[:]); err != nil {
		panic(err)
	}
	bytes[6] = bytes[6]&0x0f | 0x40
	bytes[8] = bytes[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", bytes[:4], bytes[4:6], bytes[6:8], bytes[8:10], bytes[10:])
}

// CleanUp deletes path after the test, whether or not the test has done so.
func CleanUp(t *testing.T, path string) {
	t.Cleanup(func() {
		if answer := Send(t, "DELETE", path, nil, Admin()); answer.Status != 200 && answer.Status != 204 && answer.Status != 404 {
			t.Errorf("DELETE %s: %d %s", path, answer.Status, answer.Text)
		}
	})
}

// Keys is key management, v2.
func Keys() *datadogV2.KeyManagementApi { return datadogV2.NewKeyManagementApi(Client()) }

// MakeAPIKey makes an API key for the length of the test; attributes may lack the name.
func MakeAPIKey(t *testing.T, attributes Object) datadogV2.FullAPIKey {
	t.Helper()
	body := Body[datadogV2.APIKeyCreateRequest](t, Data("api_keys", named(attributes)))
	made := *Understood[datadogV2.APIKeyResponse](t, 201)(Keys().CreateAPIKey(As(Admin()), body)).Data
	CleanUp(t, "/api/v2/api_keys/"+*made.Id)
	return made
}

// MakeApplicationKey makes an application key of the first user for the length of the test.
func MakeApplicationKey(t *testing.T, attributes Object) datadogV2.FullApplicationKey {
	t.Helper()
	body := Body[datadogV2.ApplicationKeyCreateRequest](t, Data("application_keys", named(attributes)))
	answer := Understood[datadogV2.ApplicationKeyResponse](t, 201)(Keys().CreateCurrentUserApplicationKey(As(Admin()), body))
	CleanUp(t, "/api/v2/current_user/application_keys/"+*answer.Data.Id)
	return *answer.Data
}

func named(attributes Object) Object {
	with := Object{"name": Unique("key")}
	for name, value := range attributes {
		with[name] = value
	}
	return with
}
