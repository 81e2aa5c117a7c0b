package v2

import (
	"slices"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

const noRole = "00000000-dead-beef-dead-ffffffffffff"

type (
	role        = datadogV2.RoleResponse
	roleUpdated = datadogV2.RoleUpdateResponse
	permissions = datadogV2.PermissionsResponse
)

func updateRole(t *testing.T, id string, attributes Object, permissions ...string) datadogV2.RoleUpdateRequest {
	body := Patch("roles", id, attributes)
	if len(permissions) > 0 {
		body["data"].(Object)["relationships"] =
			Resource("", nil, "permissions", "permissions", permissions...)["data"].(Object)["relationships"]
	}
	return Body[datadogV2.RoleUpdateRequest](t, body)
}

func getRole(t *testing.T, id string) datadogV2.Role {
	t.Helper()
	return *Understood[role](t, 200)(Roles().GetRole(As(Admin()), id)).Data
}

func permissionIDs(linked []datadogV2.RelationshipToPermissionData) []string {
	ids := []string{}
	for _, one := range linked {
		ids = append(ids, *one.Id)
	}
	return ids
}

func listedIDs(listed permissions) []string {
	ids := []string{}
	for _, one := range listed.Data {
		ids = append(ids, *one.Id)
	}
	return ids
}

func TestPermissions(t *testing.T) {
	ids, defaults := Permissions(t)
	Equal(t, "count", len(ids), 345)
	Equal(t, "count of the default ones", len(defaults), 10)
	Equal(t, "admin", ids["admin"], "984a2bd4-d3b4-11e8-a1ff-a7f660d43029")
	Equal(t, "user_app_keys", ids["user_app_keys"], "46a301da-ec5c-11ea-aa9f-73bedeab67ee")
	Equal(t, "content type", Send(t, "GET", "/api/v2/permissions", nil, Admin()).ContentType, "application/vnd.api+json")
}

func TestCreateRole(t *testing.T) {
	name := Unique("role")
	ids, defaults := Permissions(t)
	made := MakeRole(t, Object{"name": name})
	Matches(t, "id", UUID, *made.Id)
	Equal(t, "name", made.Attributes.Name, name)
	SameSet(t, "permissions", permissionIDs(made.Relationships.Permissions.Data), defaults)
	extra := ids["api_keys_read"]
	SameSet(t, "permissions", permissionIDs(MakeRole(t, nil, extra).Relationships.Permissions.Data), append(defaults, extra))
	bare := MakeRole(t, Object{"default_permissions_opt_out": true}, extra)
	SameSet(t, "permissions", permissionIDs(bare.Relationships.Permissions.Data), []string{extra})
}

func TestCreateRoleWithWrongBodies(t *testing.T) {
	for _, attributes := range []Object{{}, {"name": nil}, {"name": "  "}} {
		Send(t, "POST", "/api/v2/roles", Data("roles", attributes), Admin()).HasFailedWith(t, 400)
	}
	unknown := Body[datadogV2.RoleCreateRequest](t,
		Resource("roles", Object{"name": Unique("role")}, "permissions", "permissions", UnknownID()))
	RefusedCall[datadogV2.RoleCreateResponse](t, 400)(Roles().CreateRole(As(Admin()), unknown))
}

func TestGetRole(t *testing.T) {
	made := MakeRole(t, nil)
	found := getRole(t, *made.Id)
	Equal(t, "id", found.Id, made.Id)
	Equal(t, "name", found.Attributes.Name, made.Attributes.Name)
	Equal(t, "user_count", found.Attributes.UserCount, int64(0))
	for _, id := range []string{"invalidId", UnknownID()} {
		Status[role](t, 404)(Roles().GetRole(As(Admin()), id))
	}
}

func TestListRoles(t *testing.T) {
	prefix := Unique("")
	b, c, a := MakeRole(t, Object{"name": prefix + "b"}), MakeRole(t, Object{"name": prefix + "C"}), MakeRole(t, Object{"name": prefix + "a"})
	are := func(name string, with *datadogV2.ListRolesOptionalParameters, expected ...datadogV2.RoleCreateResponseData) {
		t.Helper()
		listed := Understood[datadogV2.RolesResponse](t, 200)(Roles().ListRoles(As(Admin()), *with.WithFilter(prefix)))
		Equal(t, "total_filtered_count", listed.Meta.Page.TotalFilteredCount, int64(3))
		found, ids := []string{}, []string{}
		for _, one := range listed.Data {
			found = append(found, *one.Id)
		}
		for _, one := range expected {
			ids = append(ids, *one.Id)
		}
		Equal(t, name, found, ids)
	}
	with := datadogV2.NewListRolesOptionalParameters
	are("by name", with(), a, b, c)
	are("page 1", with().WithPageSize(2).WithPageNumber(1), c)
	are("by name, reversed", with().WithSort(datadogV2.ROLESSORT_NAME_DESCENDING), c, b, a)
}

func TestUpdateRole(t *testing.T) {
	ids, defaults := Permissions(t)
	made, name := MakeRole(t, nil, ids["api_keys_read"]), Unique("updated")
	body := updateRole(t, *made.Id, Object{"name": name})
	Equal(t, "name", Understood[roleUpdated](t, 200)(Roles().UpdateRole(As(Admin()), *made.Id, body)).Data.Attributes.Name, name)
	body = updateRole(t, *made.Id, Object{"name": name}, ids["api_keys_write"])
	Understood[roleUpdated](t, 200)(Roles().UpdateRole(As(Admin()), *made.Id, body))
	linked := getRole(t, *made.Id).Relationships.Permissions.Data
	SameSet(t, "permissions", permissionIDs(linked), append(defaults, ids["api_keys_write"]))

	RefusedCall[roleUpdated](t, 400, "Invalid input ")(Roles().UpdateRole(
		As(Admin()), *made.Id, updateRole(t, *made.Id, Object{"name": name}, "11111111-dead-beef-dead-ffffffffffff")))
	RefusedCall[roleUpdated](t, 422, "The id attribute in the request body does not match the role_id in the URL")(
		Roles().UpdateRole(As(Admin()), *made.Id, updateRole(t, noRole, Object{"name": name})))
	RefusedCall[roleUpdated](t, 404, noRole+" not found")(
		Roles().UpdateRole(As(Admin()), noRole, updateRole(t, noRole, Object{"name": name})))
}

func TestDeleteRoleTakesItFromItsUsers(t *testing.T) {
	id := *MakeRole(t, nil).Id
	userID := *MakeUser(t, nil, id).Id
	Done(t, 204)(Roles().DeleteRole(As(Admin()), id))
	Equal(t, "count of roles", len(getUser(t, userID).Relationships.Roles.Data), 0)
	Status[role](t, 404)(Roles().GetRole(As(Admin()), id))
	RefusedDone(t, 404, id+" not found")(Roles().DeleteRole(As(Admin()), id))
}

func TestCloneRole(t *testing.T) {
	ids, _ := Permissions(t)
	made := MakeRole(t, Object{"default_permissions_opt_out": true}, ids["api_keys_read"])
	clone := func(name string) datadogV2.RoleCloneRequest {
		return Body[datadogV2.RoleCloneRequest](t, Data("roles", Object{"name": name}))
	}
	name := Unique("clone")
	cloned := Understood[role](t, 200)(Roles().CloneRole(As(Admin()), *made.Id, clone(name))).Data
	CleanUp(t, "/api/v2/roles/"+*cloned.Id)
	Equal(t, "name", cloned.Attributes.Name, name)
	SameSet(t, "permissions", permissionIDs(getRole(t, *cloned.Id).Relationships.Permissions.Data), []string{ids["api_keys_read"]})
	RefusedCall[role](t, 409, "A role with the same name already exists")(
		Roles().CloneRole(As(Admin()), *made.Id, clone(made.Attributes.Name)))
	RefusedCall[role](t, 400, "Role names cannot be only whitespace")(Roles().CloneRole(As(Admin()), *made.Id, clone("    ")))
}

func TestUsersOfARole(t *testing.T) {
	roleID, userID := *MakeRole(t, nil).Id, *MakeUser(t, nil).Id
	body := Body[datadogV2.RelationshipToUser](t, To("users", userID))
	added := Understood[users](t, 200)(Roles().AddUserToRole(As(Admin()), roleID, body))
	Equal(t, "added", added.Data[0].Id, userID)
	Equal(t, "role", added.Data[0].Relationships.Roles.Data[0].Id, roleID)
	Equal(t, "total_count", added.Meta.Page.TotalCount, int64(1))
	listed := Understood[users](t, 200)(Roles().ListRoleUsers(As(Admin()), roleID))
	Equal(t, "listed", listed.Data[0].Id, userID)
	Equal(t, "total_count", listed.Meta.Page.TotalCount, int64(1))
	Equal(t, "user_count", getRole(t, roleID).Attributes.UserCount, int64(1))
	removed := Understood[users](t, 200)(Roles().RemoveUserFromRole(As(Admin()), roleID, body))
	Equal(t, "total_count", removed.Meta.Page.TotalCount, int64(0))

	Status[users](t, 404)(Roles().AddUserToRole(As(Admin()), noRole, body))
	nobody := Body[datadogV2.RelationshipToUser](t, To("users", UnknownID()))
	Status[users](t, 404)(Roles().AddUserToRole(As(Admin()), roleID, nobody))
}

func TestPermissionsOfARole(t *testing.T) {
	ids, defaults := Permissions(t)
	roleID := *MakeRole(t, nil).Id
	body := Body[datadogV2.RelationshipToPermission](t, To("permissions", ids["admin"]))
	granted := listedIDs(Understood[permissions](t, 200)(Roles().AddPermissionToRole(As(Admin()), roleID, body)))
	if !slices.Contains(granted, ids["admin"]) {
		t.Fatal("what was granted is not listed")
	}
	SameSet(t, "listed", listedIDs(Understood[permissions](t, 200)(Roles().ListRolePermissions(As(Admin()), roleID))), granted)
	revoked := Understood[permissions](t, 200)(Roles().RemovePermissionFromRole(As(Admin()), roleID, body))
	SameSet(t, "revoked", listedIDs(revoked), defaults)

	RefusedCall[permissions](t, 404, noRole+" not found")(Roles().RemovePermissionFromRole(As(Admin()), noRole, body))
	unknown := Body[datadogV2.RelationshipToPermission](t, To("permissions", "11111111-dead-beef-dead-ffffffffffff"))
	RefusedCall[permissions](t, 400)(Roles().RemovePermissionFromRole(As(Admin()), roleID, unknown))
	RefusedCall[permissions](t, 400)(Roles().AddPermissionToRole(As(Admin()), roleID, unknown))
}
