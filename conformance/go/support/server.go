// Package support is what the tests share: where the server is, official clients as whoever a test wants to be,
// plain HTTP, objects that go away with the test that made them, and the forms that values have on the wire.
package support

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
)

// Where the server is, and who its first user is.
var (
	address        = strings.TrimSuffix(environment("CLAVIGER_URL"), "/")
	APIKey         = environment("CLAVIGER_API_KEY")
	ApplicationKey = environment("CLAVIGER_APPLICATION_KEY")
	OrgID          = environment("CLAVIGER_ORG_ID")
	UserID         = environment("CLAVIGER_USER_ID")
	Email          = environment("CLAVIGER_EMAIL")
)

func environment(name string) string {
	value := os.Getenv(name)
	if value == "" {
		panic(name + " is not set")
	}
	return value
}

// Credentials are what a request carries; what is empty is not sent.
type Credentials struct{ APIKey, ApplicationKey, Token string }

// Admin is the org's first user.
func Admin() Credentials { return Credentials{APIKey: APIKey, ApplicationKey: ApplicationKey} }

// WithAPIKey is Admin with another API key.
func WithAPIKey(key string) Credentials {
	return Credentials{APIKey: key, ApplicationKey: ApplicationKey}
}

// WithApplicationKey is Admin with another application key.
func WithApplicationKey(key string) Credentials {
	return Credentials{APIKey: APIKey, ApplicationKey: key}
}

// Client makes the official client; who calls, the context says: see As. Retries are off: the first answer counts.
func Client(unstable ...string) *datadog.APIClient {
	configuration := datadog.NewConfiguration()
	configuration.Servers = datadog.ServerConfigurations{{URL: address}}
	configuration.OperationServers = nil
	configuration.RetryConfiguration.EnableRetry = false
	configuration.HTTPClient = &http.Client{Transport: ear{}}
	for _, operation := range unstable {
		configuration.SetUnstableOperationEnabled(operation, true)
	}
	return datadog.NewAPIClient(configuration)
}

// PatientClient makes a client that waits and asks again when it asked too often.
func PatientClient() *datadog.APIClient {
	client := Client()
	client.Cfg.RetryConfiguration.EnableRetry = true
	return client
}

// As is the context of a client's call by whoever has these credentials.
func As(credentials Credentials) context.Context {
	ctx := context.Background()
	if credentials.Token != "" {
		return context.WithValue(ctx, datadog.ContextAccessToken, credentials.Token)
	}
	keys := map[string]datadog.APIKey{}
	for scheme, key := range map[string]string{
		"apiKeyAuth": credentials.APIKey,
		"appKeyAuth": credentials.ApplicationKey,
	} {
		if key != "" {
			keys[scheme] = datadog.APIKey{Key: key}
		}
	}
	return context.WithValue(ctx, datadog.ContextAPIKeys, keys)
}

// Answer is what came back by plain HTTP, undigested.
type Answer struct {
	Status      int
	ContentType string
	Text        string
}

// JSON is the body as an object.
func (answer Answer) JSON(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(answer.Text), &object); err != nil {
		t.Fatalf("%q is no JSON object: %v", answer.Text, err)
	}
	return object
}

// Attributes are those of the one object in the body.
func (answer Answer) Attributes(t *testing.T) map[string]any {
	t.Helper()
	return answer.JSON(t)["data"].(map[string]any)["attributes"].(map[string]any)
}

var plain = &http.Client{
	Transport:     ear{},
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Send sends one request by plain HTTP. The body is text as it is, nil for none, or anything else as JSON.
func Send(t *testing.T, method, path string, body any, credentials Credentials, query ...string) Answer {
	t.Helper()
	if len(query) > 0 {
		values := url.Values{}
		for i := 0; i < len(query); i += 2 {
			values.Add(query[i], query[i+1])
		}
		path += "?" + values.Encode()
	}
	text, isText := body.(string)
	if body != nil && !isText {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encoded)
	}
	request, err := http.NewRequest(method, address+path, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	for header, value := range map[string]string{
		"DD-API-KEY":         credentials.APIKey,
		"DD-APPLICATION-KEY": credentials.ApplicationKey,
		"Authorization":      bearer(credentials.Token),
	} {
		if value != "" {
			request.Header.Set(header, value)
		}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := plain.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{response.StatusCode, response.Header.Get("Content-Type"), string(read)}
}

func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "Bearer " + token
}
