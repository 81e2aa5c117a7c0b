package conformance.v2.current_user;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.datadog.api.client.v2.model.ApplicationKeyCreateRequest;
import com.fasterxml.jackson.databind.JsonNode;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** {@code GET /api/v2/current_user}, for which this release of the client has no method. */
class CurrentUserTest extends Made {
  private static JsonNode currentUser(Credentials credentials) throws Exception {
    return invoke(client(credentials), "GET", "/api/v2/current_user", null);
  }

  @Test
  void withRolesPermissionsAndOrg() throws Exception {
    var answer = currentUser(Credentials.ADMIN);
    assertEquals(USER_ID, answer.at("/data/id").textValue());
    assertEquals(EMAIL, answer.at("/data/attributes/email").textValue());
    assertEquals(ORG_ID, answer.at("/data/relationships/org/data/id").textValue());
    var types = new TreeSet<String>();
    answer.get("included").forEach(item -> types.add(item.get("type").textValue()));
    assertEquals(new TreeSet<>(List.of("orgs", "permissions", "roles")), types);
  }

  @Test
  void isWhoeverCalls() throws Exception {
    String account = makeServiceAccount(List.of(), "name", "Robot").getId();
    var body = body(ApplicationKeyCreateRequest.class, data("application_keys", object("name", unique("key"))));
    var made = serviceAccounts().createServiceAccountApplicationKey(account, body).getData();
    var answer = currentUser(Credentials.ADMIN.withApplicationKey(made.getAttributes().getKey()));
    assertEquals(account, answer.at("/data/id").textValue());
  }
}
