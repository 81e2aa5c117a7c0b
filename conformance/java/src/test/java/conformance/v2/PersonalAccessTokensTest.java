package conformance.v2;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.ApiException;
import com.datadog.api.client.Pair;
import com.fasterxml.jackson.databind.JsonNode;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code /api/v2/personal_access_tokens}, for which this release of the client has no methods, and what the client may
 * call with such a token.
 */
class PersonalAccessTokensTest extends Made {
  private static final String PATH = "/api/v2/personal_access_tokens";
  private static final String TYPE = "personal_access_tokens";
  private static final String NOT_FOUND = "Personal access token not found";

  private static Map<String, Object> request(Object... attributes) {
    var end = OffsetDateTime.now().plusDays(30).toString();
    var given = object("name", unique("token"), "scopes", List.of("dashboards_read"), "expires_at", end);
    given.putAll(object(attributes));
    return data(TYPE, given);
  }

  private static JsonNode call(String method, String path, Object body, Pair... query) throws ApiException {
    return invoke(client(), method, path, body, query);
  }

  private JsonNode make(Object... attributes) throws ApiException {
    var made = call("POST", PATH, request(attributes)).get("data");
    cleanUp(PATH + "/" + made.get("id").textValue());
    return made;
  }

  private static String id(JsonNode token) {
    return token.get("id").textValue();
  }

  private static String secret(JsonNode token) {
    return token.at("/attributes/key").textValue();
  }

  @Test
  void create() throws Exception {
    var scopes = List.of("monitors_read", "dashboards_read");
    var made = make("scopes", scopes);
    matches(UUID, id(made));
    assertEquals(TYPE, made.get("type").textValue());
    matches("ddpat_[0-9A-Za-z]{22}_[0-9A-Za-z]{36}", secret(made));
    assertEquals(secret(made).split("_")[1], made.at("/attributes/public_portion").textValue());
    assertEquals("[\"monitors_read\",\"dashboards_read\"]", made.at("/attributes/scopes").toString());
    assertEquals(USER_ID, made.at("/relationships/owned_by/data/id").textValue());
  }

  @Test
  void lastsFromADayToAYear() throws Exception {
    var now = OffsetDateTime.now();
    make("expires_at", now.plusDays(365).toString());
    for (var end : List.of(now.plusDays(366), now.plusHours(23), now.minusHours(1))) {
      refused(400, () -> call("POST", PATH, request("expires_at", end.toString())));
    }
  }

  @Test
  void createWithWrongBodies() {
    var unknown = request("scopes", List.of("no_such_scope"));
    refused(400, () -> call("POST", PATH, unknown), "Invalid scopes: no_such_scope");
    for (var wrong : List.of(request("name", ""), request("scopes", List.of()))) {
      refused(400, () -> call("POST", PATH, wrong));
    }
    assertEquals(400, send("POST", PATH, request("expires_at", null), Credentials.ADMIN).status());
  }

  @Test
  void get() throws Exception {
    var made = make();
    var found = call("GET", PATH + "/" + id(made), null).get("data");
    assertEquals(made.at("/attributes/name"), found.at("/attributes/name"));
    assertTrue(found.at("/attributes/last_used_at").isNull());
    assertTrue(found.at("/attributes/key").isMissingNode());
    var wire = send("GET", PATH + "/" + id(made), null, Credentials.ADMIN);
    assertEquals("application/vnd.api+json", wire.contentType());
  }

  @ParameterizedTest
  @ValueSource(strings = {"invalidId", "3653d3c6-0c75-41ea-ad28-fb5701eabc7d"})
  void unknownOrMalformedId(String id) {
    refused(404, () -> call("GET", PATH + "/" + id, null), NOT_FOUND);
    refused(404, () -> call("PATCH", PATH + "/" + id, patch(TYPE, id, object("name", "x"))), NOT_FOUND);
  }

  private static List<String> ids(String filter, String... query) throws ApiException {
    var pairs = new ArrayList<Pair>(List.of(new Pair("filter", filter)));
    for (int i = 0; i < query.length; i += 2) {
      pairs.add(new Pair(query[i], query[i + 1]));
    }
    var ids = new ArrayList<String>();
    call("GET", PATH, null, pairs.toArray(Pair[]::new)).get("data").forEach(token -> ids.add(id(token)));
    return ids;
  }

  @Test
  void list() throws Exception {
    String prefix = unique("");
    var now = OffsetDateTime.now();
    String b = id(make("name", prefix + "b", "expires_at", now.plusDays(20).toString()));
    String c = id(make("name", prefix + "C", "expires_at", now.plusDays(10).toString()));
    String a = id(make("name", prefix + "a", "expires_at", now.plusDays(40).toString()));
    assertEquals(List.of(a, b, c), ids(prefix));
    assertEquals(List.of(c), ids(prefix, "page[size]", "2", "page[number]", "1"));
    assertEquals(List.of(c, b, a), ids(prefix, "sort", "expires_at"));
    assertEquals(List.of(a, c, b), ids(prefix, "sort", "-created_at"));
    for (String owner : List.of("filter[owned_by]", "filter[owner_uuid]")) {
      assertEquals(List.of(a, b, c), ids(prefix, owner, unknownId(), owner, USER_ID));
      assertEquals(List.of(), ids(prefix, owner, unknownId()));
    }
  }

  @Test
  void update() throws Exception {
    String id = id(make());
    String name = unique("renamed");
    var updated = call("PATCH", PATH + "/" + id, patch(TYPE, id, object("name", name))).get("data");
    assertEquals(name, updated.at("/attributes/name").textValue());
    assertEquals("[\"dashboards_read\"]", updated.at("/attributes/scopes").toString());
    assertTrue(updated.at("/attributes/modified_at").isTextual());
    refused(400, () -> call("PATCH", PATH + "/" + id, patch(TYPE, unknownId(), object("name", "x"))));
  }

  @Test
  void revokeHoweverOften() throws Exception {
    var made = make("scopes", List.of("api_keys_read"));
    var caller = keysAs(Credentials.bearer(secret(made)));
    understood(caller.listAPIKeys());
    for (int i = 0; i < 2; i++) {
      assertEquals(204, send("DELETE", PATH + "/" + id(made), null, Credentials.ADMIN).status());
    }
    refused(404, () -> call("GET", PATH + "/" + id(made), null), NOT_FOUND);
    refused(401, caller::listAPIKeys, "Unauthorized");
  }

  @Test
  void callWithAToken() throws Exception {
    String secret = secret(make("scopes", List.of("api_keys_read")));
    for (var credentials :
        List.of(
            Credentials.bearer(secret), Credentials.NONE.withApplicationKey(secret),
            Credentials.ADMIN.withApplicationKey(secret))) {
      understood(keysAs(credentials).listAPIKeys());
      refused(403, () -> keysAs(credentials).listApplicationKeys(), NO_PERMISSION);
    }
    var beside = new Credentials(API_KEY, APPLICATION_KEY, "nonsense");
    failed(send("GET", "/api/v2/validate_keys", null, beside), 401, "Unauthorized");
  }
}
