// Package conformance tells what the client is told without credentials, with unknown ones, and with scopes that do
// not reach; the operations of keys, in both versions, of tokens and of people.
package conformance

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

type operation struct {
	name string
	// Any one of them opens it.
	permissions []string
	call        func(context.Context) (*http.Response, error)
}

func operations(t *testing.T) []operation {
	v1, v2 := datadogV1.NewKeyManagementApi(Client()), Keys()
	id := UnknownID()
	named := Object{"name": "x"}
	keyV1, applicationKeyV1 := Body[datadogV1.ApiKey](t, named), Body[datadogV1.ApplicationKey](t, named)
	newKey := Body[datadogV2.APIKeyCreateRequest](t, Data("api_keys", named))
	newApplicationKey := Body[datadogV2.ApplicationKeyCreateRequest](t, Data("application_keys", named))
	key := Body[datadogV2.APIKeyUpdateRequest](t, Patch("api_keys", id, named))
	applicationKey := Body[datadogV2.ApplicationKeyUpdateRequest](t, Patch("application_keys", id, named))
	read, write := []string{"org_app_keys_read", "user_app_keys"}, []string{"org_app_keys_write", "user_app_keys"}
	own := []string{"user_app_keys"}

	type ctx = context.Context
	return append(people(t), []operation{
		{"v1 ListAPIKeys", []string{"api_keys_read"}, func(c ctx) (*http.Response, error) { return told(v1.ListAPIKeys(c)) }},
		{"v1 CreateAPIKey", []string{"api_keys_write"}, func(c ctx) (*http.Response, error) { return told(v1.CreateAPIKey(c, keyV1)) }},
		{"v1 GetAPIKey", []string{"api_keys_read"}, func(c ctx) (*http.Response, error) { return told(v1.GetAPIKey(c, UnknownAPIKey)) }},
		{"v1 UpdateAPIKey", []string{"api_keys_write"}, func(c ctx) (*http.Response, error) { return told(v1.UpdateAPIKey(c, UnknownAPIKey, keyV1)) }},
		{"v1 DeleteAPIKey", []string{"api_keys_delete"}, func(c ctx) (*http.Response, error) { return told(v1.DeleteAPIKey(c, UnknownAPIKey)) }},
		{"v1 ListApplicationKeys", read, func(c ctx) (*http.Response, error) { return told(v1.ListApplicationKeys(c)) }},
		{"v1 CreateApplicationKey", own, func(c ctx) (*http.Response, error) { return told(v1.CreateApplicationKey(c, applicationKeyV1)) }},
		{"v1 GetApplicationKey", read, func(c ctx) (*http.Response, error) { return told(v1.GetApplicationKey(c, UnknownApplicationKey)) }},
		{"v1 UpdateApplicationKey", write, func(c ctx) (*http.Response, error) {
			return told(v1.UpdateApplicationKey(c, UnknownApplicationKey, applicationKeyV1))
		}},
		{"v1 DeleteApplicationKey", write, func(c ctx) (*http.Response, error) { return told(v1.DeleteApplicationKey(c, UnknownApplicationKey)) }},
		{"v1 CreateChildOrg", []string{"org_management"}, func(c ctx) (*http.Response, error) {
			return told(datadogV1.NewOrganizationsApi(Client()).CreateChildOrg(c, datadogV1.OrganizationCreateBody{Name: "x"}))
		}},
		{"v2 ListAPIKeys", []string{"api_keys_read"}, func(c ctx) (*http.Response, error) { return told(v2.ListAPIKeys(c)) }},
		{"v2 CreateAPIKey", []string{"api_keys_write"}, func(c ctx) (*http.Response, error) { return told(v2.CreateAPIKey(c, newKey)) }},
		{"v2 GetAPIKey", []string{"api_keys_read"}, func(c ctx) (*http.Response, error) { return told(v2.GetAPIKey(c, id)) }},
		{"v2 UpdateAPIKey", []string{"api_keys_write"}, func(c ctx) (*http.Response, error) { return told(v2.UpdateAPIKey(c, id, key)) }},
		{"v2 DeleteAPIKey", []string{"api_keys_delete"}, func(c ctx) (*http.Response, error) { return v2.DeleteAPIKey(c, id) }},
		{"v2 ListApplicationKeys", []string{"org_app_keys_read"}, func(c ctx) (*http.Response, error) { return told(v2.ListApplicationKeys(c)) }},
		{"v2 GetApplicationKey", []string{"org_app_keys_read"}, func(c ctx) (*http.Response, error) { return told(v2.GetApplicationKey(c, id)) }},
		{"v2 UpdateApplicationKey", []string{"org_app_keys_write"}, func(c ctx) (*http.Response, error) {
			return told(v2.UpdateApplicationKey(c, id, applicationKey))
		}},
		{"v2 DeleteApplicationKey", []string{"org_app_keys_write"}, func(c ctx) (*http.Response, error) { return v2.DeleteApplicationKey(c, id) }},
		{"v2 ListCurrentUserApplicationKeys", own, func(c ctx) (*http.Response, error) { return told(v2.ListCurrentUserApplicationKeys(c)) }},
		{"v2 CreateCurrentUserApplicationKey", own, func(c ctx) (*http.Response, error) {
			return told(v2.CreateCurrentUserApplicationKey(c, newApplicationKey))
		}},
		{"v2 GetCurrentUserApplicationKey", own, func(c ctx) (*http.Response, error) { return told(v2.GetCurrentUserApplicationKey(c, id)) }},
		{"v2 UpdateCurrentUserApplicationKey", own, func(c ctx) (*http.Response, error) {
			return told(v2.UpdateCurrentUserApplicationKey(c, id, applicationKey))
		}},
		{"v2 DeleteCurrentUserApplicationKey", own, func(c ctx) (*http.Response, error) { return v2.DeleteCurrentUserApplicationKey(c, id) }},
	}...)
}

