package v1

import (
	"strings"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

type applicationKeyAnswer = datadogV1.ApplicationKeyResponse

func applicationKeyNamed(name string) datadogV1.ApplicationKey {
	return datadogV1.ApplicationKey{Name: &name}
}

func makeApplicationKey(t *testing.T, name string) datadogV1.ApplicationKey {
	t.Helper()
	answer := Understood[applicationKeyAnswer](t, 200)(keys().CreateApplicationKey(As(Admin()), applicationKeyNamed(name)))
	CleanUp(t, "/api/v1/application_key/"+*answer.ApplicationKey.Hash)
	return *answer.ApplicationKey
}

func TestCreateApplicationKeyWithoutScopes(t *testing.T) {
	name := Unique("key")
	made := makeApplicationKey(t, name)
	Equal(t, "name", made.Name, name)
	Equal(t, "owner", made.Owner, Email)
	Matches(t, "hash", ApplicationKeySecret, *made.Hash)
	Equal(t, "revoked", made.AdditionalProperties["revoked"], false)
	parameters := datadogV2.NewListCurrentUserApplicationKeysOptionalParameters().WithFilter(name)
	listed := Understood[datadogV2.ListApplicationKeysResponse](t, 200)(Keys().ListCurrentUserApplicationKeys(As(Admin()), *parameters))
	Equal(t, "scopes", listed.Data[0].Attributes.Scopes.Get(), nil)
}

func TestApplicationKeyWithoutName(t *testing.T) {
	RefusedCall[applicationKeyAnswer](t, 400, "Required parameter 'name' is missing")(
		keys().CreateApplicationKey(As(Admin()), datadogV1.ApplicationKey{}))
	Send(t, "POST", "/api/v1/application_key", Object{}, Admin()).
		Is(t, 400, "application/json", `{"errors": ["Required parameter 'name' is missing"]}`)
}

func TestApplicationKeyNameTaken(t *testing.T) {
	one, other := makeApplicationKey(t, Unique("one")), makeApplicationKey(t, Unique("other"))
	text := "An application key with the name " + *one.Name + " already exists"
	RefusedCall[applicationKeyAnswer](t, 409, text)(keys().CreateApplicationKey(As(Admin()), applicationKeyNamed(*one.Name)))
	RefusedCall[applicationKeyAnswer](t, 409, text)(
		keys().UpdateApplicationKey(As(Admin()), *other.Hash, applicationKeyNamed(*one.Name)))
	Send(t, "POST", "/api/v1/application_key", Object{"name": *one.Name}, Admin()).
		Is(t, 409, "application/json", `{"errors": ["`+text+`"]}`)
}

func TestGetApplicationKey(t *testing.T) {
	made := makeApplicationKey(t, Unique("key"))
	Equal(t, "key", Understood[applicationKeyAnswer](t, 200)(keys().GetApplicationKey(As(Admin()), *made.Hash)).ApplicationKey, made)
	other := MakeApplicationKey(t, nil)
	found := Understood[applicationKeyAnswer](t, 200)(keys().GetApplicationKey(As(Admin()), *other.Attributes.Key)).ApplicationKey
	Equal(t, "name of what v2 made", found.Name, other.Attributes.Name)
}

func TestListApplicationKeysShowsSecretsByName(t *testing.T) {
	prefix := Unique("")
	b, c, a := makeApplicationKey(t, prefix+"b"), makeApplicationKey(t, prefix+"C"), makeApplicationKey(t, prefix+"a")
	var ours []datadogV1.ApplicationKey
	for _, key := range Understood[datadogV1.ApplicationKeyListResponse](t, 200)(keys().ListApplicationKeys(As(Admin()))).ApplicationKeys {
		if strings.HasPrefix(*key.Name, prefix) {
			ours = append(ours, key)
		}
	}
	Equal(t, "listed", ours, []datadogV1.ApplicationKey{a, b, c})
}

func TestUpdateApplicationKeyChangesTheNameAlone(t *testing.T) {
	made, name := makeApplicationKey(t, Unique("key")), Unique("renamed")
	renamed := made
	renamed.Name = &name
	answer := Understood[applicationKeyAnswer](t, 200)(keys().UpdateApplicationKey(As(Admin()), *made.Hash, applicationKeyNamed(name)))
	Equal(t, "key", answer.ApplicationKey, renamed)
}

func TestDeleteApplicationKeyAnswersItAsRevokedOnce(t *testing.T) {
	made := makeApplicationKey(t, Unique("key"))
	answer := Understood[applicationKeyAnswer](t, 200)(keys().DeleteApplicationKey(As(Admin()), *made.Hash))
	Equal(t, "hash", answer.ApplicationKey.Hash, made.Hash)
	Equal(t, "revoked", answer.ApplicationKey.AdditionalProperties["revoked"], true)
	noApplicationKey(t, *made.Hash)
}

func TestUnknownOrMalformedApplicationKey(t *testing.T) {
	for _, key := range []string{UnknownApplicationKey, "invalidId"} {
		noApplicationKey(t, key)
	}
}

// noApplicationKey asserts that there is no such key for any operation.
func noApplicationKey(t *testing.T, key string) {
	t.Helper()
	absent := RefusedCall[applicationKeyAnswer](t, 404, "Application key not found")
	absent(keys().GetApplicationKey(As(Admin()), key))
	absent(keys().UpdateApplicationKey(As(Admin()), key, applicationKeyNamed(Unique("key"))))
	absent(keys().DeleteApplicationKey(As(Admin()), key))
}
