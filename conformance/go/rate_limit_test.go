package conformance

import (
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"

	. "claviger/conformance/support"
)

// limited makes an application key that may be used once in so many seconds.
func limited(t *testing.T, periodSeconds int) Credentials {
	t.Helper()
	limit := Object{"requests": 1, "period_seconds": periodSeconds}
	body := Object{"name": Unique("key"), "scopes": nil, "request_limit": limit}
	made := Send(t, "POST", "/claviger/v1/application_keys", body, Admin()).JSON(t)
	CleanUp(t, "/api/v2/application_keys/"+made["id"].(string))
	return WithApplicationKey(made["secret"].(string))
}

func TestTooOften(t *testing.T) {
	ctx := As(limited(t, 60))
	// A minute may end in between, once.
	for range [3]int{} {
		_, response, err := Keys().ValidateAPIKey(ctx)
		if err == nil {
			continue
		}
		Refused(t, response, err, 429, "Rate limit exceeded")
		Equal(t, "limit", response.Header.Get("X-RateLimit-Limit"), "1")
		Equal(t, "period", response.Header.Get("X-RateLimit-Period"), "60")
		return
	}
	t.Fatal("nothing was refused")
}

func TestTheClientWaitsAndAsksAgain(t *testing.T) {
	ctx, keys := As(limited(t, 1)), datadogV2.NewKeyManagementApi(PatientClient())
	start := time.Now()
	for range [3]int{} {
		Understood[datadogV2.ValidateAPIKeyResponse](t, 200)(keys.ValidateAPIKey(ctx))
	}
	// Three in three different seconds.
	if time.Since(start) < time.Second {
		t.Fatalf("three requests within %v", time.Since(start))
	}
}
