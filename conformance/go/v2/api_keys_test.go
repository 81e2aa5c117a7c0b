// Package v2 tests `/api/v2` by the client: JSON:API, where secrets show and where not, and what is refused.
package v2

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

const apiKeysPath = "/api/v2/api_keys"

type (
	apiKey  = datadogV2.APIKeyResponse
	apiKeys = datadogV2.APIKeysResponse
)

func updateAPIKey(t *testing.T, id string, attributes Object) datadogV2.APIKeyUpdateRequest {
	return Body[datadogV2.APIKeyUpdateRequest](t, Patch("api_keys", id, attributes))
}

func getAPIKey(t *testing.T, id string) datadogV2.FullAPIKey {
	t.Helper()
	return *Understood[apiKey](t, 200)(Keys().GetAPIKey(As(Admin()), id)).Data
}

func TestCreateAPIKey(t *testing.T) {
	name := Unique("key")
	made := MakeAPIKey(t, Object{"name": name})
	secret := *made.Attributes.Key
	Matches(t, "id", UUID, *made.Id)
	Matches(t, "key", APIKeySecret, secret)
	Equal(t, "type", made.Type, datadogV2.APIKEYSTYPE_API_KEYS)
	Equal(t, "name", made.Attributes.Name, name)
	Equal(t, "last4", made.Attributes.Last4, secret[len(secret)-4:])
	Equal(t, "remote_config_read_enabled", made.Attributes.RemoteConfigReadEnabled, true)
	Equal(t, "category", made.Attributes.Category, "default")
	Equal(t, "modified_at", made.Attributes.ModifiedAt, made.Attributes.CreatedAt)
	Equal(t, "created_by", made.Relationships.CreatedBy.Data.Id, UserID)
	Equal(t, "modified_by", made.Relationships.ModifiedBy.Get().Data.Get().Id, UserID)
}

func TestCreateAPIKeyWithoutRemoteConfiguration(t *testing.T) {
	made := MakeAPIKey(t, Object{"remote_config_read_enabled": false})
	Equal(t, "remote_config_read_enabled", getAPIKey(t, *made.Id).Attributes.RemoteConfigReadEnabled, false)
}

func TestCreateAPIKeyWithWrongBodies(t *testing.T) {
	for text, attributes := range map[string]Object{
		"'name' is a required property":                                  {},
		"None is not of type 'string'":                                   {"name": nil},
		"Additional properties are not allowed ('owner' was unexpected)": {"name": "x", "owner": "me"},
	} {
		Send(t, "POST", apiKeysPath, Data("api_keys", attributes), Admin()).HasFailedWith(t, 400, text)
	}
	Send(t, "POST", apiKeysPath, Data("api_keys", Object{"name": ""}), Admin()).HasFailedWith(t, 400)
	Send(t, "POST", apiKeysPath, Data("users", Object{"name": "x"}), Admin()).HasFailedWith(t, 400)
	RefusedCall[apiKey](t, 400)(Keys().CreateAPIKey(As(Admin()),
		Body[datadogV2.APIKeyCreateRequest](t, Data("api_keys", Object{"name": " "}))))
}

func TestGetAPIKey(t *testing.T) {
	made := MakeAPIKey(t, nil)
	found := getAPIKey(t, *made.Id)
	Equal(t, "key", found.Attributes.Key, made.Attributes.Key)
	Equal(t, "date_last_used is there", found.Attributes.DateLastUsed.IsSet(), true)
	Equal(t, "date_last_used", found.Attributes.DateLastUsed.Get(), nil)
	attributes := Send(t, "GET", apiKeysPath+"/"+*made.Id, nil, Admin()).Attributes(t)
	Matches(t, "created_at", TimeV2, attributes["created_at"].(string))
	Matches(t, "modified_at", TimeV2, attributes["modified_at"].(string))
}

