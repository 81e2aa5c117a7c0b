package current_user

import (
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

func TestCurrentUser(t *testing.T) {
	answer := Understood[datadogV2.UserResponse](t, 200)(Users().GetCurrentUser(As(Admin())))
	Equal(t, "id", answer.Data.Id, UserID)
	Equal(t, "email", answer.Data.Attributes.Email, Email)
	Equal(t, "org", answer.Data.Relationships.Org.Data.Id, OrgID)
	var roles, permissions, orgs int
	for _, item := range answer.Included {
		switch {
		case item.Role != nil:
			roles++
		case item.Permission != nil:
			permissions++
		case item.Organization != nil:
			orgs++
		}
	}
	if roles == 0 || permissions == 0 || orgs != 1 {
		t.Fatalf("included: %d roles, %d permissions, %d orgs", roles, permissions, orgs)
	}
}

func TestCurrentUserIsWhoeverCalls(t *testing.T) {
	account := *MakeServiceAccount(t, Object{"name": "Robot"}).Id
	body := Body[datadogV2.ApplicationKeyCreateRequest](t, Data("application_keys", Object{"name": Unique("key")}))
	made := Understood[applicationKey](t, 201)(ServiceAccounts().CreateServiceAccountApplicationKey(As(Admin()), account, body))
	caller := As(WithApplicationKey(*made.Data.Attributes.Key))
	Equal(t, "id", Understood[datadogV2.UserResponse](t, 200)(Users().GetCurrentUser(caller)).Data.Id, account)
}
