package v2

import (
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

func TestValidate(t *testing.T) {
	keys := datadogV2.NewKeyManagementApi(Client("v2.Validate"))
	for _, isEnabled := range []bool{true, false} {
		made := MakeAPIKey(t, Object{"remote_config_read_enabled": isEnabled})
		credentials := Credentials{APIKey: *made.Attributes.Key, ApplicationKey: UnknownApplicationKey}
		data := Understood[datadogV2.ValidateV2Response](t, 200)(keys.Validate(As(credentials))).Data
		scopes := []string{}
		if isEnabled {
			scopes = append(scopes, "remote_config_read")
		}
		Equal(t, "id", data.Id, OrgID)
		Equal(t, "api_key_id", data.Attributes.ApiKeyId, *made.Id)
		Equal(t, "api_key_scopes", data.Attributes.ApiKeyScopes, scopes)
		Equal(t, "valid", data.Attributes.Valid, true)
	}
	_, response, err := keys.Validate(As(WithAPIKey(UnknownAPIKey)))
	if err == nil || response.StatusCode != 403 {
		t.Fatalf("an unknown API key: %v", err)
	}
}

func TestValidateKeys(t *testing.T) {
	valid := Understood[datadogV2.ValidateAPIKeyResponse](t, 200)
	Equal(t, "status", valid(Keys().ValidateAPIKey(As(Admin()))).Status, datadogV2.VALIDATEAPIKEYSTATUS_OK)
	scoped := *MakeApplicationKey(t, Object{"scopes": []string{"dashboards_read"}}).Attributes.Key
	valid(Keys().ValidateAPIKey(As(WithApplicationKey(scoped))))

	type answer = datadogV2.ValidateAPIKeyResponse
	RefusedCall[answer](t, 401, "Unauthorized")(Keys().ValidateAPIKey(As(WithApplicationKey(UnknownApplicationKey))))
	RefusedCall[answer](t, 401, "Unauthorized")(Keys().ValidateAPIKey(As(WithApplicationKey(""))))
	RefusedCall[answer](t, 403, "Forbidden")(Keys().ValidateAPIKey(As(WithAPIKey(UnknownAPIKey))))
	RefusedCall[answer](t, 403, "API key required")(Keys().ValidateAPIKey(As(WithAPIKey(""))))
}
