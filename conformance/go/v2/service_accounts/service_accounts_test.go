// Package service_accounts tests `/api/v2/service_accounts` by the client: the accounts, their application keys and
// their tokens.
package service_accounts

import (
	"strings"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

func TestCreate(t *testing.T) {
	role, email := *MakeRole(t, nil).Id, UniqueEmail()
	made := MakeServiceAccount(t, Object{"email": email, "name": "Robot"}, role)
	Equal(t, "email", made.Attributes.Email, strings.ToLower(email))
	Equal(t, "name", made.Attributes.Name.Get(), "Robot")
	Equal(t, "handle", made.Attributes.Handle, made.Id)
	Equal(t, "service_account", made.Attributes.ServiceAccount, true)
	Equal(t, "verified", made.Attributes.Verified, true)
	Equal(t, "disabled", made.Attributes.Disabled, false)
	Equal(t, "status", made.Attributes.Status, "Active")
	Equal(t, "role", made.Relationships.Roles.Data[0].Id, role)
	if *MakeServiceAccount(t, Object{"email": email}).Id == *made.Id {
		t.Fatal("two service accounts with one email are one")
	}
}

func TestCreateWithWrongBodies(t *testing.T) {
	for _, attributes := range []Object{
		{"email": "robot@example.com"},
		{"service_account": true},
		{"email": "robot@example.com", "service_account": false},
	} {
		Send(t, "POST", "/api/v2/service_accounts", Data("users", attributes), Admin()).HasFailedWith(t, 400)
	}
}

func TestIsReadAndDisabledAsAUser(t *testing.T) {
	id := *MakeServiceAccount(t, nil).Id
	found := Understood[datadogV2.UserResponse](t, 200)(Users().GetUser(As(Admin()), id)).Data
	Equal(t, "service_account", found.Attributes.ServiceAccount, true)
	Done(t, 204)(Users().DisableUser(As(Admin()), id))
	found = Understood[datadogV2.UserResponse](t, 200)(Users().GetUser(As(Admin()), id)).Data
	Equal(t, "status", found.Attributes.Status, "Disabled")
}
