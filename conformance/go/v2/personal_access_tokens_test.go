package v2

import (
	"regexp"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

const tokensPath = "/api/v2/personal_access_tokens"

var tokenSecret = regexp.MustCompile(`^ddpat_([0-9A-Za-z]{22})_[0-9A-Za-z]{36}$`)

type (
	token        = datadogV2.PersonalAccessTokenResponse
	tokenMade    = datadogV2.PersonalAccessTokenCreateResponse
	tokenUpdated = datadogV2.UpdatedPersonalAccessTokenResponse
	tokens       = datadogV2.ListPersonalAccessTokensResponse
)

func inDays(days int) string { return time.Now().AddDate(0, 0, days).UTC().Format(time.RFC3339Nano) }

func newToken(t *testing.T, attributes Object) datadogV2.PersonalAccessTokenCreateRequest {
	given := Object{"name": Unique("token"), "scopes": []string{"dashboards_read"}, "expires_at": inDays(30)}
	for name, value := range attributes {
		given[name] = value
	}
	return Body[datadogV2.PersonalAccessTokenCreateRequest](t, Data("personal_access_tokens", given))
}

func makeToken(t *testing.T, attributes Object) datadogV2.FullPersonalAccessToken {
	t.Helper()
	made := *Understood[tokenMade](t, 201)(Keys().CreatePersonalAccessToken(As(Admin()), newToken(t, attributes))).Data
	CleanUp(t, tokensPath+"/"+*made.Id)
	return made
}

func updateToken(t *testing.T, id string, attributes Object) datadogV2.PersonalAccessTokenUpdateRequest {
	return Body[datadogV2.PersonalAccessTokenUpdateRequest](t, Patch("personal_access_tokens", id, attributes))
}

func TestCreatePersonalAccessToken(t *testing.T) {
	scopes := []string{"monitors_read", "dashboards_read"}
	made := makeToken(t, Object{"scopes": scopes})
	Matches(t, "id", UUID, *made.Id)
	Matches(t, "key", tokenSecret, *made.Attributes.Key)
	Equal(t, "public_portion", made.Attributes.PublicPortion, tokenSecret.FindStringSubmatch(*made.Attributes.Key)[1])
	Equal(t, "scopes", made.Attributes.Scopes, scopes)
	Equal(t, "owned_by", made.Relationships.OwnedBy.Data.Id, UserID)
}

func TestHowLongAPersonalAccessTokenLasts(t *testing.T) {
	end := time.Now().Add(365 * 24 * time.Hour)
	found := makeToken(t, Object{"expires_at": end.Format(time.RFC3339Nano)}).Attributes.ExpiresAt.Get()
	// The client sends whole milliseconds.
	if end.Sub(*found).Abs() > time.Millisecond {
		t.Fatalf("expires_at: %v, expected %v", found, end)
	}
	for _, end := range []time.Duration{366 * 24 * time.Hour, 23 * time.Hour, -time.Hour} {
		at := time.Now().Add(end).Format(time.RFC3339Nano)
		Status[tokenMade](t, 400)(Keys().CreatePersonalAccessToken(As(Admin()), newToken(t, Object{"expires_at": at})))
	}
}

func TestCreatePersonalAccessTokenWithWrongBodies(t *testing.T) {
	unknown := newToken(t, Object{"scopes": []string{"no_such_scope"}})
	RefusedCall[tokenMade](t, 400, "Invalid scopes: no_such_scope")(Keys().CreatePersonalAccessToken(As(Admin()), unknown))
	for _, wrong := range []Object{{"name": ""}, {"scopes": []string{}}} {
		RefusedCall[tokenMade](t, 400)(Keys().CreatePersonalAccessToken(As(Admin()), newToken(t, wrong)))
	}
	unending := Data("personal_access_tokens", Object{"name": "x", "scopes": []string{"dashboards_read"}, "expires_at": nil})
	Equal(t, "status", Send(t, "POST", tokensPath, unending, Admin()).Status, 400)
}

func TestGetPersonalAccessToken(t *testing.T) {
	made := makeToken(t, nil)
	found := Understood[token](t, 200)(Keys().GetPersonalAccessToken(As(Admin()), *made.Id)).Data
	Equal(t, "id", found.Id, made.Id)
	Equal(t, "type", found.Type, datadogV2.PERSONALACCESSTOKENSTYPE_PERSONAL_ACCESS_TOKENS)
	Equal(t, "name", found.Attributes.Name, made.Attributes.Name)
	Equal(t, "last_used_at is there", found.Attributes.LastUsedAt.IsSet(), true)
	Equal(t, "last_used_at", found.Attributes.LastUsedAt.Get(), nil)
	if _, shows := found.Attributes.AdditionalProperties["key"]; shows {
		t.Fatal("a read shows the secret")
	}
	Equal(t, "content type", Send(t, "GET", tokensPath+"/"+*made.Id, nil, Admin()).ContentType, "application/vnd.api+json")
	for _, id := range []string{"invalidId", UnknownID()} {
		RefusedCall[token](t, 404, "Personal access token not found")(Keys().GetPersonalAccessToken(As(Admin()), id))
		RefusedCall[tokenUpdated](t, 404, "Personal access token not found")(
			Keys().UpdatePersonalAccessToken(As(Admin()), id, updateToken(t, id, Object{"name": "x"})))
	}
}

func TestListPersonalAccessTokens(t *testing.T) {
	prefix := Unique("")
	b := makeToken(t, Object{"name": prefix + "b", "expires_at": inDays(20)})
	c := makeToken(t, Object{"name": prefix + "C", "expires_at": inDays(10)})
	a := makeToken(t, Object{"name": prefix + "a", "expires_at": inDays(40)})
	are := func(name string, with *datadogV2.ListPersonalAccessTokensOptionalParameters, expected ...datadogV2.FullPersonalAccessToken) {
		t.Helper()
		listed := Understood[tokens](t, 200)(Keys().ListPersonalAccessTokens(As(Admin()), *with.WithFilter(prefix)))
		Equal(t, name+": total_filtered_count", listed.Meta.Page.TotalFilteredCount, int64(max(len(expected), len(listed.Data))))
		found, ids := []string{}, []string{}
		for _, one := range listed.Data {
			found = append(found, *one.Id)
			Equal(t, "type", *one.Type, datadogV2.ACCESSTOKENSTYPE_PERSONAL_ACCESS_TOKENS)
		}
		for _, one := range expected {
			ids = append(ids, *one.Id)
		}
		Equal(t, name, found, ids)
	}
	with := datadogV2.NewListPersonalAccessTokensOptionalParameters
	are("by name", with(), a, b, c)
	are("by end", with().WithSort(datadogV2.PERSONALACCESSTOKENSSORT_EXPIRES_AT_ASCENDING), c, b, a)
	are("by creation, reversed", with().WithSort(datadogV2.PERSONALACCESSTOKENSSORT_CREATED_AT_DESCENDING), a, c, b)
	are("by owners", with().WithFilterOwnedBy([]string{UnknownID(), UserID}), a, b, c)
	are("by nobody", with().WithFilterOwnedBy([]string{UnknownID()}))
	page := with().WithFilter(prefix).WithPageSize(2).WithPageNumber(1)
	listed := Understood[tokens](t, 200)(Keys().ListPersonalAccessTokens(As(Admin()), *page))
	Equal(t, "page 1", listed.Data[0].Id, c.Id)
	Equal(t, "total_filtered_count", listed.Meta.Page.TotalFilteredCount, int64(3))
}

func TestUpdatePersonalAccessToken(t *testing.T) {
	made, name := makeToken(t, nil), Unique("renamed")
	body := updateToken(t, *made.Id, Object{"name": name})
	attributes := Understood[tokenUpdated](t, 200)(Keys().UpdatePersonalAccessToken(As(Admin()), *made.Id, body)).Data.Attributes
	Equal(t, "name", attributes.Name, name)
	Equal(t, "scopes", attributes.Scopes, []string{"dashboards_read"})
	Status[tokenUpdated](t, 400)(Keys().UpdatePersonalAccessToken(As(Admin()), *made.Id, updateToken(t, UnknownID(), Object{"name": "x"})))
}

func TestRevokePersonalAccessTokenHoweverOften(t *testing.T) {
	made := makeToken(t, nil)
	bearer := As(Credentials{Token: *made.Attributes.Key})
	Understood[datadogV2.ValidateAPIKeyResponse](t, 200)(Keys().ValidateAPIKey(bearer))
	Done(t, 204)(Keys().RevokePersonalAccessToken(As(Admin()), *made.Id))
	Done(t, 204)(Keys().RevokePersonalAccessToken(As(Admin()), *made.Id))
	RefusedCall[token](t, 404, "Personal access token not found")(Keys().GetPersonalAccessToken(As(Admin()), *made.Id))
	RefusedCall[datadogV2.ValidateAPIKeyResponse](t, 401, "Unauthorized")(Keys().ValidateAPIKey(bearer))
}

func TestCallWithAPersonalAccessToken(t *testing.T) {
	secret := *makeToken(t, Object{"scopes": []string{"api_keys_read"}}).Attributes.Key
	for _, credentials := range []Credentials{{Token: secret}, {ApplicationKey: secret}, WithApplicationKey(secret)} {
		Understood[apiKeys](t, 200)(Keys().ListAPIKeys(As(credentials)))
		RefusedCall[applicationKeys](t, 403, NoPermission...)(Keys().ListApplicationKeys(As(credentials)))
	}
	beside := Credentials{APIKey: APIKey, ApplicationKey: ApplicationKey, Token: "nonsense"}
	Send(t, "GET", "/api/v2/validate_keys", nil, beside).HasFailedWith(t, 401, "Unauthorized")
}
