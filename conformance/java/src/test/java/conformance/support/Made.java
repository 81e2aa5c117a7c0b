package conformance.support;

import static conformance.support.Judge.understood;
import static conformance.support.Server.keys;
import static conformance.support.Server.roles;
import static conformance.support.Server.send;
import static conformance.support.Server.serviceAccounts;
import static conformance.support.Server.users;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.ApiException;
import com.datadog.api.client.JSON;
import com.datadog.api.client.v2.model.APIKeyCreateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyCreateRequest;
import com.datadog.api.client.v2.model.FullAPIKey;
import com.datadog.api.client.v2.model.FullApplicationKey;
import com.datadog.api.client.v2.model.RoleCreateRequest;
import com.datadog.api.client.v2.model.RoleCreateResponseData;
import com.datadog.api.client.v2.model.ServiceAccountCreateRequest;
import com.datadog.api.client.v2.model.User;
import com.datadog.api.client.v2.model.UserCreateRequest;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
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

  /** A body that points at an object. */
  public static Map<String, Object> to(String type, String id) {
    return object("data", object("type", type, "id", id));
  }

  /** The same body, with a relationship to several objects of one type. */
  @SuppressWarnings("unchecked")
  public static Map<String, Object> linked(Map<String, Object> body, String name, String type, List<String> ids) {
    var linkage = ids.stream().map(id -> object("type", type, "id", id)).toList();
    ((Map<String, Object>) body.get("data")).put("relationships", object(name, object("data", linkage)));
    return body;
  }

  /** The client's own type from JSON, which the client then writes anew. */
  public static <T> T body(Class<T> type, Map<String, Object> json) {
    try {
      return understood(CLIENTS.readValue(PLAIN.writeValueAsString(json), type));
    } catch (JsonProcessingException error) {
      throw new AssertionError(error);
    }
  }

  /** What the client writes of one of its own values. */
  static JsonNode written(Object value) {
    try {
      return tree(CLIENTS.writeValueAsString(value));
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

  /** An address that nobody has, as long and in as mixed a case as those of the vendor's own suites. */
  public static String uniqueEmail() {
    return "Test-Conformance_creates_somebody_with_a_long_name_" + unknownId() + "@Example.com";
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

  /** Makes a user for the length of the test; attributes may lack the email. */
  protected User makeUser(List<String> roles, Object... attributes) throws ApiException {
    var given = object("email", uniqueEmail());
    given.putAll(object(attributes));
    var body = body(UserCreateRequest.class, linked(data("users", given), "roles", "roles", roles));
    User made = understood(users().createUser(body)).getData();
    cleanUp("/api/v2/users/" + made.getId());
    return made;
  }

  /** Makes a service account for the length of the test; attributes may lack the email. */
  protected User makeServiceAccount(List<String> roles, Object... attributes) throws ApiException {
    var given = object("email", uniqueEmail(), "service_account", true);
    given.putAll(object(attributes));
    var body = body(ServiceAccountCreateRequest.class, linked(data("users", given), "roles", "roles", roles));
    User made = understood(serviceAccounts().createServiceAccount(body)).getData();
    cleanUp("/api/v2/users/" + made.getId());
    return made;
  }

  /** Makes a role for the length of the test, with the default permissions and those given. */
  protected RoleCreateResponseData makeRole(List<String> permissions, Object... attributes) throws ApiException {
    var given = object("name", unique("role"));
    given.putAll(object(attributes));
    var request = linked(data("roles", given), "permissions", "permissions", permissions);
    RoleCreateResponseData made = understood(roles().createRole(body(RoleCreateRequest.class, request))).getData();
    cleanUp("/api/v2/roles/" + made.getId());
    return made;
  }

  /** The id of every permission, by its name. */
  protected static Map<String, String> permissions() throws ApiException {
    return understood(roles().listPermissions()).getData().stream()
        .collect(Collectors.toMap(one -> one.getAttributes().getName(), one -> one.getId()));
  }

  /** The ids of the permissions that every new role gets. */
  protected static List<String> defaultPermissions() throws ApiException {
    return roles().listPermissions().getData().stream()
        .filter(one -> one.getAttributes().getRestricted())
        .map(one -> one.getId())
        .toList();
  }

  private static Map<String, Object> named(Object... attributes) {
    Map<String, Object> named = object("name", unique("key"));
    named.putAll(object(attributes));
    return named;
  }
}
