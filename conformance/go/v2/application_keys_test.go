package v2

import (
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

const applicationKeysPath = "/api/v2/application_keys"

type (
	applicationKey  = datadogV2.ApplicationKeyResponse
	applicationKeys = datadogV2.ListApplicationKeysResponse
)

func updateApplicationKey(t *testing.T, id string, attributes Object) datadogV2.ApplicationKeyUpdateRequest {
	return Body[datadogV2.ApplicationKeyUpdateRequest](t, Patch("application_keys", id, attributes))
}

func TestGetApplicationKey(t *testing.T) {
	made := MakeApplicationKey(t, Object{"scopes": []string{"monitors_read", "dashboards_read"}})
	with := datadogV2.NewGetApplicationKeyOptionalParameters().WithInclude("owned_by")
	answer := Understood[applicationKey](t, 200)(Keys().GetApplicationKey(As(Admin()), *made.Id, *with))
	attributes := answer.Data.Attributes
	Equal(t, "type", answer.Data.Type, datadogV2.APPLICATIONKEYSTYPE_APPLICATION_KEYS)
	Equal(t, "key", attributes.Key, nil)
	Equal(t, "scopes", attributes.Scopes.Get(), []string{"monitors_read", "dashboards_read"})
	Equal(t, "last4", attributes.Last4, (*made.Attributes.Key)[36:])
	Equal(t, "last_used_at is there", attributes.LastUsedAt.IsSet(), true)
	Equal(t, "last_used_at", attributes.LastUsedAt.Get(), nil)
	Equal(t, "owned_by", answer.Data.Relationships.OwnedBy.Data.Id, UserID)
	Equal(t, "count of included", len(answer.Included), 1)
	Equal(t, "email", answer.Included[0].User.Attributes.Email, Email)
}

func TestRenamedApplicationKeyKeepsScopesAndSecret(t *testing.T) {
	made, name := MakeApplicationKey(t, Object{"scopes": []string{"org_app_keys_read"}}), Unique("renamed")
	body := updateApplicationKey(t, *made.Id, Object{"name": name})
	attributes := Understood[applicationKey](t, 200)(Keys().UpdateApplicationKey(As(Admin()), *made.Id, body)).Data.Attributes
	Equal(t, "name", attributes.Name, name)
	Equal(t, "scopes", attributes.Scopes.Get(), []string{"org_app_keys_read"})
	Equal(t, "key", attributes.Key, nil)
	Understood[applicationKeys](t, 200)(Keys().ListApplicationKeys(As(WithApplicationKey(*made.Attributes.Key))))
}

func TestScopesOfAnApplicationKey(t *testing.T) {
	made := MakeApplicationKey(t, nil)
	patch := func(scopes any) any {
		t.Helper()
		body := updateApplicationKey(t, *made.Id, Object{"scopes": scopes})
		answer := Understood[applicationKey](t, 200)(Keys().UpdateApplicationKey(As(Admin()), *made.Id, body))
		return answer.Data.Attributes.Scopes.Get()
	}
	Equal(t, "scopes", patch([]string{"monitors_read", "dashboards_read"}), []string{"monitors_read", "dashboards_read"})
	caller := As(WithApplicationKey(*made.Attributes.Key))
	RefusedCall[applicationKeys](t, 403, NoPermission...)(Keys().ListApplicationKeys(caller))
	Equal(t, "no scopes", patch([]string{}), nil)
	Equal(t, "no scopes", patch(nil), nil)
	Understood[applicationKeys](t, 200)(Keys().ListApplicationKeys(caller))

	unknown := updateApplicationKey(t, *made.Id, Object{"scopes": []string{"no_such_scope"}})
	RefusedCall[applicationKey](t, 400, "Invalid scopes: no_such_scope")(Keys().UpdateApplicationKey(As(Admin()), *made.Id, unknown))
}

func TestPatchApplicationKeyWithAnotherID(t *testing.T) {
	made := MakeApplicationKey(t, nil)
	RefusedCall[applicationKey](t, 400)(
		Keys().UpdateApplicationKey(As(Admin()), *made.Id, updateApplicationKey(t, UnknownID(), Object{"name": "x"})))
}

func TestDeletedApplicationKeyIsGone(t *testing.T) {
	made := MakeApplicationKey(t, nil)
	Done(t, 204)(Keys().DeleteApplicationKey(As(Admin()), *made.Id))
	noApplicationKey(t, *made.Id)
	RefusedCall[applicationKey](t, 404, "Application key not found")(Keys().GetCurrentUserApplicationKey(As(Admin()), *made.Id))
	caller := As(WithApplicationKey(*made.Attributes.Key))
	RefusedCall[applicationKeys](t, 401, "Unauthorized")(Keys().ListApplicationKeys(caller))
}

func TestUnknownOrMalformedApplicationKeyID(t *testing.T) {
	for _, id := range []string{"invalidId", UnknownID()} {
		noApplicationKey(t, id)
	}
}

// noApplicationKey asserts that there is no such key for any operation.
func noApplicationKey(t *testing.T, id string) {
	t.Helper()
	absent := RefusedCall[applicationKey](t, 404, "Application key not found")
	absent(Keys().GetApplicationKey(As(Admin()), id))
	absent(Keys().UpdateApplicationKey(As(Admin()), id, updateApplicationKey(t, id, Object{"name": "x"})))
	RefusedDone(t, 404, "Application key not found")(Keys().DeleteApplicationKey(As(Admin()), id))
}

func TestListApplicationKeys(t *testing.T) {
	prefix := Unique("")
	b := MakeApplicationKey(t, Object{"name": prefix + "b"})
	c := MakeApplicationKey(t, Object{"name": prefix + "C"})
	a := MakeApplicationKey(t, Object{"name": prefix + "a"})
	list := func(with *datadogV2.ListApplicationKeysOptionalParameters) applicationKeys {
		t.Helper()
		return Understood[applicationKeys](t, 200)(Keys().ListApplicationKeys(As(Admin()), *with.WithFilter(prefix)))
	}
	are := func(name string, with *datadogV2.ListApplicationKeysOptionalParameters, expected ...datadogV2.FullApplicationKey) {
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
	with := datadogV2.NewListApplicationKeysOptionalParameters

	listed := list(with().WithInclude("owned_by"))
	Equal(t, "max_allowed_per_user", listed.Meta.MaxAllowedPerUser, int64(1000))
	Equal(t, "total_filtered_count", listed.Meta.Page.TotalFilteredCount, int64(3))
	Equal(t, "count of included", len(listed.Included), 1)
	Equal(t, "included", listed.Included[0].User.Id, UserID)
	for _, key := range listed.Data {
		Equal(t, "last_used_at is there", key.Attributes.LastUsedAt.IsSet(), true)
		Equal(t, "owned_by", key.Relationships.OwnedBy.Data.Id, UserID)
		if _, shows := key.Attributes.AdditionalProperties["key"]; shows {
			t.Fatal("a list shows a secret")
		}
	}
	are("page 0", with().WithPageSize(2), a, b)
	are("page 1", with().WithPageSize(2).WithPageNumber(1), c)
	are("by name, reversed", with().WithSort(datadogV2.APPLICATIONKEYSSORT_NAME_DESCENDING), c, b, a)
	are("by creation", with().WithSort(datadogV2.APPLICATIONKEYSSORT_CREATED_AT_ASCENDING), b, c, a)
	createdAt := Send(t, "GET", applicationKeysPath+"/"+*c.Id, nil, Admin()).Attributes(t)["created_at"].(string)
	are("made since", with().WithFilterCreatedAtStart(createdAt), a, c)
	are("made until", with().WithFilterCreatedAtEnd(createdAt), b, c)
	are("by owner", with().WithFilterOwnedBy(UserID), a, b, c)
	are("by nobody", with().WithFilterOwnedBy(UnknownID()))
}

func TestListApplicationKeysWithBadParameters(t *testing.T) {
	for _, path := range []string{applicationKeysPath, "/api/v2/current_user/application_keys"} {
		for _, query := range [][2]string{
			{"sort", "modified_at"}, {"include", "nonsense"}, {"page[size]", "101"}, {"page[number]", "-1"},
			{"filter[created_at][start]", "yesterday"},
		} {
			Send(t, "GET", path, nil, Admin(), query[0], query[1]).HasFailedWith(t, 400)
		}
	}
}
