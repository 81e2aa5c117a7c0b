package conformance.v2.service_accounts;

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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * {@code /api/v2/service_accounts/{id}/access_tokens}, for which this release of the client has no methods.
 */
class AccessTokensTest extends Made {
  private static Map<String, Object> request(Object... attributes) {
    var given = object("name", unique("token"), "scopes", List.of("dashboards_read"));
    given.putAll(object(attributes));
    return data("service_access_tokens", given);
  }

  private static String path(String account) {
    return "/api/v2/service_accounts/" + account + "/access_tokens";
  }

  private static JsonNode call(String method, String path, Object body) throws ApiException {
    return invoke(client(), method, path, body);
  }

  private static JsonNode make(String account, Object... attributes) throws ApiException {
    return call("POST", path(account), request(attributes)).get("data");
  }

  private static JsonNode validate(String token) throws ApiException {
    return invoke(client(Credentials.bearer(token)), "GET", "/api/v2/validate_keys", null);
  }

  @Test
  void create() throws Exception {
    String account = makeServiceAccount(List.of()).getId();
    var made = make(account);
    assertEquals("service_access_tokens", made.get("type").textValue());
    String secret = made.at("/attributes/key").textValue();
    matches("ddsat_[0-9A-Za-z]{22}_[0-9A-Za-z]{36}", secret);
    assertEquals(secret.substring(0, 28), made.at("/attributes/public_portion").textValue());
    assertTrue(made.at("/attributes/expires_at").isNull());
    assertEquals(account, made.at("/relationships/owned_by/data/id").textValue());
    assertEquals("service_account", made.at("/relationships/owned_by/data/type").textValue());
    var unknown = request("scopes", List.of("no_such_scope"));
    refused(400, () -> call("POST", path(account), unknown), "Invalid scopes: no_such_scope");
    String soon = OffsetDateTime.now().plusHours(1).toString();
    for (var wrong : List.of(request("name", ""), request("scopes", List.of()), request("expires_at", soon))) {
      refused(400, () -> call("POST", path(account), wrong));
    }
  }

  @Test
  void isReadListedAndUpdated() throws Exception {
    String account = makeServiceAccount(List.of()).getId();
    assertEquals("{\"data\":[],\"meta\":{\"page\":{\"total_filtered_count\":0}}}", call("GET", path(account), null).toString());
    var made = make(account);
    String id = made.get("id").textValue();
    var found = call("GET", path(account) + "/" + id, null).get("data");
    assertEquals(made.at("/attributes/name"), found.at("/attributes/name"));
    assertTrue(found.at("/attributes/last_used_at").isNull());
    assertTrue(found.at("/attributes/key").isMissingNode());
    assertEquals(id, call("GET", path(account), null).at("/data/0/id").textValue());
    var renamed = patch("service_access_tokens", id, object("name", "renamed"));
    var updated = call("PATCH", path(account) + "/" + id, renamed).get("data");
    assertEquals("renamed", updated.at("/attributes/name").textValue());
    assertTrue(updated.at("/attributes/modified_at").isTextual());
    var orgs =
        invoke(client(), "GET", "/api/v2/personal_access_tokens", null, new Pair("filter[owned_by]", account)).get("data");
    assertEquals(List.of(1, id, "personal_access_tokens"),
        List.of(orgs.size(), orgs.at("/0/id").textValue(), orgs.at("/0/type").textValue()));
  }

  @Test
  void revokeHoweverOften() throws Exception {
    String account = makeServiceAccount(List.of()).getId();
    var made = make(account);
    String secret = made.at("/attributes/key").textValue();
    String one = path(account) + "/" + made.get("id").textValue();
    assertEquals("ok", validate(secret).get("status").textValue());
    for (int i = 0; i < 2; i++) {
      assertEquals(204, send("DELETE", one, null, Credentials.ADMIN).status());
    }
    refused(401, () -> validate(secret), "Unauthorized");
    fails(404, () -> call("GET", one, null));
    fails(404, () -> call("GET", path(unknownId()), null));
  }
}