// people are the operations of tokens, users, roles and service accounts.
func people(t *testing.T) []operation {
	keys, users, roles, accounts := Keys(), Users(), Roles(), ServiceAccounts()
	id := UnknownID()
	named := Object{"name": "x"}
	end := time.Now().AddDate(0, 1, 0).Format(time.RFC3339)
	tokenNamed := Object{"name": "x", "scopes": []string{"dashboards_read"}, "expires_at": end}
	newToken := Body[datadogV2.PersonalAccessTokenCreateRequest](t, Data("personal_access_tokens", tokenNamed))
	token := Body[datadogV2.PersonalAccessTokenUpdateRequest](t, Patch("personal_access_tokens", id, named))
	newUser := Body[datadogV2.UserCreateRequest](t, Data("users", Object{"email": "a@example.com"}))
	user := Body[datadogV2.UserUpdateRequest](t, Patch("users", id, named))
	invitation := Object{"type": "user_invitations", "relationships": Object{"user": To("users", id)}}
	invitations := Body[datadogV2.UserInvitationsRequest](t, Object{"data": []Object{invitation}})
	newRole := Body[datadogV2.RoleCreateRequest](t, Data("roles", named))
	role := Body[datadogV2.RoleUpdateRequest](t, Patch("roles", id, named))
	clone := Body[datadogV2.RoleCloneRequest](t, Data("roles", named))
	toUser := Body[datadogV2.RelationshipToUser](t, To("users", id))
	toPermission := Body[datadogV2.RelationshipToPermission](t, To("permissions", id))
	newAccount := Body[datadogV2.ServiceAccountCreateRequest](t,
		Data("users", Object{"email": "a@example.com", "service_account": true}))
	newKey := Body[datadogV2.ApplicationKeyCreateRequest](t, Data("application_keys", named))
	key := Body[datadogV2.ApplicationKeyUpdateRequest](t, Patch("application_keys", id, named))
	newAccountsToken := Body[datadogV2.ServiceAccountAccessTokenCreateRequest](t, Data("service_access_tokens", tokenNamed))
	accountsToken := Body[datadogV2.ServiceAccountAccessTokenUpdateRequest](t, Patch("service_access_tokens", id, named))

	own := []string{"user_app_keys"}
	readTokens, writeTokens := []string{"user_app_keys", "org_app_keys_read"}, []string{"user_app_keys", "org_app_keys_write"}
	read, invite := []string{"user_access_read", "user_access_manage"}, []string{"user_access_invite", "user_access_manage"}
	manage, machines := []string{"user_access_manage"}, []string{"service_account_write"}
	// The second reaches service accounts alone.
	change := []string{"user_access_manage", "service_account_write"}

	type ctx = context.Context
	return []operation{
		{"ListPersonalAccessTokens", readTokens, func(c ctx) (*http.Response, error) {
			return told(keys.ListPersonalAccessTokens(c))
		}},
		{"CreatePersonalAccessToken", own, func(c ctx) (*http.Response, error) {
			return told(keys.CreatePersonalAccessToken(c, newToken))
		}},
		{"GetPersonalAccessToken", readTokens, func(c ctx) (*http.Response, error) {
			return told(keys.GetPersonalAccessToken(c, id))
		}},
		{"UpdatePersonalAccessToken", writeTokens, func(c ctx) (*http.Response, error) {
			return told(keys.UpdatePersonalAccessToken(c, id, token))
		}},
		{"RevokePersonalAccessToken", writeTokens, func(c ctx) (*http.Response, error) {
			return keys.RevokePersonalAccessToken(c, id)
		}},
		{"ListUsers", read, func(c ctx) (*http.Response, error) {
			return told(users.ListUsers(c))
		}},
		{"CreateUser", invite, func(c ctx) (*http.Response, error) {
			return told(users.CreateUser(c, newUser))
		}},
		{"GetUser", read, func(c ctx) (*http.Response, error) {
			return told(users.GetUser(c, id))
		}},
		{"UpdateUser", change, func(c ctx) (*http.Response, error) {
			return told(users.UpdateUser(c, id, user))
		}},
		{"DisableUser", change, func(c ctx) (*http.Response, error) {
			return users.DisableUser(c, id)
		}},
		{"ListUserPermissions", read, func(c ctx) (*http.Response, error) {
			return told(users.ListUserPermissions(c, id))
		}},
		{"SendInvitations", invite, func(c ctx) (*http.Response, error) {
			return told(users.SendInvitations(c, invitations))
		}},
		{"GetInvitation", invite, func(c ctx) (*http.Response, error) {
			return told(users.GetInvitation(c, id))
		}},
		{"ListPermissions", read, func(c ctx) (*http.Response, error) {
			return told(roles.ListPermissions(c))
		}},
		{"ListRoles", read, func(c ctx) (*http.Response, error) {
			return told(roles.ListRoles(c))
		}},
		{"CreateRole", manage, func(c ctx) (*http.Response, error) {
			return told(roles.CreateRole(c, newRole))
		}},
		{"GetRole", read, func(c ctx) (*http.Response, error) {
			return told(roles.GetRole(c, id))
		}},
		{"UpdateRole", manage, func(c ctx) (*http.Response, error) {
			return told(roles.UpdateRole(c, id, role))
		}},
		{"DeleteRole", manage, func(c ctx) (*http.Response, error) {
			return roles.DeleteRole(c, id)
		}},
		{"CloneRole", manage, func(c ctx) (*http.Response, error) {
			return told(roles.CloneRole(c, id, clone))
		}},
		{"ListRoleUsers", read, func(c ctx) (*http.Response, error) {
			return told(roles.ListRoleUsers(c, id))
		}},
		{"AddUserToRole", manage, func(c ctx) (*http.Response, error) {
			return told(roles.AddUserToRole(c, id, toUser))
		}},
		{"RemoveUserFromRole", manage, func(c ctx) (*http.Response, error) {
			return told(roles.RemoveUserFromRole(c, id, toUser))
		}},
		{"ListRolePermissions", read, func(c ctx) (*http.Response, error) {
			return told(roles.ListRolePermissions(c, id))
		}},
		{"AddPermissionToRole", manage, func(c ctx) (*http.Response, error) {
			return told(roles.AddPermissionToRole(c, id, toPermission))
		}},
		{"RemovePermissionFromRole", manage, func(c ctx) (*http.Response, error) {
			return told(roles.RemovePermissionFromRole(c, id, toPermission))
		}},
		{"CreateServiceAccount", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.CreateServiceAccount(c, newAccount))
		}},
		{"ListServiceAccountApplicationKeys", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.ListServiceAccountApplicationKeys(c, id))
		}},
		{"CreateServiceAccountApplicationKey", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.CreateServiceAccountApplicationKey(c, id, newKey))
		}},
		{"GetServiceAccountApplicationKey", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.GetServiceAccountApplicationKey(c, id, id))
		}},
		{"UpdateServiceAccountApplicationKey", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.UpdateServiceAccountApplicationKey(c, id, id, key))
		}},
		{"DeleteServiceAccountApplicationKey", machines, func(c ctx) (*http.Response, error) {
			return accounts.DeleteServiceAccountApplicationKey(c, id, id)
		}},
		{"ListServiceAccountAccessTokens", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.ListServiceAccountAccessTokens(c, id))
		}},
		{"CreateServiceAccountAccessToken", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.CreateServiceAccountAccessToken(c, id, newAccountsToken))
		}},
		{"GetServiceAccountAccessToken", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.GetServiceAccountAccessToken(c, id, id))
		}},
		{"UpdateServiceAccountAccessToken", machines, func(c ctx) (*http.Response, error) {
			return told(accounts.UpdateServiceAccountAccessToken(c, id, id, accountsToken))
		}},
		{"RevokeServiceAccountAccessToken", machines, func(c ctx) (*http.Response, error) {
			return accounts.RevokeServiceAccountAccessToken(c, id, id)
		}},
	}
}

