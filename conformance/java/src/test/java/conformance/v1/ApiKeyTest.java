package conformance.v1;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.datadog.api.client.v1.api.KeyManagementApi;
import com.datadog.api.client.v1.model.ApiKey;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /api/v1/api_key}: flat bodies, the secret as the path, 200 for every success, v1's own error texts. */
class ApiKeyTest extends Made {
  private static final String NOT_FOUND = "API key not found";
  private final KeyManagementApi keys = new KeyManagementApi(client());

  private ApiKey make(String name) throws Exception {
    ApiKey made = understood(keys.createAPIKey(new ApiKey().name(name))).getApiKey();
    cleanUp("/api/v1/api_key/" + made.getKey());
    return made;
  }

  @Test
  void create() throws Exception {
    String name = unique("key");
    ApiKey made = make(name);
    assertEquals(List.of(name, EMAIL), List.of(made.getName(), made.getCreatedBy()));
    matches(API_KEY_SECRET, made.getKey());
    matches(TIME_V1, made.getCreated());
  }

  @Test
  void missingName() throws Exception {
    String text = "Required parameter 'name' is missing";
    refused(400, () -> keys.createAPIKey(new ApiKey()), text);
    for (String path : List.of("", "/" + make(unique("key")).getKey(), "/" + UNKNOWN_API_KEY)) {
      var answer = send(path.isEmpty() ? "POST" : "PUT", "/api/v1/api_key" + path, object(), Credentials.ADMIN);
      is(answer, 400, "{\"errors\": [\"" + text + "\"]}");
    }
  }

  @Test
  void getWhatV1AndV2Made() throws Exception {
    ApiKey made = make(unique("key"));
    assertEquals(made, understood(keys.getAPIKey(made.getKey())).getApiKey());
    var attributes = makeApiKey().getAttributes();
    assertEquals(attributes.getName(), keys.getAPIKey(attributes.getKey()).getApiKey().getName());
  }

  @Test
  void listShowsSecretsByName() throws Exception {
    String prefix = unique("");
    ApiKey b = make(prefix + "b");
    ApiKey c = make(prefix + "C");
    ApiKey a = make(prefix + "a");
    var ours =
        understood(keys.listAPIKeys()).getApiKeys().stream().filter(key -> key.getName().startsWith(prefix)).toList();
    assertEquals(List.of(a, b, c), ours);
  }

  @Test
  void updateChangesTheNameAlone() throws Exception {
    ApiKey made = make(unique("key"));
    String name = unique("renamed");
    ApiKey updated = understood(keys.updateAPIKey(made.getKey(), new ApiKey().name(name))).getApiKey();
    assertEquals(made.name(name), updated);
    assertEquals(updated, keys.getAPIKey(made.getKey()).getApiKey());
  }

  @Test
  void deleteAnswersWhatItDeletedOnce() throws Exception {
    ApiKey made = make(unique("key"));
    assertEquals(made, understood(keys.deleteAPIKey(made.getKey())).getApiKey());
    unknownOrMalformedKey(made.getKey());
    var credentials = Credentials.ADMIN.withApiKey(made.getKey());
    is(send("GET", "/api/v1/validate", null, credentials), 403, UNKNOWN_API_KEY_BODY);
  }

  @ParameterizedTest
  @ValueSource(strings = {"00000000000000000000000000000000", "invalidId"})
  void unknownOrMalformedKey(String key) {
    refused(404, () -> keys.getAPIKey(key), NOT_FOUND);
    refused(404, () -> keys.updateAPIKey(key, new ApiKey().name("x")), NOT_FOUND);
    refused(404, () -> keys.deleteAPIKey(key), NOT_FOUND);
    is(send("GET", "/api/v1/api_key/" + key, null, Credentials.ADMIN), 404, "{\"errors\": [\"" + NOT_FOUND + "\"]}");
  }
}
