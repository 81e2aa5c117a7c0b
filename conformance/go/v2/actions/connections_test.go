// Package actions tests `/api/v2/actions/connections`.
package actions

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

type (
	made    = datadogV2.CreateActionConnectionResponse
	found   = datadogV2.GetActionConnectionResponse
	changed = datadogV2.UpdateActionConnectionResponse
	data    = datadogV2.ActionConnectionData
)

// asJSON is one of the client's values, as the client writes it.
func asJSON(t *testing.T, value any) Object {
	t.Helper()
	var object Object
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// typed makes a body of the client's own types, which say all that the JSON says.
func typed[T any](t *testing.T, attributes Object) T {
	t.Helper()
	request := Data("action_connection", attributes)
	body := Body[T](t, request)
	Equal(t, "what the client sends", asJSON(t, body), asJSON(t, request))
	return body
}

func newConnection(t *testing.T, integration any, attributes Object) datadogV2.CreateActionConnectionRequest {
	t.Helper()
	given := Object{"name": Unique("connection"), "integration": integration}
	for name, value := range attributes {
		given[name] = value
	}
	return typed[datadogV2.CreateActionConnectionRequest](t, given)
}

func makeConnection(t *testing.T, integration any, attributes Object) data {
	t.Helper()
	made := Understood[made](t, 201)(Connections().CreateActionConnection(As(Admin()), newConnection(t, integration, attributes))).Data
	CleanUp(t, ConnectionsPath+"/"+*made.Id)
	return *made
}

func updateConnection(t *testing.T, id string, attributes Object) data {
	t.Helper()
	body := typed[datadogV2.UpdateActionConnectionRequest](t, attributes)
	return *Understood[changed](t, 200)(Connections().UpdateActionConnection(As(Admin()), id, body)).Data
}

func getConnection(t *testing.T, id string) data {
	t.Helper()
	return *Understood[found](t, 200)(Connections().GetActionConnection(As(Admin()), id)).Data
}

// shown is what the client read as the `integration` value, without what the server adds to those of AWS.
func shown(t *testing.T, one data) Object {
	t.Helper()
	integration := asJSON(t, one.Attributes.Integration)
	delete(integration["credentials"].(Object), "external_id")
	delete(integration["credentials"].(Object), "principal_id")
	return integration
}

func TestAConnectionOfEachType(t *testing.T) {
	Equal(t, "examples", len(Examples), 25)
	for _, example := range Examples {
		t.Run(example.Credentials, func(t *testing.T) {
			first := Emptied(example.Create)
			one := makeConnection(t, example.Create, Object{"tags": []string{"env:test"}})
			Matches(t, "id", UUID, *one.Id)
			Equal(t, "type", one.Type, datadogV2.ACTIONCONNECTIONDATATYPE_ACTION_CONNECTION)
			Equal(t, "made", shown(t, one), first)
			Equal(t, "tags", one.Attributes.Tags, []string{"env:test"})
			Equal(t, "read", shown(t, getConnection(t, *one.Id)), first)

			renamed := updateConnection(t, *one.Id, Object{"name": "Renamed"})
			Equal(t, "name", renamed.Attributes.Name, "Renamed")
			Equal(t, "renamed", shown(t, renamed), first)
			second := Emptied(Updated(example.Create, example.Update))
			tags := []string{"env:prod", "team:a"}
			Equal(t, "changed", shown(t, updateConnection(t, *one.Id, Object{"integration": example.Update, "tags": tags})), second)
			again := getConnection(t, *one.Id)
			Equal(t, "read again", shown(t, again), second)
			Equal(t, "tags", again.Attributes.Tags, tags)
			Equal(t, "name", again.Attributes.Name, "Renamed")

			Done(t, 204)(Connections().DeleteActionConnection(As(Admin()), *one.Id))
			Status[found](t, 404)(Connections().GetActionConnection(As(Admin()), *one.Id))
		})
	}
}

func TestListsOfAnHTTPConnectionMergeByName(t *testing.T) {
	example := ExampleOf("HTTPTokenAuth")
	id := *makeConnection(t, example.Create, nil).Id
	change := asJSON(t, Object{"type": "HTTP", "credentials": Object{
		"type": "HTTPTokenAuth",
		"tokens": []Object{
			{"name": "token2", "type": "SECRET", "value": "", "deleted": true},
			{"name": "token3", "type": "SECRET", "value": "canary-third"},
		},
		"headers":        []Object{{"name": "header-name", "value": "{{ token3 }}"}, {"name": "X-New", "value": "new"}},
		"url_parameters": []Object{{"name": "urlParamName", "value": "", "deleted": true}, {"name": "page", "value": "1"}},
		"body":           Object{"content": "plain", "content_type": "text/plain"},
	}})
	updateConnection(t, id, Object{"integration": change})
	Equal(t, "merged", shown(t, getConnection(t, id)), Emptied(Updated(example.Create, change)))
}

func TestAnExternalIDStaysUntilANewOneIsAskedFor(t *testing.T) {
	example := ExampleOf("AWSAssumeRole")
	ids := func(one data) (string, string) {
		credentials := one.Attributes.Integration.AWSIntegration.Credentials.AWSAssumeRole
		return *credentials.ExternalId, *credentials.PrincipalId
	}
	one := makeConnection(t, example.Create, nil)
	external, principal := ids(one)
	Matches(t, "external_id", regexp.MustCompile(`^[0-9a-f]{32}$`), external)
	Matches(t, "principal_id", regexp.MustCompile(`^\d{12}$`), principal)
	same, _ := ids(updateConnection(t, *one.Id, Object{"integration": example.Update}))
	Equal(t, "external_id", same, external)
	anew := asJSON(t, example.Update)
	anew["credentials"].(Object)["generate_new_external_id"] = true
	other, _ := ids(updateConnection(t, *one.Id, Object{"integration": anew}))
	if other == external {
		t.Fatal("the external id stayed")
	}
	read, _ := ids(getConnection(t, *one.Id))
	Equal(t, "external_id", read, other)
}

func TestSecretsAreNotAimedElsewhereByWhoDoesNotHaveThem(t *testing.T) {
	for _, to := range []struct {
		credentials string
		change      Object
		missing     string
	}{
		{"HTTPTokenAuth", Object{"base_url": "https://elsewhere.example"}, "credentials/tokens must bring token1 anew"},
		{"OktaAPIToken", Object{"domain": "other.okta.com"}, "credentials/api_token"},
		{"ServiceNowBasicAuth", Object{"instance": "dev2"}, "credentials/password"},
		{"FreshserviceAPIKey", Object{"domain": "other.freshservice.com"}, "credentials/api_key"},
		{"DatadogAPIKey", Object{"datacenter": "us3.datadoghq.com"}, "credentials/app_key"},
	} {
		example := ExampleOf(to.credentials)
		id := *makeConnection(t, example.Create, nil).Id
		change := Object{"type": example.Create["type"], "credentials": Object{"type": to.credentials}}
		for name, value := range to.change {
			if name == "base_url" {
				change[name] = value
			} else {
				change["credentials"].(Object)[name] = value
			}
		}
		refused[changed](t, 400, to.missing)(Connections().UpdateActionConnection(As(Admin()), id,
			typed[datadogV2.UpdateActionConnectionRequest](t, Object{"integration": change})))
		Equal(t, to.credentials, shown(t, getConnection(t, id)), Emptied(example.Create))
	}
}

func end() string { return time.Now().AddDate(0, 0, 30).Format(time.RFC3339) }