// told leaves out the answer's body.
func told[T any](_ T, response *http.Response, err error) (*http.Response, error) {
	return response, err
}

func TestUnknownAPIKey(t *testing.T) {
	for _, operation := range operations(t) {
		t.Run(operation.name, func(t *testing.T) {
			response, err := operation.call(As(WithAPIKey(UnknownAPIKey)))
			Refused(t, response, err, 403, "Forbidden")
		})
	}
}

func TestMissingOrUnknownApplicationKey(t *testing.T) {
	for _, operation := range operations(t) {
		for _, key := range []string{"", UnknownApplicationKey} {
			t.Run(operation.name+" "+key, func(t *testing.T) {
				response, err := operation.call(As(WithApplicationKey(key)))
				Refused(t, response, err, 401, "Unauthorized")
			})
		}
	}
}

func TestScopesThatDoNotReach(t *testing.T) {
	every := operations(t)
	for _, operation := range every {
		others := []string{"dashboards_read"}
		for _, other := range every {
			for _, permission := range other.permissions {
				if !slices.Contains(operation.permissions, permission) && !slices.Contains(others, permission) {
					others = append(others, permission)
				}
			}
		}
		t.Run(operation.name, func(t *testing.T) {
			key := MakeApplicationKey(t, Object{"scopes": others})
			response, err := operation.call(As(WithApplicationKey(*key.Attributes.Key)))
			Refused(t, response, err, 403, NoPermission...)
		})
	}
}

