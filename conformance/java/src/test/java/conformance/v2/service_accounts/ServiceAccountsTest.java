package conformance.v2.service_accounts;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** {@code POST /api/v2/service_accounts}; afterwards a service account is read and disabled as a user. */
class ServiceAccountsTest extends Made {
  @Test
  void create() throws Exception {
    String role = makeRole(List.of()).getId();
    String email = uniqueEmail();
    var made = makeServiceAccount(List.of(role), "email", email, "name", "Robot");
    var attributes = made.getAttributes();
    assertEquals(email.toLowerCase(Locale.ROOT), attributes.getEmail());
    assertEquals(List.of("Robot", made.getId()), List.of(attributes.getName(), attributes.getHandle()));
    assertEquals(List.of(true, true, false),
        List.of(attributes.getServiceAccount(), attributes.getVerified(), attributes.getDisabled()));
    assertEquals("Active", attributes.getStatus());
    assertEquals(role, made.getRelationships().getRoles().getData().get(0).getId());
    assertNotEquals(made.getId(), makeServiceAccount(List.of(), "email", email).getId());
  }

  @Test
  void createWithWrongBodies() {
    for (var attributes :
        List.of(
            object("email", "robot@example.com"), object("service_account", true),
            object("email", "robot@example.com", "service_account", false))) {
      failed(send("POST", "/api/v2/service_accounts", data("users", attributes), Credentials.ADMIN), 400);
    }
  }

  @Test
  void isReadAndDisabledAsAUser() throws Exception {
    String id = makeServiceAccount(List.of()).getId();
    assertEquals(true, understood(users().getUser(id)).getData().getAttributes().getServiceAccount());
    users().disableUser(id);
    assertEquals("Disabled", users().getUser(id).getData().getAttributes().getStatus());
  }
}
