package service_accounts

import (
	"regexp"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

var tokenSecret = regexp.MustCompile(`^(ddsat_[0-9A-Za-z]{22})_[0-9A-Za-z]{36}$`)

type (
	tokenMade    = datadogV2.ServiceAccessTokenCreateResponse
	token        = datadogV2.ServiceAccessTokenResponse
	tokenUpdated = datadogV2.UpdatedServiceAccessTokenResponse
	tokens       = datadogV2.ListServiceAccessTokensResponse
)

func newToken(t *testing.T, attributes Object) datadogV2.ServiceAccountAccessTokenCreateRequest {
	given := Object{"name": Unique("token"), "scopes": []string{"dashboards_read"}}
	for name, value := range attributes {
		given[name] = value
	}
	return Body[datadogV2.ServiceAccountAccessTokenCreateRequest](t, Data("service_access_tokens", given))
}

func makeToken(t *testing.T, account string, attributes Object) datadogV2.FullServiceAccessToken {
	t.Helper()
	return *Understood[tokenMade](t, 201)(
		ServiceAccounts().CreateServiceAccountAccessToken(As(Admin()), account, newToken(t, attributes))).Data
}

func TestCreateToken(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	made := makeToken(t, account, nil)
	Matches(t, "key", tokenSecret, *made.Attributes.Key)
	Equal(t, "public_portion", made.Attributes.PublicPortion, tokenSecret.FindStringSubmatch(*made.Attributes.Key)[1])
	Equal(t, "expires_at", made.Attributes.ExpiresAt.Get(), nil)
	Equal(t, "owned_by", made.Relationships.OwnedBy.Data.Id, account)
	end := time.Now().Truncate(time.Second).AddDate(0, 0, 30).UTC()
	found := makeToken(t, account, Object{"expires_at": end.Format(time.RFC3339)}).Attributes.ExpiresAt.Get()
	Equal(t, "expires_at", found.UTC(), end)
}

func TestCreateTokenWithWrongBodies(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	unknown := newToken(t, Object{"scopes": []string{"no_such_scope"}})
	RefusedCall[tokenMade](t, 400, "Invalid scopes: no_such_scope")(
		ServiceAccounts().CreateServiceAccountAccessToken(As(Admin()), account, unknown))
	soon := time.Now().Add(time.Hour).Format(time.RFC3339)
	for _, wrong := range []Object{{"name": ""}, {"scopes": []string{}}, {"expires_at": soon}} {
		RefusedCall[tokenMade](t, 400)(
			ServiceAccounts().CreateServiceAccountAccessToken(As(Admin()), account, newToken(t, wrong)))
	}
}

func TestTokenIsReadListedAndUpdated(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	empty := Understood[tokens](t, 200)(ServiceAccounts().ListServiceAccountAccessTokens(As(Admin()), account))
	Equal(t, "count", len(empty.Data), 0)
	Equal(t, "total_filtered_count", empty.Meta.Page.TotalFilteredCount, int64(0))
	made := makeToken(t, account, nil)
	found := Understood[token](t, 200)(ServiceAccounts().GetServiceAccountAccessToken(As(Admin()), account, *made.Id)).Data
	Equal(t, "id", found.Id, made.Id)
	Equal(t, "name", found.Attributes.Name, made.Attributes.Name)
	Equal(t, "expires_at", found.Attributes.ExpiresAt.Get(), nil)
	Equal(t, "last_used_at is there", found.Attributes.LastUsedAt.IsSet(), true)
	listed := Understood[tokens](t, 200)(ServiceAccounts().ListServiceAccountAccessTokens(As(Admin()), account))
	Equal(t, "count", len(listed.Data), 1)
	body := Body[datadogV2.ServiceAccountAccessTokenUpdateRequest](t,
		Patch("service_access_tokens", *made.Id, Object{"name": "renamed"}))
	updated := Understood[tokenUpdated](t, 200)(
		ServiceAccounts().UpdateServiceAccountAccessToken(As(Admin()), account, *made.Id, body)).Data
	Equal(t, "name", updated.Attributes.Name, "renamed")

	with := datadogV2.NewListPersonalAccessTokensOptionalParameters().WithFilterOwnedBy([]string{account})
	orgs := Understood[datadogV2.ListPersonalAccessTokensResponse](t, 200)(Keys().ListPersonalAccessTokens(As(Admin()), *with)).Data
	Equal(t, "count", len(orgs), 1)
	Equal(t, "id", orgs[0].Id, made.Id)
	Equal(t, "type", *orgs[0].Type, datadogV2.ACCESSTOKENSTYPE_PERSONAL_ACCESS_TOKENS)
}

func TestRevokeTokenHoweverOften(t *testing.T) {
	account := *MakeServiceAccount(t, nil).Id
	made := makeToken(t, account, nil)
	bearer := As(Credentials{Token: *made.Attributes.Key})
	Understood[valid](t, 200)(Keys().ValidateAPIKey(bearer))
	Done(t, 204)(ServiceAccounts().RevokeServiceAccountAccessToken(As(Admin()), account, *made.Id))
	Done(t, 204)(ServiceAccounts().RevokeServiceAccountAccessToken(As(Admin()), account, *made.Id))
	RefusedCall[valid](t, 401, "Unauthorized")(Keys().ValidateAPIKey(bearer))
	Status[token](t, 404)(ServiceAccounts().GetServiceAccountAccessToken(As(Admin()), account, *made.Id))
	Status[tokens](t, 404)(ServiceAccounts().ListServiceAccountAccessTokens(As(Admin()), UnknownID()))
}
