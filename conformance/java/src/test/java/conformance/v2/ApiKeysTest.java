package conformance.v2;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.v2.api.KeyManagementApi.GetAPIKeyOptionalParameters;
import com.datadog.api.client.v2.api.KeyManagementApi.ListAPIKeysOptionalParameters;
import com.datadog.api.client.v2.model.APIKeyCreateRequest;
import com.datadog.api.client.v2.model.APIKeyUpdateRequest;
import com.datadog.api.client.v2.model.APIKeysResponse;
import com.datadog.api.client.v2.model.APIKeysSort;
import com.datadog.api.client.v2.model.APIKeysType;
import com.datadog.api.client.v2.model.PartialAPIKey;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /api/v2/api_keys}: create, read, list, rename, revoke; where the secret shows; what is refused. */
class ApiKeysTest extends Made {
  private static final String PATH = "/api/v2/api_keys";
  private static final String NOT_FOUND = "API key not found";

  private static APIKeyUpdateRequest update(String id, Object... attributes) {
    return body(APIKeyUpdateRequest.class, patch("api_keys", id, object(attributes)));
  }

  @Test
  void create() throws Exception {
    String name = unique("key");
    var made = makeApiKey("name", name);
    var attributes = made.getAttributes();
    matches(UUID, made.getId());
    matches(API_KEY_SECRET, attributes.getKey());
    assertEquals(APIKeysType.API_KEYS, made.getType());
    assertEquals(List.of(name, attributes.getKey().substring(28)), List.of(attributes.getName(), attributes.getLast4()));
    assertEquals(true, attributes.getRemoteConfigReadEnabled());
    assertEquals("default", attributes.getCategory());
    assertEquals(attributes.getCreatedAt(), attributes.getModifiedAt());
    assertEquals(USER_ID, made.getRelationships().getCreatedBy().getData().getId());
    assertEquals(USER_ID, made.getRelationships().getModifiedBy().getData().getId());
  }

  @Test
  void createWithoutRemoteConfiguration() throws Exception {
    String id = makeApiKey("remote_config_read_enabled", false).getId();
    assertEquals(false, keys().getAPIKey(id).getData().getAttributes().getRemoteConfigReadEnabled());
  }

  @Test
  void createWithWrongBodies() {
    Map.of(
            "'name' is a required property", object(),
            "None is not of type 'string'", object("name", null),
            "Additional properties are not allowed ('owner' was unexpected)", object("name", "x", "owner", "me"))
        .forEach(
            (text, wrong) -> failed(send("POST", PATH, data("api_keys", wrong), Credentials.ADMIN), 400, text));
    failed(send("POST", PATH, data("api_keys", object("name", "")), Credentials.ADMIN), 400);
    failed(send("POST", PATH, data("users", object("name", "x")), Credentials.ADMIN), 400);
    var blank = body(APIKeyCreateRequest.class, data("api_keys", object("name", " ")));
    refused(400, () -> keys().createAPIKey(blank));
  }

  @Test
  void get() throws Exception {
    var made = makeApiKey();
    var found = understood(keys().getAPIKey(made.getId())).getData();
    assertEquals(made.getAttributes().getKey(), found.getAttributes().getKey());
    assertTrue(found.getAttributes().getDateLastUsed_JsonNullable().isPresent());
    assertNull(found.getAttributes().getDateLastUsed());
    var attributes = send("GET", PATH + "/" + made.getId(), null, Credentials.ADMIN).attributes();
    matches(TIME_V2, attributes.get("created_at").textValue());
    matches(TIME_V2, attributes.get("modified_at").textValue());
  }

  @Test
  void getWithUsers() throws Exception {
    var with = new GetAPIKeyOptionalParameters().include("created_by,modified_by");
    var included = understood(keys().getAPIKey(makeApiKey().getId(), with)).getIncluded();
    assertEquals(1, included.size());
    assertEquals(USER_ID, included.get(0).getUser().getId());
    assertEquals(EMAIL, included.get(0).getUser().getAttributes().getEmail());
  }

  @Test
  void rename() throws Exception {
    var made = makeApiKey("remote_config_read_enabled", false);
    String name = unique("renamed");
    var renamed = understood(keys().updateAPIKey(made.getId(), update(made.getId(), "name", name))).getData();
    assertEquals(name, renamed.getAttributes().getName());
    assertEquals(made.getAttributes().getKey(), renamed.getAttributes().getKey());
    assertEquals(false, renamed.getAttributes().getRemoteConfigReadEnabled());
    // The same again is no change.
    keys().updateAPIKey(made.getId(), update(made.getId(), "name", name));
    var found = keys().getAPIKey(made.getId()).getData().getAttributes();
    assertEquals(name, found.getName());
    assertEquals(renamed.getAttributes().getModifiedAt(), found.getModifiedAt());
  }

  @Test
  void patchWithAnotherId() throws Exception {
    String id = makeApiKey().getId();
    refused(400, () -> keys().updateAPIKey(id, update(unknownId(), "name", "x")));
  }

  @Test
  void deleteRevokes() throws Exception {
    var made = makeApiKey();
    keys().deleteAPIKey(made.getId());
    var found = understood(keys().getAPIKey(made.getId())).getData();
    assertEquals("revoked", found.getAttributes().getAdditionalProperty("status"));
    var with = new ListAPIKeysOptionalParameters().filter(made.getAttributes().getName());
    assertEquals(List.of(), keys().listAPIKeys(with).getData());
    refused(404, () -> keys().deleteAPIKey(made.getId()), NOT_FOUND);
    refused(404, () -> keys().updateAPIKey(made.getId(), update(made.getId(), "name", "x")), NOT_FOUND);
  }

