// Package v1 tests `/api/v1` by the client: flat bodies, the secret as the path, 200 for every success, v1's own
// error texts.
package v1

import (
	"strings"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"

	. "claviger/conformance/support"
)

type apiKeyAnswer = datadogV1.ApiKeyResponse

func keys() *datadogV1.KeyManagementApi { return datadogV1.NewKeyManagementApi(Client()) }

func apiKeyNamed(name string) datadogV1.ApiKey { return datadogV1.ApiKey{Name: &name} }

func makeAPIKey(t *testing.T, name string) datadogV1.ApiKey {
	t.Helper()
	made := *Understood[apiKeyAnswer](t, 200)(keys().CreateAPIKey(As(Admin()), apiKeyNamed(name))).ApiKey
	CleanUp(t, "/api/v1/api_key/"+*made.Key)
	return made
}

func TestCreateAPIKey(t *testing.T) {
	name := Unique("key")
	made := makeAPIKey(t, name)
	Equal(t, "name", made.Name, name)
	Equal(t, "created_by", made.CreatedBy, Email)
	Matches(t, "key", APIKeySecret, *made.Key)
	Matches(t, "created", TimeV1, *made.Created)
}

func TestAPIKeyWithoutName(t *testing.T) {
	RefusedCall[apiKeyAnswer](t, 400, "Required parameter 'name' is missing")(keys().CreateAPIKey(As(Admin()), datadogV1.ApiKey{}))
	for _, path := range []string{"", "/" + *makeAPIKey(t, Unique("key")).Key, "/" + UnknownAPIKey} {
		method := "PUT"
		if path == "" {
			method = "POST"
		}
		Send(t, method, "/api/v1/api_key"+path, Object{}, Admin()).
			Is(t, 400, "application/json", `{"errors": ["Required parameter 'name' is missing"]}`)
	}
}

func TestGetAPIKey(t *testing.T) {
	made := makeAPIKey(t, Unique("key"))
	Equal(t, "key", Understood[apiKeyAnswer](t, 200)(keys().GetAPIKey(As(Admin()), *made.Key)).ApiKey, made)
	other := MakeAPIKey(t, nil)
	found := Understood[apiKeyAnswer](t, 200)(keys().GetAPIKey(As(Admin()), *other.Attributes.Key)).ApiKey
	Equal(t, "name of what v2 made", found.Name, other.Attributes.Name)
}

func TestListAPIKeysShowsSecretsByName(t *testing.T) {
	prefix := Unique("")
	b, c, a := makeAPIKey(t, prefix+"b"), makeAPIKey(t, prefix+"C"), makeAPIKey(t, prefix+"a")
	var ours []datadogV1.ApiKey
	for _, key := range Understood[datadogV1.ApiKeyListResponse](t, 200)(keys().ListAPIKeys(As(Admin()))).ApiKeys {
		if strings.HasPrefix(*key.Name, prefix) {
			ours = append(ours, key)
		}
	}
	Equal(t, "listed", ours, []datadogV1.ApiKey{a, b, c})
}

func TestUpdateAPIKeyChangesTheNameAlone(t *testing.T) {
	made, name := makeAPIKey(t, Unique("key")), Unique("renamed")
	renamed := made
	renamed.Name = &name
	Equal(t, "key", Understood[apiKeyAnswer](t, 200)(keys().UpdateAPIKey(As(Admin()), *made.Key, apiKeyNamed(name))).ApiKey, renamed)
	Equal(t, "key", Understood[apiKeyAnswer](t, 200)(keys().GetAPIKey(As(Admin()), *made.Key)).ApiKey, renamed)
}

func TestDeleteAPIKeyAnswersWhatItDeletedOnce(t *testing.T) {
	made := makeAPIKey(t, Unique("key"))
	Equal(t, "key", Understood[apiKeyAnswer](t, 200)(keys().DeleteAPIKey(As(Admin()), *made.Key)).ApiKey, made)
	noAPIKey(t, *made.Key)
	Send(t, "GET", "/api/v1/validate", nil, WithAPIKey(*made.Key)).Is(t, 403, "application/json", UnknownAPIKeyBody)
}

func TestUnknownOrMalformedAPIKey(t *testing.T) {
	for _, key := range []string{UnknownAPIKey, "invalidId"} {
		noAPIKey(t, key)
		Send(t, "GET", "/api/v1/api_key/"+key, nil, Admin()).Is(t, 404, "application/json", `{"errors": ["API key not found"]}`)
	}
}

// noAPIKey asserts that there is no such key for any operation.
func noAPIKey(t *testing.T, key string) {
	t.Helper()
	absent := RefusedCall[apiKeyAnswer](t, 404, "API key not found")
	absent(keys().GetAPIKey(As(Admin()), key))
	absent(keys().UpdateAPIKey(As(Admin()), key, apiKeyNamed("x")))
	absent(keys().DeleteAPIKey(As(Admin()), key))
}