func TestGetAPIKeyWithUsers(t *testing.T) {
	made := MakeAPIKey(t, nil)
	with := datadogV2.NewGetAPIKeyOptionalParameters().WithInclude("created_by,modified_by")
	included := Understood[apiKey](t, 200)(Keys().GetAPIKey(As(Admin()), *made.Id, *with)).Included
	Equal(t, "count of included", len(included), 1)
	Equal(t, "id", included[0].User.Id, UserID)
	Equal(t, "email", included[0].User.Attributes.Email, Email)
}

func TestRenameAPIKey(t *testing.T) {
	made, name := MakeAPIKey(t, Object{"remote_config_read_enabled": false}), Unique("renamed")
	body := updateAPIKey(t, *made.Id, Object{"name": name})
	renamed := *Understood[apiKey](t, 200)(Keys().UpdateAPIKey(As(Admin()), *made.Id, body)).Data
	Equal(t, "name", renamed.Attributes.Name, name)
	Equal(t, "key", renamed.Attributes.Key, made.Attributes.Key)
	Equal(t, "remote_config_read_enabled", renamed.Attributes.RemoteConfigReadEnabled, false)
	Equal(t, "name", getAPIKey(t, *made.Id).Attributes.Name, name)
	// The same again is no change.
	Understood[apiKey](t, 200)(Keys().UpdateAPIKey(As(Admin()), *made.Id, body))
	Equal(t, "modified_at", getAPIKey(t, *made.Id).Attributes.ModifiedAt, renamed.Attributes.ModifiedAt)
}

func TestPatchAPIKeyWithAnotherID(t *testing.T) {
	made := MakeAPIKey(t, nil)
	RefusedCall[apiKey](t, 400)(Keys().UpdateAPIKey(As(Admin()), *made.Id, updateAPIKey(t, UnknownID(), Object{"name": "x"})))
}

func TestDeleteAPIKeyRevokes(t *testing.T) {
	made := MakeAPIKey(t, nil)
	Done(t, 204)(Keys().DeleteAPIKey(As(Admin()), *made.Id))
	Equal(t, "status", getAPIKey(t, *made.Id).Attributes.AdditionalProperties["status"], "revoked")
	with := datadogV2.NewListAPIKeysOptionalParameters().WithFilter(*made.Attributes.Name)
	Equal(t, "listed", len(Understood[apiKeys](t, 200)(Keys().ListAPIKeys(As(Admin()), *with)).Data), 0)
	RefusedDone(t, 404, "API key not found")(Keys().DeleteAPIKey(As(Admin()), *made.Id))
	RefusedCall[apiKey](t, 404, "API key not found")(
		Keys().UpdateAPIKey(As(Admin()), *made.Id, updateAPIKey(t, *made.Id, Object{"name": "x"})))
}

func TestUnknownOrMalformedAPIKeyID(t *testing.T) {
	for _, id := range []string{"invalidId", UnknownID()} {
		absent := RefusedCall[apiKey](t, 404, "API key not found")
		absent(Keys().GetAPIKey(As(Admin()), id))
		absent(Keys().UpdateAPIKey(As(Admin()), id, updateAPIKey(t, id, Object{"name": "x"})))
		RefusedDone(t, 404, "API key not found")(Keys().DeleteAPIKey(As(Admin()), id))
	}
}

