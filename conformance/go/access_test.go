// Package conformance tells what the client is told without credentials, with unknown ones, and with scopes that do
// not reach; the operations of both versions.
package conformance

import (
	"context"
	"net/http"
	"slices"
	"testing"

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
	return []operation{
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
