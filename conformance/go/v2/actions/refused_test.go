package actions

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

// detailOf is the only error's detail.
func detailOf(t *testing.T, response *http.Response, err error, status int) string {
	t.Helper()
	var failure datadog.GenericOpenAPIError
	if !errors.As(err, &failure) || response.StatusCode != status {
		t.Fatalf("expected status %d, but found %v", status, err)
	}
	var body struct {
		Errors []struct{ Detail string }
	}
	if err := json.Unmarshal(failure.Body(), &body); err != nil || len(body.Errors) != 1 {
		t.Fatalf("not one error: %s", failure.Body())
	}
	return body.Errors[0].Detail
}

// refused asserts that a client's call fails with a detail that holds this.
func refused[T any](t *testing.T, status int, told string) func(answer T, response *http.Response, err error) {
	t.Helper()
	return func(_ T, response *http.Response, err error) {
		t.Helper()
		if detail := detailOf(t, response, err, status); !strings.Contains(detail, told) {
			t.Fatalf("%q is not in %q", told, detail)
		}
	}
}

func TestErrorsAreTheRecordedOnes(t *testing.T) {
	aws := ExampleOf("AWSAssumeRole").Create
	bad := asJSON(t, aws)
	bad["credentials"].(Object)["account_id"] = "1"
	update := func(integration any) datadogV2.UpdateActionConnectionRequest {
		return typed[datadogV2.UpdateActionConnectionRequest](t, Object{"integration": integration})
	}
	exactly := func(name string, status int, told string) func(*http.Response, error) {
		return func(response *http.Response, err error) {
			t.Helper()
			Equal(t, name, detailOf(t, response, err, status), told)
		}
	}
	api, admin, unknown := Connections(), As(Admin()), UnknownID()
	_, response, err := api.CreateActionConnection(admin, newConnection(t, bad, nil))
	exactly("create", 400, RecordedDetail("create-a-new-action-connection-returns-bad-request"))(response, err)
	for _, id := range []string{*makeConnection(t, aws, nil).Id, unknown} {
		_, response, err = api.UpdateActionConnection(admin, id, update(bad))
		exactly("update", 400, RecordedDetail("update-an-existing-action-connection-returns-bad-request"))(response, err)
	}
	_, response, err = api.GetActionConnection(admin, unknown)
	exactly("get", 404, RecordedDetail("get-an-existing-action-connection-returns-not-found"))(response, err)
	_, response, err = api.UpdateActionConnection(admin, unknown, update(aws))
	exactly("update", 404, RecordedDetail("update-an-existing-action-connection-returns-not-found"))(response, err)
	response, err = api.DeleteActionConnection(admin, unknown)
	exactly("delete", 404, RecordedDetail(
		"delete-an-existing-action-connection-returns-successfully-deleted-action-connection"))(response, err)

	const malformed = "error connectionId not a valid UUID"
	_, response, err = api.GetActionConnection(admin, "invalidId")
	exactly("get", 400, malformed)(response, err)
	_, response, err = api.UpdateActionConnection(admin, "invalidId", update(aws))
	exactly("update", 400, malformed)(response, err)
	response, err = api.DeleteActionConnection(admin, "invalidId")
	exactly("delete", 400, malformed)(response, err)
}

type call struct {
	right string
	make  func(context.Context) (*http.Response, error)
}

// calls are one of each operation, on connections made for them.
func calls(t *testing.T) []call {
	gitlab := ExampleOf("GitlabAPIKey").Create
	id, last := *makeConnection(t, gitlab, nil).Id, *makeConnection(t, gitlab, nil).Id
	renamed := typed[datadogV2.UpdateActionConnectionRequest](t, Object{"name": "Renamed"})
	return []call{
		{"read", func(ctx context.Context) (*http.Response, error) {
			_, response, err := Connections().GetActionConnection(ctx, id)
			return response, err
		}},
		{"write", func(ctx context.Context) (*http.Response, error) {
			made, response, err := Connections().CreateActionConnection(ctx, newConnection(t, gitlab, nil))
			if err == nil {
				CleanUp(t, ConnectionsPath+"/"+*made.Data.Id)
			}
			return response, err
		}},
		{"write", func(ctx context.Context) (*http.Response, error) {
			_, response, err := Connections().UpdateActionConnection(ctx, id, renamed)
			return response, err
		}},
		{"write", func(ctx context.Context) (*http.Response, error) {
			return Connections().DeleteActionConnection(ctx, last)
		}},
	}
}

func TestAKeyMustBeRegistered(t *testing.T) {
	key := MakeApplicationKey(t, nil)
	as := As(WithApplicationKey(*key.Attributes.Key))
	operations := calls(t)
	for _, one := range operations {
		response, err := one.make(as)
		refused[any](t, 403, "not registered")(nil, response, err)
	}
	Understood[datadogV2.RegisterAppKeyResponse](t, 201)(Connections().RegisterAppKey(As(Admin()), *key.Id))
	CleanUp(t, "/api/v2/actions/app_key_registrations/"+*key.Id)
	for _, one := range operations {
		if _, err := one.make(as); err != nil {
			t.Fatalf("%s: %v", one.right, err)
		}
	}
}

func TestATokenMustNameTheScope(t *testing.T) {
	for _, scope := range []string{"connections_read", "connections_write", "connection_write", "dashboards_read"} {
		request := Data("personal_access_tokens", Object{"name": Unique("token"), "scopes": []string{scope}, "expires_at": end()})
		token := Understood[datadogV2.PersonalAccessTokenCreateResponse](t, 201)(Keys().CreatePersonalAccessToken(
			As(Admin()), Body[datadogV2.PersonalAccessTokenCreateRequest](t, request))).Data
		CleanUp(t, "/api/v2/personal_access_tokens/"+*token.Id)
		as := As(Credentials{Token: *token.Attributes.Key})
		for _, one := range calls(t) {
			response, err := one.make(as)
			if strings.HasPrefix(scope, "connection") && strings.HasSuffix(scope, one.right) {
				if err != nil {
					t.Fatalf("%s by %s: %v", one.right, scope, err)
				}
			} else {
				refused[any](t, 403, "Failed permission authorization checks")(nil, response, err)
			}
		}
	}
}
