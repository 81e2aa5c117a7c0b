package support

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
)

// ConnectionsPath is where connections are.
const ConnectionsPath = "/api/v2/actions/connections"

// Every secret of the examples begins so, and so does every other that tests of connections give away.
const canary = "canary-"

// Example is a valid connection of one credential type, and how it may change. Every client's suite has the same.
type Example struct {
	Credentials    string
	Create, Update Object
	Secrets        []string
}

// Examples has one of each credential type.
var Examples = readExamples()

// ExampleOf is that of one credential type.
func ExampleOf(credentials string) Example {
	return Examples[slices.IndexFunc(Examples, func(one Example) bool { return one.Credentials == credentials })]
}

// Connections is action connections and registrations of application keys.
func Connections() *datadogV2.ActionConnectionApi { return datadogV2.NewActionConnectionApi(Client()) }

func readExamples() []Example {
	var examples []Example
	read(&examples, "connections.json")
	for _, example := range examples {
		for _, pointer := range example.Secrets {
			for _, form := range []Object{example.Create, example.Update} {
				if secret := at(form, pointer); !strings.HasPrefix(secret, canary) {
					panic(secret + " is not known for a secret by its beginning")
				}
			}
		}
	}
	return examples
}

func at(value any, pointer string) string {
	for _, step := range strings.Split(pointer, "/")[1:] {
		if list, isList := value.([]any); isList {
			var index int
			if _, err := fmt.Sscan(step, &index); err != nil {
				panic(err)
			}
			value = list[index]
		} else {
			value = value.(Object)[step]
		}
	}
	return value.(string)
}

// RecordedDetail is the detail of the error that ends a recorded scenario of connections.
func RecordedDetail(name string) string {
	var scenario struct {
		Exchanges []struct {
			Response struct {
				Body struct{ Errors []struct{ Detail string } }
			}
		}
	}
	read(&scenario, "recorded", "v2-action_connection-"+name+"-response.json")
	return scenario.Exchanges[len(scenario.Exchanges)-1].Response.Body.Errors[0].Detail
}

// read reads a file of the folder that all suites are in.
func read(into any, path ...string) {
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(append([]string{filepath.Dir(here), "..", ".."}, path...)...))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		panic(err)
	}
}

// Emptied is what answers show of an `integration` value: its secrets are there, but empty.
func Emptied(value any) any {
	switch value := value.(type) {
	case Object:
		shown := Object{}
		for name, item := range value {
			shown[name] = Emptied(item)
		}
		return shown
	case []any:
		shown := []any{}
		for _, item := range value {
			shown = append(shown, Emptied(item))
		}
		return shown
	case string:
		if strings.HasPrefix(value, canary) {
			return ""
		}
	}
	return value
}

// Updated is an `integration` value after a change: what the change does not name stays, and lists merge by name.
func Updated(before, change Object) Object {
	after := with(Object{}, before)
	for name, value := range change {
		switch value := value.(type) {
		case Object:
			if name == "credentials" {
				after[name] = Updated(before[name].(Object), value)
				continue
			}
			after[name] = value
		case []any:
			items, _ := after[name].([]any)
			after[name] = merged(items, value)
		default:
			after[name] = value
		}
	}
	return after
}

func merged(before, change []any) []any {
	after := slices.Clone(before)
	for _, item := range change {
		name := item.(Object)["name"]
		at := slices.IndexFunc(after, func(one any) bool { return one.(Object)["name"] == name })
		isDeleted := item.(Object)["deleted"] == true
		switch {
		case at < 0 && !isDeleted:
			after = append(after, item)
		case at >= 0 && isDeleted:
			after = slices.Delete(after, at, at+1)
		case at >= 0:
			after[at] = item
		}
	}
	return after
}

// An ear hears every answer as it comes in, and lets none through that tells a secret of a connection.
type ear struct{}

func (ear) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	if strings.Contains(fmt.Sprint(response.Header)+string(body), canary) {
		return nil, fmt.Errorf("the answer to %s %s tells a secret: %s", request.Method, request.URL, body)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
