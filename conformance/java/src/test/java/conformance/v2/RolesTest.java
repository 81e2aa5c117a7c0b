package conformance.v2;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.v2.api.RolesApi.ListRolesOptionalParameters;
import com.datadog.api.client.v2.model.Permission;
import com.datadog.api.client.v2.model.PermissionsResponse;
import com.datadog.api.client.v2.model.RelationshipToPermission;
import com.datadog.api.client.v2.model.RelationshipToPermissions;
import com.datadog.api.client.v2.model.RelationshipToUser;
import com.datadog.api.client.v2.model.Role;
import com.datadog.api.client.v2.model.RoleCloneRequest;
import com.datadog.api.client.v2.model.RoleCreateRequest;
import com.datadog.api.client.v2.model.RoleUpdateRequest;
import com.datadog.api.client.v2.model.RolesSort;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code /api/v2/roles} and {@code /api/v2/permissions}. */
class RolesTest extends Made {
  private static final String UNKNOWN = "00000000-dead-beef-dead-ffffffffffff";

  private static RoleUpdateRequest update(String id, String name, String... permissions) {
    var body = patch("roles", id, object("name", name));
    if (permissions.length > 0) {
      linked(body, "permissions", "permissions", List.of(permissions));
    }
    return body(RoleUpdateRequest.class, body);
  }

  private static Set<String> ids(RelationshipToPermissions linked) {
    return linked.getData().stream().map(one -> one.getId()).collect(Collectors.toSet());
  }

  private static Set<String> ids(PermissionsResponse listed) {
    return listed.getData().stream().map(Permission::getId).collect(Collectors.toSet());
  }

  private static Set<String> defaultsAnd(String... more) throws Exception {
    Set<String> ids = new HashSet<>(defaultPermissions());
    ids.addAll(List.of(more));
    return ids;
  }

  private static Set<String> permissionsOf(String role) throws Exception {
    return ids(understood(roles().getRole(role)).getData().getRelationships().getPermissions());
  }

  @Test
  void listPermissions() throws Exception {
    var ids = permissions();
    assertEquals(345, ids.size());
    assertEquals(10, defaultPermissions().size());
    assertEquals("984a2bd4-d3b4-11e8-a1ff-a7f660d43029", ids.get("admin"));
    assertEquals("46a301da-ec5c-11ea-aa9f-73bedeab67ee", ids.get("user_app_keys"));
  }

  @Test
  void create() throws Exception {
    String name = unique("role");
    String extra = permissions().get("api_keys_read");
    var made = makeRole(List.of(), "name", name);
    matches(UUID, made.getId());
    assertEquals(name, made.getAttributes().getName());
    assertEquals(defaultsAnd(), ids(made.getRelationships().getPermissions()));
    assertEquals(defaultsAnd(extra), ids(makeRole(List.of(extra)).getRelationships().getPermissions()));
    var bare = makeRole(List.of(extra), "default_permissions_opt_out", true);
    assertEquals(Set.of(extra), ids(bare.getRelationships().getPermissions()));
  }

  @Test
  void createWithWrongBodies() {
    for (var attributes : List.of(object(), object("name", null), object("name", "  "))) {
      failed(send("POST", "/api/v2/roles", data("roles", attributes), Credentials.ADMIN), 400);
    }
    var attributes = object("name", unique("role"));
    var unknown = linked(data("roles", attributes), "permissions", "permissions", List.of(unknownId()));
    refused(400, () -> roles().createRole(body(RoleCreateRequest.class, unknown)));
  }

  @Test
  void get() throws Exception {
    var made = makeRole(List.of());
    var found = understood(roles().getRole(made.getId())).getData();
    assertEquals(made.getId(), found.getId());
    assertEquals(made.getAttributes().getName(), found.getAttributes().getName());
    assertEquals(0L, found.getAttributes().getUserCount());
    fails(404, () -> roles().getRole("invalidId"));
    fails(404, () -> roles().getRole(unknownId()));
  }

  private static List<String> ids(ListRolesOptionalParameters with) throws Exception {
    var listed = understood(roles().listRoles(with));
    assertEquals(3L, listed.getMeta().getPage().getTotalFilteredCount());
    return listed.getData().stream().map(Role::getId).toList();
  }