func TestNoCredentials(t *testing.T) {
	Send(t, "GET", "/api/v2/api_keys", nil, Credentials{}).Is(t, 403, "application/json", APIKeyRequiredBody)
}

func TestUnknownAPIKeyToTheByte(t *testing.T) {
	Send(t, "GET", "/api/v2/api_keys", nil, WithAPIKey(UnknownAPIKey)).Is(t, 403, "application/json", UnknownAPIKeyBody)
}

func TestRevokedKeys(t *testing.T) {
	apiKey, applicationKey := MakeAPIKey(t, nil), MakeApplicationKey(t, nil)
	keys := Keys()
	ctx := As(Credentials{APIKey: *apiKey.Attributes.Key, ApplicationKey: *applicationKey.Attributes.Key})
	Understood[datadogV2.ListApplicationKeysResponse](t, 200)(keys.ListApplicationKeys(ctx))
	Done(t, 204)(keys.DeleteApplicationKey(ctx, *applicationKey.Id))
	RefusedCall[datadogV2.ListApplicationKeysResponse](t, 401, "Unauthorized")(keys.ListApplicationKeys(ctx))
	Done(t, 204)(keys.DeleteAPIKey(As(Admin()), *apiKey.Id))
	RefusedCall[datadogV2.ListApplicationKeysResponse](t, 403, "Forbidden")(keys.ListApplicationKeys(ctx))
}
