package conformance.v2.service_accounts;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.v2.model.ApplicationKeyCreateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyUpdateRequest;
import com.datadog.api.client.v2.model.FullApplicationKey;
import com.datadog.api.client.v2.model.PartialApplicationKey;
import com.datadog.api.client.v2.model.UserUpdateRequest;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** {@code /api/v2/service_accounts/{id}/application_keys}: the secret shows on create alone. */
class ApplicationKeysTest extends Made {
  private static final String NOT_FOUND = "Application key not found";

  private static ApplicationKeyCreateRequest request(Object... attributes) {
    var given = object("name", unique("key"));
    given.putAll(object(attributes));
    return body(ApplicationKeyCreateRequest.class, data("application_keys", given));
  }

  private static FullApplicationKey make(String account, Object... attributes) throws Exception {
    return understood(serviceAccounts().createServiceAccountApplicationKey(account, request(attributes))).getData();
  }

  private static ApplicationKeyUpdateRequest update(String id, String name) {
    return body(ApplicationKeyUpdateRequest.class, patch("application_keys", id, object("name", name)));
  }

  private static Executable use(FullApplicationKey key) {
    var credentials = Credentials.ADMIN.withApplicationKey(key.getAttributes().getKey());
    return () -> invoke(client(credentials), "GET", "/api/v2/validate_keys", null);
  }

  @Test
  void create() throws Exception {
    String account = makeServiceAccount(List.of()).getId();
    var made = make(account);
    matches(APPLICATION_KEY_SECRET, made.getAttributes().getKey());
    assertNull(made.getAttributes().getScopes());
    assertEquals(account, made.getRelationships().getOwnedBy().getData().getId());
    var scopes = List.of("dashboards_read", "dashboards_write", "dashboards_public_share");
    assertEquals(scopes, make(account, "scopes", scopes).getAttributes().getScopes());
    var unknown = request("scopes", List.of("no_such_scope"));
    refused(
        400, () -> serviceAccounts().createServiceAccountApplicationKey(account, unknown),
        "Invalid scopes: no_such_scope");
  }

  @Test
  void isReadListedAndUpdatedWithoutItsSecret() throws Exception {
    String account = makeServiceAccount(List.of()).getId();
    var empty = understood(serviceAccounts().listServiceAccountApplicationKeys(account));
    assertEquals(List.of(), empty.getData());
    assertEquals(1000L, empty.getMeta().getMaxAllowedPerUser());
    var made = make(account);
    String id = made.getId();
    var found = understood(serviceAccounts().getServiceAccountApplicationKey(account, id)).getData();
    assertEquals(List.of(id, made.getAttributes().getName()), List.of(found.getId(), found.getAttributes().getName()));
    var listed = understood(serviceAccounts().listServiceAccountApplicationKeys(account)).getData();
    assertEquals(List.of(id), listed.stream().map(PartialApplicationKey::getId).toList());
    String name = made.getAttributes().getName() + "-updated";
    var answer = understood(serviceAccounts().updateServiceAccountApplicationKey(account, id, update(id, name)));
    assertEquals(List.of(id, name), List.of(answer.getData().getId(), answer.getData().getAttributes().getName()));
    for (var seen : List.of(found, listed.get(0), answer.getData())) {
      var more = seen.getAttributes().getAdditionalProperties();
      assertTrue(more == null || !more.containsKey("key"));
    }
  }

  @Test
  void deleteIsTheEnd() throws Throwable {
    String account = makeServiceAccount(List.of()).getId();
    var made = make(account);
    use(made).execute();
    serviceAccounts().deleteServiceAccountApplicationKey(account, made.getId());
    refused(401, use(made), "Unauthorized");
    absent(account, made.getId());
  }

  @Test
  void disablingTheServiceAccountEndsItsKeysForGood() throws Throwable {
    String account = makeServiceAccount(List.of()).getId();
    var made = make(account);
    use(made).execute();
    users().disableUser(account);
    refused(401, use(made), "Unauthorized");
    users().updateUser(account, body(UserUpdateRequest.class, patch("users", account, object("disabled", false))));
    refused(401, use(made), "Unauthorized");
  }

  @Test
  void somebodyElsesKeyIsNotThere() throws Exception {
    String account = makeServiceAccount(List.of()).getId();
    for (String id : List.of("invalidId", unknownId(), makeApplicationKey().getId())) {
      absent(account, id);
    }
    for (String nobody : List.of(unknownId(), makeUser(List.of()).getId())) {
      fails(404, () -> serviceAccounts().listServiceAccountApplicationKeys(nobody));
      fails(404, () -> serviceAccounts().createServiceAccountApplicationKey(nobody, request()));
    }
  }

  private static void absent(String account, String id) {
    refused(404, () -> serviceAccounts().getServiceAccountApplicationKey(account, id), NOT_FOUND);
    refused(
        404, () -> serviceAccounts().updateServiceAccountApplicationKey(account, id, update(id, "x")), NOT_FOUND);
    refused(404, () -> serviceAccounts().deleteServiceAccountApplicationKey(account, id), NOT_FOUND);
  }
}