func TestListAPIKeys(t *testing.T) {
	prefix := Unique("")
	b, c, a := MakeAPIKey(t, Object{"name": prefix + "b"}), MakeAPIKey(t, Object{"name": prefix + "C"}), MakeAPIKey(t, Object{"name": prefix + "a"})
	renamed := updateAPIKey(t, *b.Id, Object{"name": prefix + "bb"})
	b = *Understood[apiKey](t, 200)(Keys().UpdateAPIKey(As(Admin()), *b.Id, renamed)).Data
	list := func(with *datadogV2.ListAPIKeysOptionalParameters) apiKeys {
		t.Helper()
		if with.Filter == nil {
			with.Filter = &prefix
		}
		return Understood[apiKeys](t, 200)(Keys().ListAPIKeys(As(Admin()), *with))
	}
	are := func(name string, with *datadogV2.ListAPIKeysOptionalParameters, expected ...datadogV2.FullAPIKey) {
		t.Helper()
		found, ids := []string{}, []string{}
		for _, key := range list(with).Data {
			found = append(found, *key.Id)
		}
		for _, key := range expected {
			ids = append(ids, *key.Id)
		}
		Equal(t, name, found, ids)
	}
	with := datadogV2.NewListAPIKeysOptionalParameters
	at := func(moment *time.Time) string { return moment.Format(time.RFC3339Nano) }

	listed := list(with().WithInclude("created_by"))
	Equal(t, "max_allowed", listed.Meta.MaxAllowed, int64(200))
	Equal(t, "total_filtered_count", listed.Meta.Page.TotalFilteredCount, int64(3))
	Equal(t, "count of included", len(listed.Included), 1)
	Equal(t, "included", listed.Included[0].User.Id, UserID)
	for _, key := range listed.Data {
		Equal(t, "date_last_used is there", key.Attributes.DateLastUsed.IsSet(), true)
		if _, shows := key.Attributes.AdditionalProperties["key"]; shows {
			t.Fatal("a list shows a secret")
		}
	}

	are("page 0", with().WithPageSize(2), a, b)
	are("page 1", with().WithPageSize(2).WithPageNumber(1), c)
	are("page 2", with().WithPageSize(2).WithPageNumber(2))
	are("by name", with().WithSort(datadogV2.APIKEYSSORT_NAME_ASCENDING), a, b, c)
	are("by name, reversed", with().WithSort(datadogV2.APIKEYSSORT_NAME_DESCENDING), c, b, a)
	are("by creation", with().WithSort(datadogV2.APIKEYSSORT_CREATED_AT_ASCENDING), b, c, a)
	are("by creation, reversed", with().WithSort(datadogV2.APIKEYSSORT_CREATED_AT_DESCENDING), a, c, b)
	are("by change", with().WithSort(datadogV2.APIKEYSSORT_MODIFIED_AT_ASCENDING), c, a, b)
	are("by change, reversed", with().WithSort(datadogV2.APIKEYSSORT_MODIFIED_AT_DESCENDING), b, a, c)
	for sort, isReversed := range map[datadogV2.APIKeysSort]bool{
		datadogV2.APIKEYSSORT_LAST4_ASCENDING:  false,
		datadogV2.APIKEYSSORT_LAST4_DESCENDING: true,
	} {
		var found []string
		for _, key := range list(with().WithSort(sort)).Data {
			found = append(found, *key.Attributes.Last4)
		}
		if isReversed {
			slices.Reverse(found)
		}
		if len(found) != 3 || !slices.IsSorted(found) {
			t.Fatalf("sort %s: %s", sort, strings.Join(found, " "))
		}
	}
	are("by part of a name", with().WithFilter(prefix+"b"), b)
	are("made since", with().WithFilterCreatedAtStart(at(c.Attributes.CreatedAt)), a, c)
	are("made until", with().WithFilterCreatedAtEnd(at(c.Attributes.CreatedAt)), b, c)
	are("changed since", with().WithFilterModifiedAtStart(at(a.Attributes.ModifiedAt)), a, b)
	are("changed until", with().WithFilterModifiedAtEnd(at(a.Attributes.ModifiedAt)), a, c)
	are("with remote configuration", with().WithFilterRemoteConfigReadEnabled(true), a, b, c)
	are("without remote configuration", with().WithFilterRemoteConfigReadEnabled(false))
	are("by category", with().WithFilterCategory("default"), a, b, c)
}

func TestListAPIKeysWithBadParameters(t *testing.T) {
	for _, query := range [][2]string{
		{"sort", "nonsense"}, {"include", "nonsense"}, {"page[size]", "101"}, {"page[number]", "-1"},
		{"filter[created_at][start]", "yesterday"}, {"filter[modified_at][end]", "tomorrow"},
	} {
		Send(t, "GET", apiKeysPath, nil, Admin(), query[0], query[1]).HasFailedWith(t, 400)
	}
}