  @Test
  void list() throws Exception {
    String prefix = unique("");
    String b = makeRole(List.of(), "name", prefix + "b").getId();
    String c = makeRole(List.of(), "name", prefix + "C").getId();
    String a = makeRole(List.of(), "name", prefix + "a").getId();
    assertEquals(List.of(a, b, c), ids(new ListRolesOptionalParameters().filter(prefix)));
    assertEquals(List.of(c), ids(new ListRolesOptionalParameters().filter(prefix).pageSize(2L).pageNumber(1L)));
    assertEquals(
        List.of(c, b, a), ids(new ListRolesOptionalParameters().filter(prefix).sort(RolesSort.NAME_DESCENDING)));
  }

  @Test
  void update() throws Exception {
    String id = makeRole(List.of(permissions().get("api_keys_read"))).getId();
    String name = unique("updated");
    assertEquals(name, understood(roles().updateRole(id, update(id, name))).getData().getAttributes().getName());
    String other = permissions().get("api_keys_write");
    roles().updateRole(id, update(id, name, other));
    assertEquals(defaultsAnd(other), permissionsOf(id));
    var unknown = update(id, name, "11111111-dead-beef-dead-ffffffffffff");
    refused(400, () -> roles().updateRole(id, unknown), "Invalid input ");
    refused(
        422, () -> roles().updateRole(id, update(UNKNOWN, name)),
        "The id attribute in the request body does not match the role_id in the URL");
    refused(404, () -> roles().updateRole(UNKNOWN, update(UNKNOWN, name)), UNKNOWN + " not found");
  }

  @Test
  void deleteTakesItFromItsUsers() throws Exception {
    String id = makeRole(List.of()).getId();
    String user = makeUser(List.of(id)).getId();
    roles().deleteRole(id);
    assertEquals(List.of(), users().getUser(user).getData().getRelationships().getRoles().getData());
    fails(404, () -> roles().getRole(id));
    refused(404, () -> roles().deleteRole(id), id + " not found");
  }

  private static RoleCloneRequest named(String name) {
    return body(RoleCloneRequest.class, data("roles", object("name", name)));
  }

  @Test
  void cloneOne() throws Exception {
    String permission = permissions().get("api_keys_read");
    var made = makeRole(List.of(permission), "default_permissions_opt_out", true);
    String name = unique("clone");
    var clone = understood(roles().cloneRole(made.getId(), named(name))).getData();
    cleanUp("/api/v2/roles/" + clone.getId());
    assertEquals(name, clone.getAttributes().getName());
    assertEquals(Set.of(permission), permissionsOf(clone.getId()));
    var taken = named(made.getAttributes().getName());
    refused(409, () -> roles().cloneRole(made.getId(), taken), "A role with the same name already exists");
    refused(400, () -> roles().cloneRole(made.getId(), named("    ")), "Role names cannot be only whitespace");
  }

  @Test
  void usersOfARole() throws Exception {
    String role = makeRole(List.of()).getId();
    String user = makeUser(List.of()).getId();
    var body = body(RelationshipToUser.class, to("users", user));
    var added = understood(roles().addUserToRole(role, body));
    assertEquals(user, added.getData().get(0).getId());
    assertEquals(role, added.getData().get(0).getRelationships().getRoles().getData().get(0).getId());
    assertEquals(1L, added.getMeta().getPage().getTotalCount());
    var listed = understood(roles().listRoleUsers(role));
    assertEquals(user, listed.getData().get(0).getId());
    assertEquals(1L, listed.getMeta().getPage().getTotalCount());
    assertEquals(1L, roles().getRole(role).getData().getAttributes().getUserCount());
    var removed = understood(roles().removeUserFromRole(role, body));
    assertEquals(0L, removed.getMeta().getPage().getTotalCount());
    fails(404, () -> roles().addUserToRole(UNKNOWN, body));
    fails(404, () -> roles().addUserToRole(role, body(RelationshipToUser.class, to("users", unknownId()))));
  }

  @Test
  void permissionsOfARole() throws Exception {
    String role = makeRole(List.of()).getId();
    String admin = permissions().get("admin");
    var body = body(RelationshipToPermission.class, to("permissions", admin));
    var granted = understood(roles().addPermissionToRole(role, body));
    assertTrue(ids(granted).contains(admin));
    assertEquals(ids(granted), ids(understood(roles().listRolePermissions(role))));
    assertEquals(defaultsAnd(), ids(understood(roles().removePermissionFromRole(role, body))));
    refused(404, () -> roles().removePermissionFromRole(UNKNOWN, body), UNKNOWN + " not found");
    var unknown =
        body(RelationshipToPermission.class, to("permissions", "11111111-dead-beef-dead-ffffffffffff"));
    refused(400, () -> roles().removePermissionFromRole(role, unknown));
    refused(400, () -> roles().addPermissionToRole(role, unknown));
  }
}
