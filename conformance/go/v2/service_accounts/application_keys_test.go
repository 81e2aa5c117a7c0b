package service_accounts

import (
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

const noKey = "Application key not found"

type (
	keyMade = datadogV2.ApplicationKeyResponse
	key     = datadogV2.PartialApplicationKeyResponse
	keys    = datadogV2.ListApplicationKeysResponse
	valid   = datadogV2.ValidateAPIKeyResponse
)

func newKey(t *testing.T, attributes Object) datadogV2.ApplicationKeyCreateRequest {
	given := Object{"name": Unique("key")}
	for name, value := range attributes {
		given[name] = value
	}
	return Body[datadogV2.ApplicationKeyCreateRequest](t, Data("application_keys", given))
}

func makeKey(t *testing.T, account string, attributes Object) datadogV2.FullApplicationKey {
	t.Helper()
	return *Understood[keyMade](t, 201)(
		ServiceAccounts().CreateServiceAccountApplicationKey(As(Admin()), account, newKey(t, attributes))).Data
}

func TestCreateKey(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	made := makeKey(t, account, nil)
	Matches(t, "key", ApplicationKeySecret, *made.Attributes.Key)
	Equal(t, "scopes", made.Attributes.Scopes.Get(), nil)
	Equal(t, "owned_by", made.Relationships.OwnedBy.Data.Id, account)
	scopes := []string{"dashboards_read", "dashboards_write", "dashboards_public_share"}
	Equal(t, "scopes", makeKey(t, account, Object{"scopes": scopes}).Attributes.Scopes.Get(), scopes)
	unknown := newKey(t, Object{"scopes": []string{"no_such_scope"}})
	RefusedCall[keyMade](t, 400, "Invalid scopes: no_such_scope")(
		ServiceAccounts().CreateServiceAccountApplicationKey(As(Admin()), account, unknown))
}

func TestKeyIsReadListedAndUpdatedWithoutItsSecret(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	empty := Understood[keys](t, 200)(ServiceAccounts().ListServiceAccountApplicationKeys(As(Admin()), account))
	Equal(t, "count", len(empty.Data), 0)
	Equal(t, "max_allowed_per_user", empty.Meta.MaxAllowedPerUser, int64(1000))
	made := makeKey(t, account, nil)
	found := *Understood[key](t, 200)(ServiceAccounts().GetServiceAccountApplicationKey(As(Admin()), account, *made.Id)).Data
	Equal(t, "id", found.Id, made.Id)
	Equal(t, "name", found.Attributes.Name, made.Attributes.Name)
	listed := Understood[keys](t, 200)(ServiceAccounts().ListServiceAccountApplicationKeys(As(Admin()), account)).Data
	Equal(t, "count", len(listed), 1)
	name := *made.Attributes.Name + "-updated"
	body := Body[datadogV2.ApplicationKeyUpdateRequest](t, Patch("application_keys", *made.Id, Object{"name": name}))
	updated := *Understood[key](t, 200)(
		ServiceAccounts().UpdateServiceAccountApplicationKey(As(Admin()), account, *made.Id, body)).Data
	Equal(t, "id", updated.Id, made.Id)
	Equal(t, "name", updated.Attributes.Name, name)
	for _, seen := range []datadogV2.PartialApplicationKey{found, listed[0], updated} {
		if _, shows := seen.Attributes.AdditionalProperties["key"]; shows {
			t.Fatal("the secret shows")
		}
	}
}

func TestDeletedKeyIsGone(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	made := makeKey(t, account, nil)
	caller := As(WithApplicationKey(*made.Attributes.Key))
	Understood[valid](t, 200)(Keys().ValidateAPIKey(caller))
	Done(t, 204)(ServiceAccounts().DeleteServiceAccountApplicationKey(As(Admin()), account, *made.Id))
	RefusedCall[valid](t, 401, "Unauthorized")(Keys().ValidateAPIKey(caller))
	noSuchKey(t, account, *made.Id)
}

func TestDisablingTheServiceAccountEndsItsKeysForGood(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	caller := As(WithApplicationKey(*makeKey(t, account, nil).Attributes.Key))
	Understood[valid](t, 200)(Keys().ValidateAPIKey(caller))
	Done(t, 204)(Users().DisableUser(As(Admin()), account))
	RefusedCall[valid](t, 401, "Unauthorized")(Keys().ValidateAPIKey(caller))
	body := Body[datadogV2.UserUpdateRequest](t, Patch("users", account, Object{"disabled": false}))
	Understood[datadogV2.UserResponse](t, 200)(Users().UpdateUser(As(Admin()), account, body))
	RefusedCall[valid](t, 401, "Unauthorized")(Keys().ValidateAPIKey(caller))
}

func TestSomebodyElsesKeyIsNotThere(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	for _, id := range []string{"invalidId", UnknownID(), *MakeApplicationKey(t, nil).Id} {
		noSuchKey(t, account, id)
	}
	for _, nobody := range []string{UnknownID(), *MakeUser(t, nil).Id} {
		Status[keys](t, 404)(ServiceAccounts().ListServiceAccountApplicationKeys(As(Admin()), nobody))
		Status[keyMade](t, 404)(ServiceAccounts().CreateServiceAccountApplicationKey(As(Admin()), nobody, newKey(t, nil)))
	}
}

// noSuchKey asserts that the service account has no such key for any operation.
func noSuchKey(t *testing.T, account, id string) {
	t.Helper()
	RefusedCall[key](t, 404, noKey)(ServiceAccounts().GetServiceAccountApplicationKey(As(Admin()), account, id))
	body := Body[datadogV2.ApplicationKeyUpdateRequest](t, Patch("application_keys", id, Object{"name": "x"}))
	RefusedCall[key](t, 404, noKey)(ServiceAccounts().UpdateServiceAccountApplicationKey(As(Admin()), account, id, body))
	RefusedDone(t, 404, noKey)(ServiceAccounts().DeleteServiceAccountApplicationKey(As(Admin()), account, id))
}
