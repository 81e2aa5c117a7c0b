package v1

import (
	"strings"
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

type orgAnswer = datadogV1.OrganizationCreateResponse

// orgName is a name that no other org has; the vendor's schema has room for 32 letters.
func orgName() string { return strings.ReplaceAll(UnknownID(), "-", "") }

func makeOrg(t *testing.T, name string) orgAnswer {
	t.Helper()
	orgs := datadogV1.NewOrganizationsApi(Client())
	made := Understood[orgAnswer](t, 200)(orgs.CreateChildOrg(As(Admin()), datadogV1.OrganizationCreateBody{Name: name}))
	// No vendor's endpoint takes an org away.
	t.Cleanup(func() {
		answer := Send(t, "PATCH", "/claviger/v1/orgs/"+*made.Org.PublicId, Object{"disabled": true}, Admin())
		Equal(t, "status of disabling", answer.Status, 200)
	})
	return made
}

func TestCreateOrg(t *testing.T) {
	name := orgName()
	made := makeOrg(t, name)
	Equal(t, "name", made.Org.Name, name)
	Matches(t, "public_id", UUID, *made.Org.PublicId)
	if *made.Org.PublicId == OrgID {
		t.Fatal("the new org is the old one")
	}
	Matches(t, "key", APIKeySecret, *made.ApiKey.Key)
	Matches(t, "hash", ApplicationKeySecret, *made.ApplicationKey.Hash)
	Equal(t, "email", made.User.Email, made.User.Handle)
}

func TestKeysOfAnOrgOpenItAndNothingElse(t *testing.T) {
	made, other := makeOrg(t, orgName()), MakeAPIKey(t, nil)
	inside := As(Credentials{APIKey: *made.ApiKey.Key, ApplicationKey: *made.ApplicationKey.Hash})
	Equal(t, "count of keys", len(Understood[datadogV2.APIKeysResponse](t, 200)(Keys().ListAPIKeys(inside)).Data), 1)
	RefusedCall[datadogV2.APIKeyResponse](t, 404, "API key not found")(Keys().GetAPIKey(inside, *other.Id))
	crossed := As(WithApplicationKey(*made.ApplicationKey.Hash))
	RefusedCall[datadogV2.APIKeysResponse](t, 401, "Unauthorized")(Keys().ListAPIKeys(crossed))
}

func TestOrgWithoutName(t *testing.T) {
	Send(t, "POST", "/api/v1/org", Object{}, Admin()).
		Is(t, 400, "application/json", `{"errors": ["Required parameter 'name' is missing"]}`)
}
