package conformance.v2.current_user;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.v2.api.KeyManagementApi.ListCurrentUserApplicationKeysOptionalParameters;
import com.datadog.api.client.v2.model.ApplicationKeyCreateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyUpdateRequest;
import com.datadog.api.client.v2.model.ApplicationKeysSort;
import com.datadog.api.client.v2.model.PartialApplicationKey;
import com.datadog.api.client.v2.model.RolesType;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code /api/v2/current_user/application_keys}: the caller's own keys, whose secrets show on create, get and patch.
 */
class ApplicationKeysTest extends Made {
  private static final String PATH = "/api/v2/current_user/application_keys";
  private static final String NOT_FOUND = "Application key not found";

  private static ApplicationKeyUpdateRequest update(String id, Object... attributes) {
    return body(ApplicationKeyUpdateRequest.class, patch("application_keys", id, object(attributes)));
  }

  @Test
  void create() throws Exception {
    String name = unique("key");
    var made = makeApplicationKey("name", name);
    var attributes = made.getAttributes();
    matches(UUID, made.getId());
    matches(APPLICATION_KEY_SECRET, attributes.getKey());
    assertEquals(List.of(name, attributes.getKey().substring(36)), List.of(attributes.getName(), attributes.getLast4()));
    assertTrue(attributes.getScopes_JsonNullable().isPresent());
    assertNull(attributes.getScopes());
    assertEquals(USER_ID, made.getRelationships().getOwnedBy().getData().getId());
  }

  @Test
  void createWithScopesInOrderAndWithNone() throws Exception {
    var scopes = List.of("dashboards_write", "monitors_read", "dashboards_read");
    var made = makeApplicationKey("scopes", scopes);
    assertEquals(scopes, made.getAttributes().getScopes());
    assertEquals(scopes, keys().getCurrentUserApplicationKey(made.getId()).getData().getAttributes().getScopes());
    for (List<String> none : Arrays.asList(null, List.<String>of())) {
      assertNull(makeApplicationKey("scopes", none).getAttributes().getScopes());
    }
  }

  @Test
  void createWithUnknownScopes() {
    for (String scope : List.of("no_such_scope", unknownId())) {
      var attributes = object("name", "x", "scopes", List.of(scope));
      var body = body(ApplicationKeyCreateRequest.class, data("application_keys", attributes));
      refused(400, () -> keys().createCurrentUserApplicationKey(body), "Invalid scopes: " + scope);
    }
  }

  @Test
  void createWithWrongBodies() {
    Map.of(
            "'name' is a required property", object(),
            "None is not of type 'string'", object("name", null),
            "Additional properties are not allowed ('owner' was unexpected)", object("name", "x", "owner", "me"))
        .forEach(
            (text, wrong) ->
                failed(send("POST", PATH, data("application_keys", wrong), Credentials.ADMIN), 400, text));
    failed(send("POST", PATH, data("application_keys", object("name", " ")), Credentials.ADMIN), 400);
  }

  @Test
  void getBringsTheSecretTheOwnerAndTheirRoles() throws Exception {
    var made = makeApplicationKey();
    var answer = understood(keys().getCurrentUserApplicationKey(made.getId()));
    var attributes = answer.getData().getAttributes();
    assertEquals(made.getAttributes().getKey(), attributes.getKey());
    assertTrue(attributes.getLastUsedAt_JsonNullable().isPresent());
    assertNull(attributes.getLastUsedAt());
    var included = answer.getIncluded();
    assertEquals(USER_ID, included.get(0).getUser().getId());
    assertTrue(included.size() > 1);
    for (var item : included.subList(1, included.size())) {
      assertEquals(RolesType.ROLES, item.getRole().getType());
    }
    var wire = send("GET", PATH + "/" + made.getId(), null, Credentials.ADMIN).attributes();
    matches(TIME_V2, wire.get("created_at").textValue());
  }

  @Test
  void list() throws Exception {
    String prefix = unique("");
    String b = makeApplicationKey("name", prefix + "b").getId();
    String c = makeApplicationKey("name", prefix + "C").getId();
    String a = makeApplicationKey("name", prefix + "a").getId();
    var listed =
        understood(keys().listCurrentUserApplicationKeys(
            new ListCurrentUserApplicationKeysOptionalParameters().filter(prefix)));
    assertEquals(3L, listed.getMeta().getPage().getTotalFilteredCount());
    assertEquals(1000L, listed.getMeta().getMaxAllowedPerUser());
    assertEquals(List.of(a, b, c), listed.getData().stream().map(PartialApplicationKey::getId).toList());
    listed =
        understood(keys().listCurrentUserApplicationKeys(
            new ListCurrentUserApplicationKeysOptionalParameters()
                .filter(prefix).sort(ApplicationKeysSort.CREATED_AT_DESCENDING).pageSize(2L).pageNumber(0L)));
    assertEquals(List.of(a, c), listed.getData().stream().map(PartialApplicationKey::getId).toList());
  }

  @Test
  void patchKeepsTheSecretAndTakesScopesAway() throws Exception {
    var made = makeApplicationKey("scopes", List.of("user_app_keys"));
    String id = made.getId();
    String name = unique("renamed");
    var attributes =
        understood(keys().updateCurrentUserApplicationKey(id, update(id, "name", name))).getData().getAttributes();
    assertEquals(List.of(name, made.getAttributes().getKey()), List.of(attributes.getName(), attributes.getKey()));
    assertEquals(List.of("user_app_keys"), attributes.getScopes());
    keysAs(Credentials.ADMIN.withApplicationKey(attributes.getKey())).listCurrentUserApplicationKeys();
    var unscoped = keys().updateCurrentUserApplicationKey(id, update(id, "scopes", List.of()));
    assertNull(unscoped.getData().getAttributes().getScopes());
  }

  @Test
  void patchWithAnotherId() throws Exception {
    String id = makeApplicationKey().getId();
    refused(400, () -> keys().updateCurrentUserApplicationKey(id, update(unknownId(), "name", "x")));
  }

  @Test
  void deleteIsTheEnd() throws Exception {
    String id = makeApplicationKey().getId();
    keys().deleteCurrentUserApplicationKey(id);
    unknownOrMalformedId(id);
    refused(404, () -> keys().getApplicationKey(id), NOT_FOUND);
  }

  @ParameterizedTest
  @ValueSource(strings = {"invalidId", "incorrectId", "3653d3c6-0c75-41ea-ad28-fb5701eabc7d"})
  void unknownOrMalformedId(String id) {
    refused(404, () -> keys().getCurrentUserApplicationKey(id), NOT_FOUND);
    refused(404, () -> keys().updateCurrentUserApplicationKey(id, update(id, "name", "x")), NOT_FOUND);
    refused(404, () -> keys().deleteCurrentUserApplicationKey(id), NOT_FOUND);
  }
}
