package v2

import (
	"strings"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

type (
	user  = datadogV2.UserResponse
	users = datadogV2.UsersResponse
)

func updateUser(t *testing.T, id string, attributes Object) datadogV2.UserUpdateRequest {
	return Body[datadogV2.UserUpdateRequest](t, Patch("users", id, attributes))
}

func getUser(t *testing.T, id string) datadogV2.User {
	t.Helper()
	return *Understood[user](t, 200)(Users().GetUser(As(Admin()), id)).Data
}

func TestCreateUser(t *testing.T) {
	email := UniqueEmail()
	made := MakeUser(t, Object{"email": email, "name": "Client"})
	Matches(t, "id", UUID, *made.Id)
	Equal(t, "email", made.Attributes.Email, strings.ToLower(email))
	Equal(t, "handle", made.Attributes.Handle, strings.ToLower(email))
	Equal(t, "name", made.Attributes.Name.Get(), "Client")
	Equal(t, "title", made.Attributes.Title.Get(), nil)
	Equal(t, "status", made.Attributes.Status, "Pending")
	Equal(t, "disabled", made.Attributes.Disabled, false)
	Equal(t, "service_account", made.Attributes.ServiceAccount, false)
	Equal(t, "verified", made.Attributes.Verified, false)
	Equal(t, "org", made.Relationships.Org.Data.Id, OrgID)
	Equal(t, "count of roles", len(made.Relationships.Roles.Data), 0)
}

func TestCreateUserWithARole(t *testing.T) {
	permissions, _ := Permissions(t)
	role := *MakeRole(t, Object{"default_permissions_opt_out": true}, permissions["api_keys_read"]).Id
	made := MakeUser(t, nil, role)
	Equal(t, "role", made.Relationships.Roles.Data[0].Id, role)
	included := map[string]bool{}
	for _, item := range Understood[user](t, 200)(Users().GetUser(As(Admin()), *made.Id)).Included {
		if item.Role != nil {
			included[*item.Role.Id] = true
		} else if item.Permission != nil {
			included[*item.Permission.Id] = true
		}
	}
	if !included[role] || !included[permissions["api_keys_read"]] {
		t.Fatalf("the role and its permission are not included: %v", included)
	}
	listed := Understood[datadogV2.PermissionsResponse](t, 200)(Users().ListUserPermissions(As(Admin()), *made.Id)).Data
	Equal(t, "count of permissions", len(listed), 1)
	Equal(t, "permission", listed[0].Attributes.Name, "api_keys_read")
}

func TestCreateUserWithAnEmailTaken(t *testing.T) {
	made := MakeUser(t, nil)
	email := *made.Attributes.Email
	body := Body[datadogV2.UserCreateRequest](t, Data("users", Object{"email": strings.ToUpper(email)}))
	taken := RefusedCall[user](t, 409, "User "+email+" already exists")
	taken(Users().CreateUser(As(Admin()), body))
	Done(t, 204)(Users().DisableUser(As(Admin()), *made.Id))
	taken(Users().CreateUser(As(Admin()), body))
}

func TestCreateUserWithWrongBodies(t *testing.T) {
	for _, attributes := range []Object{{}, {"email": nil}, {"email": 7}, {"email": "nobody"}} {
		Send(t, "POST", "/api/v2/users", Data("users", attributes), Admin()).HasFailedWith(t, 400)
	}
	RefusedCall[user](t, 400)(Users().CreateUser(As(Admin()),
		Body[datadogV2.UserCreateRequest](t, Resource("users", Object{"email": UniqueEmail()}, "roles", "roles", UnknownID()))))
}

func TestUnknownOrMalformedUserID(t *testing.T) {
	for _, id := range []string{"invalidId", "00000000-dead-beef-dead-ffffffffffff", UnknownID()} {
		RefusedCall[user](t, 404, "user not found")(Users().GetUser(As(Admin()), id))
		RefusedCall[datadogV2.PermissionsResponse](t, 404, "user not found")(Users().ListUserPermissions(As(Admin()), id))
		RefusedCall[user](t, 404, id+" not found")(Users().UpdateUser(As(Admin()), id, updateUser(t, id, Object{"name": "x"})))
		RefusedDone(t, 404, id+" not found")(Users().DisableUser(As(Admin()), id))
	}
}

func TestListUsers(t *testing.T) {
	prefix := Unique("")
	b, c, a := MakeUser(t, Object{"name": prefix + "b"}), MakeUser(t, Object{"name": prefix + "C"}), MakeUser(t, Object{"name": prefix + "a"})
	Done(t, 204)(Users().DisableUser(As(Admin()), *b.Id))
	are := func(name string, with *datadogV2.ListUsersOptionalParameters, expected ...datadogV2.User) {
		t.Helper()
		if with.Filter == nil {
			with.Filter = &prefix
		}
		found, ids := []string{}, []string{}
		for _, one := range Understood[users](t, 200)(Users().ListUsers(As(Admin()), *with)).Data {
			found = append(found, *one.Id)
		}
		for _, one := range expected {
			ids = append(ids, *one.Id)
		}
		Equal(t, name, found, ids)
	}
	with := datadogV2.NewListUsersOptionalParameters
	are("by name", with(), a, b, c)
	are("page 1", with().WithPageSize(2).WithPageNumber(1), c)
	are("disabled", with().WithFilterStatus("Disabled"), b)
	are("pending", with().WithFilterStatus("Pending"), a, c)
	are("by email", with().WithFilter(*a.Attributes.Email), a)
	meta := Understood[users](t, 200)(Users().ListUsers(As(Admin()), *with().WithFilter(prefix))).Meta.Page
	Equal(t, "total_filtered_count", meta.TotalFilteredCount, int64(3))
	if *meta.TotalCount < 4 {
		t.Fatalf("total_count: %d", *meta.TotalCount)
	}
}

func TestUpdateUser(t *testing.T) {
	made := MakeUser(t, Object{"title": "Tester"})
	update := func(attributes Object) datadogV2.UserAttributes {
		t.Helper()
		body := updateUser(t, *made.Id, attributes)
		return *Understood[user](t, 200)(Users().UpdateUser(As(Admin()), *made.Id, body)).Data.Attributes
	}
	updated := update(Object{"name": "updated", "disabled": true})
	Equal(t, "name", updated.Name.Get(), "updated")
	Equal(t, "title", updated.Title.Get(), "Tester")
	Equal(t, "email", updated.Email, made.Attributes.Email)
	Equal(t, "disabled", updated.Disabled, true)
	Equal(t, "status", updated.Status, "Disabled")
	Equal(t, "disabled", update(Object{"disabled": false}).Disabled, false)
	RefusedCall[user](t, 422, "UUID's in the URL and request body do not match")(Users().UpdateUser(
		As(Admin()), *made.Id, updateUser(t, "00000000-mismatch-body-id-ffffffffffff", Object{"name": "x"})))
}

func TestDisableUserOnce(t *testing.T) {
	id := *MakeUser(t, nil).Id
	Done(t, 204)(Users().DisableUser(As(Admin()), id))
	Equal(t, "status", getUser(t, id).Attributes.Status, "Disabled")
	RefusedDone(t, 404, id+" not found")(Users().DisableUser(As(Admin()), id))
}

func TestInvitations(t *testing.T) {
	id := *MakeUser(t, nil).Id
	invitation := Object{"type": "user_invitations", "relationships": Object{"user": To("users", id)}}
	body := Body[datadogV2.UserInvitationsRequest](t, Object{"data": []Object{invitation}})
	sent := Understood[datadogV2.UserInvitationsResponse](t, 201)(Users().SendInvitations(As(Admin()), body)).Data
	Equal(t, "count", len(sent), 1)
	Equal(t, "uuid", sent[0].Attributes.Uuid, sent[0].Id)
	Equal(t, "invite_type", sent[0].Attributes.InviteType, "basic_invite")
	Equal(t, "lasts", sent[0].Attributes.ExpiresAt.Sub(*sent[0].Attributes.CreatedAt), 48*time.Hour)
	found := Understood[datadogV2.UserInvitationResponse](t, 200)(Users().GetInvitation(As(Admin()), *sent[0].Id)).Data
	Equal(t, "id", found.Id, sent[0].Id)
	Equal(t, "user", found.Relationships.User.Data.Id, id)
	Status[datadogV2.UserInvitationResponse](t, 404)(Users().GetInvitation(As(Admin()), UnknownID()))
	none := Body[datadogV2.UserInvitationsRequest](t, Object{"data": []Object{}})
	RefusedCall[datadogV2.UserInvitationsResponse](t, 400)(Users().SendInvitations(As(Admin()), none))
}
