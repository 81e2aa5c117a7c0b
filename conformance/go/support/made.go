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

// Resource wraps a resource with relationships, each to objects of one kind.
func Resource(kind string, attributes Object, relationship, linked string, ids ...string) Object {
	linkage := []Object{}
	for _, id := range ids {
		linkage = append(linkage, Object{"type": linked, "id": id})
	}
	body := Data(kind, attributes)
	body["data"].(Object)["relationships"] = Object{relationship: Object{"data": linkage}}
	return body
}

// To points at an object.
func To(kind, id string) Object { return Object{"data": Object{"type": kind, "id": id}} }

// UniqueEmail is an address that nobody has, as long and in as mixed a case as those of the vendor's own suites.
func UniqueEmail() string {
	return "Test-Conformance_creates_somebody_with_a_long_name_" + UnknownID() + "@Example.com"
}

// Users is users, invitations and the current user.
func Users() *datadogV2.UsersApi { return datadogV2.NewUsersApi(Client()) }

// Roles is roles and permissions.
func Roles() *datadogV2.RolesApi { return datadogV2.NewRolesApi(Client()) }

// ServiceAccounts is service accounts, their application keys and tokens.
func ServiceAccounts() *datadogV2.ServiceAccountsApi {
	return datadogV2.NewServiceAccountsApi(Client())
}

// MakeUser makes a user for the length of the test; attributes may lack the email.
func MakeUser(t *testing.T, attributes Object, roles ...string) datadogV2.User {
	t.Helper()
	given := with(Object{"email": UniqueEmail()}, attributes)
	body := Body[datadogV2.UserCreateRequest](t, Resource("users", given, "roles", "roles", roles...))
	made := *Understood[datadogV2.UserResponse](t, 201)(Users().CreateUser(As(Admin()), body)).Data
	CleanUp(t, "/api/v2/users/"+*made.Id)
	return made
}

// MakeServiceAccount makes a service account for the length of the test; attributes may lack the email.
func MakeServiceAccount(t *testing.T, attributes Object, roles ...string) datadogV2.User {
	t.Helper()
	given := with(Object{"email": UniqueEmail(), "service_account": true}, attributes)
	body := Body[datadogV2.ServiceAccountCreateRequest](t, Resource("users", given, "roles", "roles", roles...))
	made := *Understood[datadogV2.UserResponse](t, 201)(ServiceAccounts().CreateServiceAccount(As(Admin()), body)).Data
	CleanUp(t, "/api/v2/users/"+*made.Id)
	return made
}

// MakeRole makes a role for the length of the test, with the default permissions and those given.
func MakeRole(t *testing.T, attributes Object, permissions ...string) datadogV2.RoleCreateResponseData {
	t.Helper()
	given := with(Object{"name": Unique("role")}, attributes)
	body := Body[datadogV2.RoleCreateRequest](t, Resource("roles", given, "permissions", "permissions", permissions...))
	made := *Understood[datadogV2.RoleCreateResponse](t, 200)(Roles().CreateRole(As(Admin()), body)).Data
	CleanUp(t, "/api/v2/roles/"+*made.Id)
	return made
}

// Permissions is the id of every permission by its name, and the ids of those that every new role gets.
func Permissions(t *testing.T) (ids map[string]string, defaults []string) {
	t.Helper()
	ids = map[string]string{}
	for _, one := range Understood[datadogV2.PermissionsResponse](t, 200)(Roles().ListPermissions(As(Admin()))).Data {
		ids[*one.Attributes.Name] = *one.Id
		if *one.Attributes.Restricted {
			defaults = append(defaults, *one.Id)
		}
	}
	return ids, defaults
}

func named(attributes Object) Object { return with(Object{"name": Unique("key")}, attributes) }

func with(defaults, attributes Object) Object {
	for name, value := range attributes {
		defaults[name] = value
	}
	return defaults
}
