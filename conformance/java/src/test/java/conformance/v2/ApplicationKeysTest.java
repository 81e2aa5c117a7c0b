package conformance.v2;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.v2.api.KeyManagementApi.GetApplicationKeyOptionalParameters;
import com.datadog.api.client.v2.api.KeyManagementApi.ListApplicationKeysOptionalParameters;
import com.datadog.api.client.v2.model.ApplicationKeyUpdateRequest;
import com.datadog.api.client.v2.model.ApplicationKeysSort;
import com.datadog.api.client.v2.model.ApplicationKeysType;
import com.datadog.api.client.v2.model.PartialApplicationKey;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /api/v2/application_keys}: everybody's keys in the org, whose secrets never show here. */
class ApplicationKeysTest extends Made {
  private static final String PATH = "/api/v2/application_keys";
  private static final String NOT_FOUND = "Application key not found";

  private static ApplicationKeyUpdateRequest update(String id, Object... attributes) {
    return body(ApplicationKeyUpdateRequest.class, patch("application_keys", id, object(attributes)));
  }

  @Test
  void get() throws Exception {
    var scopes = List.of("monitors_read", "dashboards_read");
    var made = makeApplicationKey("scopes", scopes);
    var with = new GetApplicationKeyOptionalParameters().include("owned_by");
    var answer = understood(keys().getApplicationKey(made.getId(), with));
    var attributes = answer.getData().getAttributes();
    assertEquals(ApplicationKeysType.APPLICATION_KEYS, answer.getData().getType());
    assertNull(attributes.getKey());
    assertEquals(scopes, attributes.getScopes());
    assertEquals(made.getAttributes().getKey().substring(36), attributes.getLast4());
    assertTrue(attributes.getLastUsedAt_JsonNullable().isPresent());
    assertNull(attributes.getLastUsedAt());
    assertEquals(USER_ID, answer.getData().getRelationships().getOwnedBy().getData().getId());
    assertEquals(1, answer.getIncluded().size());
    assertEquals(EMAIL, answer.getIncluded().get(0).getUser().getAttributes().getEmail());
  }

  @Test
  void renameKeepsScopesAndSecret() throws Exception {
    var made = makeApplicationKey("scopes", List.of("org_app_keys_read"));
    String name = unique("renamed");
    var answer = understood(keys().updateApplicationKey(made.getId(), update(made.getId(), "name", name)));
    assertEquals(name, answer.getData().getAttributes().getName());
    assertEquals(List.of("org_app_keys_read"), answer.getData().getAttributes().getScopes());
    assertNull(answer.getData().getAttributes().getKey());
    keysAs(Credentials.ADMIN.withApplicationKey(made.getAttributes().getKey())).listApplicationKeys();
  }

  @Test
  void changeScopesAndTakeThemAway() throws Exception {
    var made = makeApplicationKey();
    var scopes = List.of("monitors_read", "dashboards_read");
    var answer = keys().updateApplicationKey(made.getId(), update(made.getId(), "scopes", scopes));
    assertEquals(scopes, answer.getData().getAttributes().getScopes());
    var caller = keysAs(Credentials.ADMIN.withApplicationKey(made.getAttributes().getKey()));
    refused(403, caller::listApplicationKeys, NO_PERMISSION);
    for (List<String> none : Arrays.asList(null, List.<String>of())) {
      answer = keys().updateApplicationKey(made.getId(), update(made.getId(), "scopes", none));
      assertNull(answer.getData().getAttributes().getScopes());
    }
    caller.listApplicationKeys();
  }

  @Test
  void patchWithAnUnknownScopeOrAnotherId() throws Exception {
    String id = makeApplicationKey().getId();
    var unknown = update(id, "scopes", List.of("no_such_scope"));
    refused(400, () -> keys().updateApplicationKey(id, unknown), "Invalid scopes: no_such_scope");
    refused(400, () -> keys().updateApplicationKey(id, update(unknownId(), "name", "x")));
  }

  @Test
  void deleteIsTheEnd() throws Exception {
    var made = makeApplicationKey();
    keys().deleteApplicationKey(made.getId());
    unknownOrMalformedId(made.getId());
    refused(404, () -> keys().getCurrentUserApplicationKey(made.getId()), NOT_FOUND);
    var caller = keysAs(Credentials.ADMIN.withApplicationKey(made.getAttributes().getKey()));
    refused(401, caller::listApplicationKeys, "Unauthorized");
  }

  @ParameterizedTest
  @ValueSource(strings = {"invalidId", "3653d3c6-0c75-41ea-ad28-fb5701eabc7d"})
  void unknownOrMalformedId(String id) {
    refused(404, () -> keys().getApplicationKey(id), NOT_FOUND);
    refused(404, () -> keys().updateApplicationKey(id, update(id, "name", "x")), NOT_FOUND);
    refused(404, () -> keys().deleteApplicationKey(id), NOT_FOUND);
  }

  private static List<String> ids(ListApplicationKeysOptionalParameters with) throws Exception {
    return understood(keys().listApplicationKeys(with)).getData().stream().map(PartialApplicationKey::getId).toList();
  }

  @Test
  void list() throws Exception {
    String prefix = unique("");
    String b = makeApplicationKey("name", prefix + "b").getId();
    var second = makeApplicationKey("name", prefix + "C");
    String c = second.getId();
    String a = makeApplicationKey("name", prefix + "a").getId();
    var listed =
        understood(keys().listApplicationKeys(
            new ListApplicationKeysOptionalParameters().filter(prefix).include("owned_by")));
    assertEquals(1000L, listed.getMeta().getMaxAllowedPerUser());
    assertEquals(3L, listed.getMeta().getPage().getTotalFilteredCount());
    assertEquals(1, listed.getIncluded().size());
    for (PartialApplicationKey key : listed.getData()) {
      assertTrue(key.getAttributes().getLastUsedAt_JsonNullable().isPresent());
      assertTrue(key.getAttributes().getAdditionalProperties() == null
          || !key.getAttributes().getAdditionalProperties().containsKey("key"));
    }
    assertEquals(List.of(a, b, c), ids(new ListApplicationKeysOptionalParameters().filter(prefix)));
    assertEquals(
        List.of(c), ids(new ListApplicationKeysOptionalParameters().filter(prefix).pageSize(2L).pageNumber(1L)));
    assertEquals(
        List.of(c, b, a),
        ids(new ListApplicationKeysOptionalParameters().filter(prefix).sort(ApplicationKeysSort.NAME_DESCENDING)));
    assertEquals(
        List.of(b, c, a),
        ids(new ListApplicationKeysOptionalParameters().filter(prefix).sort(ApplicationKeysSort.CREATED_AT_ASCENDING)));
    String moment = second.getAttributes().getCreatedAt().toString();
    assertEquals(
        List.of(a, c), ids(new ListApplicationKeysOptionalParameters().filter(prefix).filterCreatedAtStart(moment)));
    assertEquals(
        List.of(b, c), ids(new ListApplicationKeysOptionalParameters().filter(prefix).filterCreatedAtEnd(moment)));
  }

  @Test
  void listWithBadParameters() {
    for (String path : List.of(PATH, "/api/v2/current_user/application_keys")) {
      for (var query :
          List.of(
              List.of("sort", "modified_at"), List.of("include", "nonsense"), List.of("page[size]", "101"),
              List.of("page[number]", "-1"), List.of("filter[created_at][start]", "yesterday"))) {
        failed(send("GET", path, null, Credentials.ADMIN, query.get(0), query.get(1)), 400);
      }
    }
  }
}
