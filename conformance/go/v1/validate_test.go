package v1

import (
	"testing"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"

	. "claviger/conformance/support"
)

func TestValidate(t *testing.T) {
	authentication := datadogV1.NewAuthenticationApi(Client())
	made := MakeAPIKey(t, nil)
	for _, credentials := range []Credentials{
		Admin(),
		WithApplicationKey(""),
		WithApplicationKey(UnknownApplicationKey),
		WithAPIKey(*made.Attributes.Key),
	} {
		answer := Understood[datadogV1.AuthenticationValidationResponse](t, 200)(authentication.Validate(As(credentials)))
		Equal(t, "valid", answer.Valid, true)
	}
	Done(t, 204)(Keys().DeleteAPIKey(As(Admin()), *made.Id))
	for _, key := range []string{UnknownAPIKey, *made.Attributes.Key} {
		RefusedCall[datadogV1.AuthenticationValidationResponse](t, 403, "Forbidden")(authentication.Validate(As(WithAPIKey(key))))
		Send(t, "GET", "/api/v1/validate", nil, WithAPIKey(key)).Is(t, 403, "application/json", UnknownAPIKeyBody)
	}
	Send(t, "GET", "/api/v1/validate", nil, Credentials{}).Is(t, 403, "application/json", APIKeyRequiredBody)
	Send(t, "GET", "/api/v1/validate", nil, Admin()).Is(t, 200, "application/json", `{"valid":true}`)
}