  @ParameterizedTest
  @ValueSource(strings = {"invalidId", "3653d3c6-0c75-41ea-ad28-fb5701eabc7d"})
  void unknownOrMalformedId(String id) {
    refused(404, () -> keys().getAPIKey(id), NOT_FOUND);
    refused(404, () -> keys().updateAPIKey(id, update(id, "name", "x")), NOT_FOUND);
    refused(404, () -> keys().deleteAPIKey(id), NOT_FOUND);
  }

  private static APIKeysResponse list(ListAPIKeysOptionalParameters with) throws Exception {
    return understood(keys().listAPIKeys(with));
  }

  private static List<String> ids(ListAPIKeysOptionalParameters with) throws Exception {
    return list(with).getData().stream().map(PartialAPIKey::getId).toList();
  }

  @Test
  void list() throws Exception {
    String prefix = unique("");
    var made = List.of(makeApiKey("name", prefix + "b"), makeApiKey("name", prefix + "C"), makeApiKey("name", prefix + "a"));
    String b = made.get(0).getId();
    String c = made.get(1).getId();
    String a = made.get(2).getId();
    keys().updateAPIKey(b, update(b, "name", prefix + "bb"));

    var listed = list(new ListAPIKeysOptionalParameters().filter(prefix).include("created_by"));
    assertEquals(200L, listed.getMeta().getMaxAllowed());
    assertEquals(3L, listed.getMeta().getPage().getTotalFilteredCount());
    assertEquals(1, listed.getIncluded().size());
    assertEquals(USER_ID, listed.getIncluded().get(0).getUser().getId());
    for (PartialAPIKey key : listed.getData()) {
      assertTrue(key.getAttributes().getDateLastUsed_JsonNullable().isPresent());
      assertTrue(key.getAttributes().getAdditionalProperties() == null
          || !key.getAttributes().getAdditionalProperties().containsKey("key"));
    }

    var expected = List.of(a, b, c);
    for (long page = 0; page < 3; page++) {
      var with = new ListAPIKeysOptionalParameters().filter(prefix).pageSize(2L).pageNumber(page);
      assertEquals(expected.subList((int) Math.min(2 * page, 3), (int) Math.min(2 * page + 2, 3)), ids(with));
    }
    Map<APIKeysSort, List<String>> orders =
        Map.of(
            APIKeysSort.NAME_ASCENDING, List.of(a, b, c),
            APIKeysSort.NAME_DESCENDING, List.of(c, b, a),
            APIKeysSort.CREATED_AT_ASCENDING, List.of(b, c, a),
            APIKeysSort.CREATED_AT_DESCENDING, List.of(a, c, b),
            APIKeysSort.MODIFIED_AT_ASCENDING, List.of(c, a, b),
            APIKeysSort.MODIFIED_AT_DESCENDING, List.of(b, a, c));
    for (var order : orders.entrySet()) {
      assertEquals(
          order.getValue(), ids(new ListAPIKeysOptionalParameters().filter(prefix).sort(order.getKey())),
          order.getKey().getValue());
    }
    var byLast4 = new ArrayList<String>();
    var with = new ListAPIKeysOptionalParameters().filter(prefix);
    list(with.sort(APIKeysSort.LAST4_DESCENDING)).getData().forEach(key -> byLast4.add(key.getAttributes().getLast4()));
    var sorted = new ArrayList<>(byLast4);
    sorted.sort(Collections.reverseOrder());
    assertEquals(sorted, byLast4);

    assertEquals(List.of(b), ids(new ListAPIKeysOptionalParameters().filter(prefix + "b")));
    String moment = made.get(1).getAttributes().getCreatedAt().toString();
    assertEquals(List.of(a, c), ids(new ListAPIKeysOptionalParameters().filter(prefix).filterCreatedAtStart(moment)));
    assertEquals(List.of(b, c), ids(new ListAPIKeysOptionalParameters().filter(prefix).filterCreatedAtEnd(moment)));
    String changed = made.get(2).getAttributes().getModifiedAt().toString();
    assertEquals(List.of(a, b), ids(new ListAPIKeysOptionalParameters().filter(prefix).filterModifiedAtStart(changed)));
    assertEquals(List.of(a, c), ids(new ListAPIKeysOptionalParameters().filter(prefix).filterModifiedAtEnd(changed)));
    assertEquals(3, ids(new ListAPIKeysOptionalParameters().filter(prefix).filterRemoteConfigReadEnabled(true)).size());
    assertEquals(0, ids(new ListAPIKeysOptionalParameters().filter(prefix).filterRemoteConfigReadEnabled(false)).size());
    assertEquals(3, ids(new ListAPIKeysOptionalParameters().filter(prefix).filterCategory("default")).size());
  }

  @Test
  void listWithBadParameters() {
    for (var query :
        List.of(
            List.of("sort", "nonsense"), List.of("include", "nonsense"), List.of("page[size]", "101"),
            List.of("page[number]", "-1"), List.of("filter[created_at][start]", "yesterday"))) {
      failed(send("GET", PATH, null, Credentials.ADMIN, query.get(0), query.get(1)), 400);
    }
  }
}
