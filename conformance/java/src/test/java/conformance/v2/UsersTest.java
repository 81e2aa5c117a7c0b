package conformance.v2;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.v2.api.UsersApi.ListUsersOptionalParameters;
import com.datadog.api.client.v2.model.Permission;
import com.datadog.api.client.v2.model.Role;
import com.datadog.api.client.v2.model.User;
import com.datadog.api.client.v2.model.UserCreateRequest;
import com.datadog.api.client.v2.model.UserInvitationsRequest;
import com.datadog.api.client.v2.model.UserUpdateRequest;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /api/v2/users} and {@code /api/v2/user_invitations}. */
class UsersTest extends Made {
  private static UserUpdateRequest update(String id, Object... attributes) {
    return body(UserUpdateRequest.class, patch("users", id, object(attributes)));
  }

  @Test
  void create() throws Exception {
    String email = uniqueEmail();
    var made = makeUser(List.of(), "email", email, "name", "Client");
    var attributes = made.getAttributes();
    matches(UUID, made.getId());
    assertEquals(email.toLowerCase(Locale.ROOT), attributes.getEmail());
    assertEquals(attributes.getEmail(), attributes.getHandle());
    assertEquals("Client", attributes.getName());
    assertNull(attributes.getTitle());
    assertEquals("Pending", attributes.getStatus());
    assertEquals(List.of(false, false, false),
        List.of(attributes.getDisabled(), attributes.getServiceAccount(), attributes.getVerified()));
    assertEquals(List.of(), made.getRelationships().getRoles().getData());
    assertEquals(ORG_ID, made.getRelationships().getOrg().getData().getId());
  }

  @Test
  void createWithARole() throws Exception {
    String permission = permissions().get("api_keys_read");
    String role = makeRole(List.of(permission), "default_permissions_opt_out", true).getId();
    var made = makeUser(List.of(role));
    assertEquals(role, made.getRelationships().getRoles().getData().get(0).getId());
    var included = new ArrayList<String>();
    for (var item : understood(users().getUser(made.getId())).getIncluded()) {
      if (item.getActualInstance() instanceof Role found) {
        included.add(found.getId());
      } else if (item.getActualInstance() instanceof Permission found) {
        included.add(found.getId());
      }
    }
    assertTrue(included.containsAll(List.of(role, permission)), included::toString);
    var listed = understood(users().listUserPermissions(made.getId())).getData();
    assertEquals(List.of("api_keys_read"), listed.stream().map(one -> one.getAttributes().getName()).toList());
  }

  @Test
  void createWithAnEmailTakenAlsoBySomebodyDisabled() throws Exception {
    var made = makeUser(List.of());
    String email = made.getAttributes().getEmail();
    var body = body(UserCreateRequest.class, data("users", object("email", email.toUpperCase(Locale.ROOT))));
    refused(409, () -> users().createUser(body), "User " + email + " already exists");
    users().disableUser(made.getId());
    refused(409, () -> users().createUser(body), "User " + email + " already exists");
  }

  @Test
  void createWithWrongBodies() {
    for (var attributes : List.of(object(), object("email", null), object("email", 7), object("email", "nobody"))) {
      failed(send("POST", "/api/v2/users", data("users", attributes), Credentials.ADMIN), 400);
    }
    var unknown = linked(data("users", object("email", uniqueEmail())), "roles", "roles", List.of(unknownId()));
    refused(400, () -> users().createUser(body(UserCreateRequest.class, unknown)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"invalidId", "00000000-dead-beef-dead-ffffffffffff"})
  void unknownOrMalformedId(String id) {
    refused(404, () -> users().getUser(id), "user not found");
    refused(404, () -> users().listUserPermissions(id), "user not found");
    refused(404, () -> users().updateUser(id, update(id, "name", "x")), id + " not found");
    refused(404, () -> users().disableUser(id), id + " not found");
  }

  private static List<String> ids(ListUsersOptionalParameters with) throws Exception {
    return understood(users().listUsers(with)).getData().stream().map(User::getId).toList();
  }

  @Test
  void list() throws Exception {
    String prefix = unique("");
    String b = makeUser(List.of(), "name", prefix + "b").getId();
    String c = makeUser(List.of(), "name", prefix + "C").getId();
    var first = makeUser(List.of(), "name", prefix + "a");
    String a = first.getId();
    users().disableUser(b);
    assertEquals(List.of(a, b, c), ids(new ListUsersOptionalParameters().filter(prefix)));
    assertEquals(List.of(c), ids(new ListUsersOptionalParameters().filter(prefix).pageSize(2L).pageNumber(1L)));
    assertEquals(List.of(b), ids(new ListUsersOptionalParameters().filter(prefix).filterStatus("Disabled")));
    assertEquals(List.of(a, c), ids(new ListUsersOptionalParameters().filter(prefix).filterStatus("Pending")));
    assertEquals(List.of(a), ids(new ListUsersOptionalParameters().filter(first.getAttributes().getEmail())));
    var page = users().listUsers(new ListUsersOptionalParameters().filter(prefix)).getMeta().getPage();
    assertEquals(3L, page.getTotalFilteredCount());
    assertTrue(page.getTotalCount() >= 4);
  }

  @Test
  void update() throws Exception {
    var made = makeUser(List.of(), "title", "Tester");
    String id = made.getId();
    var updated = understood(users().updateUser(id, update(id, "name", "updated", "disabled", true)));
    var attributes = updated.getData().getAttributes();
    assertEquals(List.of("updated", "Tester"), List.of(attributes.getName(), attributes.getTitle()));
    assertEquals(made.getAttributes().getEmail(), attributes.getEmail());
    assertEquals(true, attributes.getDisabled());
    assertEquals("Disabled", attributes.getStatus());
    assertEquals(false, users().updateUser(id, update(id, "disabled", false)).getData().getAttributes().getDisabled());
    var other = update("00000000-mismatch-body-id-ffffffffffff", "name", "x");
    refused(422, () -> users().updateUser(id, other), "UUID's in the URL and request body do not match");
  }

  @Test
  void disableOnce() throws Exception {
    String id = makeUser(List.of()).getId();
    users().disableUser(id);
    assertEquals("Disabled", users().getUser(id).getData().getAttributes().getStatus());
    refused(404, () -> users().disableUser(id), id + " not found");
  }

  @Test
  void invitations() throws Exception {
    String id = makeUser(List.of()).getId();
    var invitation = object("type", "user_invitations", "relationships", object("user", to("users", id)));
    var body = body(UserInvitationsRequest.class, object("data", List.of(invitation)));
    var sent = understood(users().sendInvitations(body)).getData();
    assertEquals(1, sent.size());
    var attributes = sent.get(0).getAttributes();
    assertEquals(sent.get(0).getId(), attributes.getUuid());
    assertEquals("basic_invite", attributes.getInviteType());
    assertEquals(attributes.getCreatedAt().plusDays(2), attributes.getExpiresAt());
    var found = understood(users().getInvitation(sent.get(0).getId())).getData();
    assertEquals(attributes, found.getAttributes());
    assertEquals(id, found.getRelationships().getUser().getData().getId());
    fails(404, () -> users().getInvitation(unknownId()));
    refused(400, () -> users().sendInvitations(body(UserInvitationsRequest.class, object("data", List.of()))));
  }
}
