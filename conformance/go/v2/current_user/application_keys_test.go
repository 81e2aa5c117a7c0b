// Package current_user tests `/api/v2/current_user/application_keys` by the client: the caller's own keys, whose
// secrets show on create, get and patch.
package current_user

import (
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

const path = "/api/v2/current_user/application_keys"

type (
	applicationKey  = datadogV2.ApplicationKeyResponse
	applicationKeys = datadogV2.ListApplicationKeysResponse
)

func update(t *testing.T, id string, attributes Object) datadogV2.ApplicationKeyUpdateRequest {
	return Body[datadogV2.ApplicationKeyUpdateRequest](t, Patch("application_keys", id, attributes))
}

func get(t *testing.T, id string) applicationKey {
	t.Helper()
	return Understood[applicationKey](t, 200)(Keys().GetCurrentUserApplicationKey(As(Admin()), id))
}

func TestCreate(t *testing.T) {
	name := Unique("key")
	made := MakeApplicationKey(t, Object{"name": name})
	Matches(t, "id", UUID, *made.Id)
	Matches(t, "key", ApplicationKeySecret, *made.Attributes.Key)
	Equal(t, "name", made.Attributes.Name, name)
	Equal(t, "last4", made.Attributes.Last4, (*made.Attributes.Key)[36:])
	Equal(t, "scopes are there", made.Attributes.Scopes.IsSet(), true)
	Equal(t, "scopes", made.Attributes.Scopes.Get(), nil)
	Equal(t, "owned_by", made.Relationships.OwnedBy.Data.Id, UserID)
}

func TestCreateWithScopesInOrderAndWithNone(t *testing.T) {
	scopes := []string{"dashboards_write", "monitors_read", "dashboards_read"}
	made := MakeApplicationKey(t, Object{"scopes": scopes})
	Equal(t, "scopes", made.Attributes.Scopes.Get(), scopes)
	Equal(t, "scopes", get(t, *made.Id).Data.Attributes.Scopes.Get(), scopes)
	for _, none := range []any{nil, []string{}} {
		Equal(t, "no scopes", MakeApplicationKey(t, Object{"scopes": none}).Attributes.Scopes.Get(), nil)
	}
}

func TestCreateWithUnknownScopes(t *testing.T) {
	for _, scope := range []string{"no_such_scope", UnknownID()} {
		body := Body[datadogV2.ApplicationKeyCreateRequest](t, Data("application_keys", Object{"name": "x", "scopes": []string{scope}}))
		RefusedCall[applicationKey](t, 400, "Invalid scopes: "+scope)(Keys().CreateCurrentUserApplicationKey(As(Admin()), body))
	}
}

func TestCreateWithWrongBodies(t *testing.T) {
	for text, attributes := range map[string]Object{
		"'name' is a required property":                                  {},
		"None is not of type 'string'":                                   {"name": nil},
		"Additional properties are not allowed ('owner' was unexpected)": {"name": "x", "owner": "me"},
	} {
		Send(t, "POST", path, Data("application_keys", attributes), Admin()).HasFailedWith(t, 400, text)
	}
	Send(t, "POST", path, Data("application_keys", Object{"name": " "}), Admin()).HasFailedWith(t, 400)
}

func TestGetBringsTheSecretTheOwnerAndTheirRoles(t *testing.T) {
	made := MakeApplicationKey(t, nil)
	answer := get(t, *made.Id)
	Equal(t, "key", answer.Data.Attributes.Key, made.Attributes.Key)
	Equal(t, "last_used_at is there", answer.Data.Attributes.LastUsedAt.IsSet(), true)
	Equal(t, "last_used_at", answer.Data.Attributes.LastUsedAt.Get(), nil)
	Equal(t, "user", answer.Included[0].User.Id, UserID)
	if len(answer.Included) < 2 {
		t.Fatal("no roles are included")
	}
	for _, item := range answer.Included[1:] {
		Equal(t, "type", item.Role.Type, datadogV2.ROLESTYPE_ROLES)
	}
	Matches(t, "created_at", TimeV2, Send(t, "GET", path+"/"+*made.Id, nil, Admin()).Attributes(t)["created_at"].(string))
}

func TestList(t *testing.T) {
	prefix := Unique("")
	b := MakeApplicationKey(t, Object{"name": prefix + "b"})
	c := MakeApplicationKey(t, Object{"name": prefix + "C"})
	a := MakeApplicationKey(t, Object{"name": prefix + "a"})
	with := datadogV2.NewListCurrentUserApplicationKeysOptionalParameters
	are := func(name string, with *datadogV2.ListCurrentUserApplicationKeysOptionalParameters, expected ...datadogV2.FullApplicationKey) {
		t.Helper()
		listed := Understood[applicationKeys](t, 200)(Keys().ListCurrentUserApplicationKeys(As(Admin()), *with.WithFilter(prefix)))
		Equal(t, "total_filtered_count", listed.Meta.Page.TotalFilteredCount, int64(3))
		found, ids := []string{}, []string{}
		for _, key := range listed.Data {
			found = append(found, *key.Id)
			Equal(t, "last_used_at is there", key.Attributes.LastUsedAt.IsSet(), true)
		}
		for _, key := range expected {
			ids = append(ids, *key.Id)
		}
		Equal(t, name, found, ids)
	}
	are("by name", with(), a, b, c)
	are("page 1", with().WithPageSize(2).WithPageNumber(1), c)
	are("by creation, reversed", with().WithSort(datadogV2.APPLICATIONKEYSSORT_CREATED_AT_DESCENDING), a, c, b)
}

func TestPatchKeepsTheSecret(t *testing.T) {
	made, name := MakeApplicationKey(t, Object{"scopes": []string{"user_app_keys"}}), Unique("renamed")
	body := update(t, *made.Id, Object{"name": name})
	attributes := Understood[applicationKey](t, 200)(Keys().UpdateCurrentUserApplicationKey(As(Admin()), *made.Id, body)).Data.Attributes
	Equal(t, "name", attributes.Name, name)
	Equal(t, "key", attributes.Key, made.Attributes.Key)
	Equal(t, "scopes", attributes.Scopes.Get(), []string{"user_app_keys"})
	Understood[applicationKeys](t, 200)(Keys().ListCurrentUserApplicationKeys(As(WithApplicationKey(*attributes.Key))))

	body = update(t, *made.Id, Object{"scopes": []string{}})
	attributes = Understood[applicationKey](t, 200)(Keys().UpdateCurrentUserApplicationKey(As(Admin()), *made.Id, body)).Data.Attributes
	Equal(t, "no scopes", attributes.Scopes.Get(), nil)
}

func TestPatchWithAnotherID(t *testing.T) {
	made := MakeApplicationKey(t, nil)
	RefusedCall[applicationKey](t, 400)(
		Keys().UpdateCurrentUserApplicationKey(As(Admin()), *made.Id, update(t, UnknownID(), Object{"name": "x"})))
}

func TestDeletedIsGone(t *testing.T) {
	made := MakeApplicationKey(t, nil)
	Done(t, 204)(Keys().DeleteCurrentUserApplicationKey(As(Admin()), *made.Id))
	absent(t, *made.Id)
	RefusedCall[applicationKey](t, 404, "Application key not found")(Keys().GetApplicationKey(As(Admin()), *made.Id))
}

func TestUnknownOrMalformedID(t *testing.T) {
	for _, id := range []string{"invalidId", "incorrectId", UnknownID()} {
		absent(t, id)
	}
}

// absent asserts that there is no such key for any operation.
func absent(t *testing.T, id string) {
	t.Helper()
	refused := RefusedCall[applicationKey](t, 404, "Application key not found")
	refused(Keys().GetCurrentUserApplicationKey(As(Admin()), id))
	refused(Keys().UpdateCurrentUserApplicationKey(As(Admin()), id, update(t, id, Object{"name": "x"})))
	RefusedDone(t, 404, "Application key not found")(Keys().DeleteCurrentUserApplicationKey(As(Admin()), id))
}
