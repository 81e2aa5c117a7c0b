package conformance.support;

import static conformance.support.Judge.understood;
import static conformance.support.Server.keys;
import static conformance.support.Server.send;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.ApiException;
import com.datadog.api.client.JSON;
import com.datadog.api.client.v2.model.APIKeyCreateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyCreateRequest;
import com.datadog.api.client.v2.model.FullAPIKey;
import com.datadog.api.client.v2.model.FullApplicationKey;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;

/** Bodies, and objects that go away with the test that made them; the parent of every class of tests. */
public abstract class Made {
  private static final ObjectMapper CLIENTS = new JSON().getMapper();
  // The client's own leaves out what is null.
  private static final ObjectMapper PLAIN = new ObjectMapper();

  private final Deque<String> paths = new ArrayDeque<>();

  /** Deletes what tests have left, whether or not they have deleted it themselves. */
  @AfterEach
  void deleteWhatWasMade() {
    while (!paths.isEmpty()) {
      Server.Answer answer = send("DELETE", paths.pop(), null, Server.Credentials.ADMIN);
      assertTrue(List.of(200, 204, 404).contains(answer.status()), answer::text);
    }
  }

  /** Deletes {@code path} after the test. */
  protected void cleanUp(String path) {
    paths.push(path);
  }

  /** A JSON object of names and values in turn. */
  public static Map<String, Object> object(Object... namesAndValues) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return object;
  }

  /** The body of a create. */
  public static Map<String, Object> data(String type, Map<String, Object> attributes) {
    return object("data", object("type", type, "attributes", attributes));
  }

  /** The body of an update. */
  public static Map<String, Object> patch(String type, String id, Map<String, Object> attributes) {
    return object("data", object("type", type, "id", id, "attributes", attributes));
  }

  /** The client's own type from JSON, which the client then writes anew. */
  public static <T> T body(Class<T> type, Map<String, Object> json) {
    try {
      return understood(CLIENTS.readValue(PLAIN.writeValueAsString(json), type));
    } catch (JsonProcessingException error) {
      throw new AssertionError(error);
    }
  }

  static String json(Object value) {
    try {
      return PLAIN.writeValueAsString(value);
    } catch (JsonProcessingException error) {
      throw new AssertionError(error);
    }
  }

  static JsonNode tree(String text) {
    try {
      return PLAIN.readTree(text);
    } catch (JsonProcessingException error) {
      throw new AssertionError(text, error);
    }
  }

  /** A name that nothing else has, and that no other is part of. */
  public static String unique(String name) {
    return "conformance " + unknownId() + " " + name;
  }

  public static String unknownId() {
    return UUID.randomUUID().toString();
  }

  /** Makes an API key for the length of the test; attributes may lack the name. */
  protected FullAPIKey makeApiKey(Object... attributes) throws ApiException {
    var body = body(APIKeyCreateRequest.class, data("api_keys", named(attributes)));
    FullAPIKey made = understood(keys().createAPIKey(body)).getData();
    cleanUp("/api/v2/api_keys/" + made.getId());
    return made;
  }

  /** Makes an application key of the first user for the length of the test. */
  protected FullApplicationKey makeApplicationKey(Object... attributes) throws ApiException {
    var body = body(ApplicationKeyCreateRequest.class, data("application_keys", named(attributes)));
    FullApplicationKey made = understood(keys().createCurrentUserApplicationKey(body)).getData();
    cleanUp("/api/v2/current_user/application_keys/" + made.getId());
    return made;
  }

  private static Map<String, Object> named(Object... attributes) {
    Map<String, Object> named = object("name", unique("key"));
    named.putAll(object(attributes));
    return named;
  }
}
