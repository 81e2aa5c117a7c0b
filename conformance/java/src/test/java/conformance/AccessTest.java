package conformance;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;

import com.datadog.api.client.ApiClient;
import com.datadog.api.client.v1.api.OrganizationsApi;
import com.datadog.api.client.v1.model.ApiKey;
import com.datadog.api.client.v1.model.ApplicationKey;
import com.datadog.api.client.v1.model.OrganizationCreateBody;
import com.datadog.api.client.v2.api.KeyManagementApi;
import com.datadog.api.client.v2.api.RolesApi;
import com.datadog.api.client.v2.api.ServiceAccountsApi;
import com.datadog.api.client.v2.api.UsersApi;
import com.datadog.api.client.v2.model.APIKeyCreateRequest;
import com.datadog.api.client.v2.model.APIKeyUpdateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyCreateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyUpdateRequest;
import com.datadog.api.client.v2.model.RelationshipToPermission;
import com.datadog.api.client.v2.model.RelationshipToUser;
import com.datadog.api.client.v2.model.RoleCloneRequest;
import com.datadog.api.client.v2.model.RoleCreateRequest;
import com.datadog.api.client.v2.model.RoleUpdateRequest;
import com.datadog.api.client.v2.model.ServiceAccountCreateRequest;
import com.datadog.api.client.v2.model.UserCreateRequest;
import com.datadog.api.client.v2.model.UserInvitationsRequest;
import com.datadog.api.client.v2.model.UserUpdateRequest;
import conformance.support.Made;
import conformance.support.Server;
import conformance.support.Server.Credentials;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the client is told without credentials, with unknown ones, and with scopes that do not reach; the operations of
 * keys, in both versions, of tokens and of people.
 */
class AccessTest extends Made {
  private static final String ID = unknownId();
  private static final List<String> READ = List.of("org_app_keys_read", "user_app_keys");
  private static final List<String> WRITE = List.of("org_app_keys_write", "user_app_keys");
  private static final List<String> OWN = List.of("user_app_keys");

  private static final List<String> READ_PEOPLE = List.of("user_access_read", "user_access_manage");
  private static final List<String> INVITE = List.of("user_access_invite", "user_access_manage");
  // The second reaches service accounts alone.
  private static final List<String> CHANGE_PEOPLE = List.of("user_access_manage", "service_account_write");
  private static final List<String> MANAGE = List.of("user_access_manage");
  private static final List<String> MACHINES = List.of("service_account_write");

  private interface Call<A> {
    void with(A api) throws Exception;
  }

  /** An operation, the permissions that open it, any one of them, and how it is called. */
  record Operation(String name, List<String> permissions, Call<ApiClient> call) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static <A> Operation operation(
      Function<ApiClient, A> api, String name, List<String> permissions, Call<A> call) {
    return new Operation(name, permissions, client -> call.with(api.apply(client)));
  }

  private static Operation v1(
      String name, List<String> permissions, Call<com.datadog.api.client.v1.api.KeyManagementApi> call) {
    return operation(com.datadog.api.client.v1.api.KeyManagementApi::new, "v1 " + name, permissions, call);
  }

  private static Operation v2(String name, List<String> permissions, Call<KeyManagementApi> call) {
    return operation(KeyManagementApi::new, "v2 " + name, permissions, call);
  }

  /** Operations that this release of the client has no methods for. */
  private static Operation bare(String method, String path, List<String> permissions) {
    var body = method.equals("POST") || method.equals("PATCH") ? object() : null;
    return new Operation(method + " " + path, permissions, client -> invoke(client, method, path, body));
  }

  private static Operation users(String name, List<String> permissions, Call<UsersApi> call) {
    return operation(UsersApi::new, name, permissions, call);
  }

  private static Operation roles(String name, List<String> permissions, Call<RolesApi> call) {
    return operation(RolesApi::new, name, permissions, call);
  }

  private static Operation machines(String name, Call<ServiceAccountsApi> call) {
    return operation(ServiceAccountsApi::new, name, MACHINES, call);
  }

  static Stream<Operation> operations() {
    return Stream.of(keys(), tokens(), people(), machines()).flatMap(family -> family);
  }

  private static Stream<Operation> tokens() {
    String all = "/api/v2/personal_access_tokens";
    String accounts = "/api/v2/service_accounts/" + ID + "/access_tokens";
    return Stream.of(
        bare("GET", all, READ),
        bare("POST", all, OWN),
        bare("GET", all + "/" + ID, READ),
        bare("PATCH", all + "/" + ID, WRITE),
        bare("DELETE", all + "/" + ID, WRITE),
        bare("GET", accounts, MACHINES),
        bare("POST", accounts, MACHINES),
        bare("GET", accounts + "/" + ID, MACHINES),
        bare("PATCH", accounts + "/" + ID, MACHINES),
        bare("DELETE", accounts + "/" + ID, MACHINES));
  }

  private static Stream<Operation> people() {
    var named = object("name", "x");
    var newUser = body(UserCreateRequest.class, data("users", object("email", "a@example.com")));
    var user = body(UserUpdateRequest.class, patch("users", ID, named));
    var invitation = object("type", "user_invitations", "relationships", object("user", to("users", ID)));
    var invitations = body(UserInvitationsRequest.class, object("data", List.of(invitation)));
    var newRole = body(RoleCreateRequest.class, data("roles", named));
    var role = body(RoleUpdateRequest.class, patch("roles", ID, named));
    var clone = body(RoleCloneRequest.class, data("roles", named));
    var toUser = body(RelationshipToUser.class, to("users", ID));
    var toPermission = body(RelationshipToPermission.class, to("permissions", ID));
    return Stream.of(
        users("listUsers", READ_PEOPLE, api -> api.listUsers()),
        users("createUser", INVITE, api -> api.createUser(newUser)),
        users("getUser", READ_PEOPLE, api -> api.getUser(ID)),
        users("updateUser", CHANGE_PEOPLE, api -> api.updateUser(ID, user)),
        users("disableUser", CHANGE_PEOPLE, api -> api.disableUser(ID)),
        users("listUserPermissions", READ_PEOPLE, api -> api.listUserPermissions(ID)),
        users("sendInvitations", INVITE, api -> api.sendInvitations(invitations)),
        users("getInvitation", INVITE, api -> api.getInvitation(ID)),
        roles("listPermissions", READ_PEOPLE, api -> api.listPermissions()),
        roles("listRoles", READ_PEOPLE, api -> api.listRoles()),
        roles("createRole", MANAGE, api -> api.createRole(newRole)),
        roles("getRole", READ_PEOPLE, api -> api.getRole(ID)),
        roles("updateRole", MANAGE, api -> api.updateRole(ID, role)),
        roles("deleteRole", MANAGE, api -> api.deleteRole(ID)),
        roles("cloneRole", MANAGE, api -> api.cloneRole(ID, clone)),
        roles("listRoleUsers", READ_PEOPLE, api -> api.listRoleUsers(ID)),
        roles("addUserToRole", MANAGE, api -> api.addUserToRole(ID, toUser)),
        roles("removeUserFromRole", MANAGE, api -> api.removeUserFromRole(ID, toUser)),
        roles("listRolePermissions", READ_PEOPLE, api -> api.listRolePermissions(ID)),
        roles("addPermissionToRole", MANAGE, api -> api.addPermissionToRole(ID, toPermission)),
        roles("removePermissionFromRole", MANAGE, api -> api.removePermissionFromRole(ID, toPermission)));
  }

  private static Stream<Operation> machines() {
    var named = object("name", "x");
    var attributes = object("email", "a@example.com", "service_account", true);
    var newAccount = body(ServiceAccountCreateRequest.class, data("users", attributes));
    var newKey = body(ApplicationKeyCreateRequest.class, data("application_keys", named));
    var key = body(ApplicationKeyUpdateRequest.class, patch("application_keys", ID, named));
    return Stream.of(
        machines("createServiceAccount", api -> api.createServiceAccount(newAccount)),
        machines("listServiceAccountApplicationKeys", api -> api.listServiceAccountApplicationKeys(ID)),
        machines("createServiceAccountApplicationKey", api -> api.createServiceAccountApplicationKey(ID, newKey)),
        machines("getServiceAccountApplicationKey", api -> api.getServiceAccountApplicationKey(ID, ID)),
        machines("updateServiceAccountApplicationKey", api -> api.updateServiceAccountApplicationKey(ID, ID, key)),
        machines("deleteServiceAccountApplicationKey", api -> api.deleteServiceAccountApplicationKey(ID, ID)));
  }

  private static Stream<Operation> keys() {
    var named = object("name", "x");
    var keyV1 = body(ApiKey.class, named);
    var applicationKeyV1 = body(ApplicationKey.class, named);
    var newKey = body(APIKeyCreateRequest.class, data("api_keys", named));
    var newApplicationKey = body(ApplicationKeyCreateRequest.class, data("application_keys", named));
    var key = body(APIKeyUpdateRequest.class, patch("api_keys", ID, named));
    var applicationKey = body(ApplicationKeyUpdateRequest.class, patch("application_keys", ID, named));
    return Stream.of(
        v1("listAPIKeys", List.of("api_keys_read"), api -> api.listAPIKeys()),
        v1("createAPIKey", List.of("api_keys_write"), api -> api.createAPIKey(keyV1)),
        v1("getAPIKey", List.of("api_keys_read"), api -> api.getAPIKey(UNKNOWN_API_KEY)),
        v1("updateAPIKey", List.of("api_keys_write"), api -> api.updateAPIKey(UNKNOWN_API_KEY, keyV1)),
        v1("deleteAPIKey", List.of("api_keys_delete"), api -> api.deleteAPIKey(UNKNOWN_API_KEY)),
        v1("listApplicationKeys", READ, api -> api.listApplicationKeys()),
        v1("createApplicationKey", OWN, api -> api.createApplicationKey(applicationKeyV1)),
        v1("getApplicationKey", READ, api -> api.getApplicationKey(UNKNOWN_APPLICATION_KEY)),
        v1("updateApplicationKey", WRITE, api -> api.updateApplicationKey(UNKNOWN_APPLICATION_KEY, applicationKeyV1)),
        v1("deleteApplicationKey", WRITE, api -> api.deleteApplicationKey(UNKNOWN_APPLICATION_KEY)),
        operation(
            OrganizationsApi::new, "v1 createChildOrg", List.of("org_management"),
            api -> api.createChildOrg(new OrganizationCreateBody().name("x"))),
        v2("listAPIKeys", List.of("api_keys_read"), api -> api.listAPIKeys()),
        v2("createAPIKey", List.of("api_keys_write"), api -> api.createAPIKey(newKey)),
        v2("getAPIKey", List.of("api_keys_read"), api -> api.getAPIKey(ID)),
        v2("updateAPIKey", List.of("api_keys_write"), api -> api.updateAPIKey(ID, key)),
        v2("deleteAPIKey", List.of("api_keys_delete"), api -> api.deleteAPIKey(ID)),
        v2("listApplicationKeys", List.of("org_app_keys_read"), api -> api.listApplicationKeys()),
        v2("getApplicationKey", List.of("org_app_keys_read"), api -> api.getApplicationKey(ID)),
        v2("updateApplicationKey", List.of("org_app_keys_write"), api -> api.updateApplicationKey(ID, applicationKey)),
        v2("deleteApplicationKey", List.of("org_app_keys_write"), api -> api.deleteApplicationKey(ID)),
        v2("listCurrentUserApplicationKeys", OWN, api -> api.listCurrentUserApplicationKeys()),
        v2("createCurrentUserApplicationKey", OWN, api -> api.createCurrentUserApplicationKey(newApplicationKey)),
        v2("getCurrentUserApplicationKey", OWN, api -> api.getCurrentUserApplicationKey(ID)),
        v2("updateCurrentUserApplicationKey", OWN, api -> api.updateCurrentUserApplicationKey(ID, applicationKey)),
        v2("deleteCurrentUserApplicationKey", OWN, api -> api.deleteCurrentUserApplicationKey(ID)));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void unknownApiKey(Operation operation) {
    var client = client(Credentials.ADMIN.withApiKey(UNKNOWN_API_KEY));
    refused(403, () -> operation.call().with(client), "Forbidden");
  }

  @ParameterizedTest
  @MethodSource("operations")
  void missingOrUnknownApplicationKey(Operation operation) {
    for (String key : Arrays.asList(null, UNKNOWN_APPLICATION_KEY)) {
      var client = client(Credentials.ADMIN.withApplicationKey(key));
      refused(401, () -> operation.call().with(client), "Unauthorized");
    }
  }

  @ParameterizedTest
  @MethodSource("operations")
  void scopesThatDoNotReach(Operation operation) throws Exception {
    var others =
        operations()
            .flatMap(other -> other.permissions().stream())
            .filter(permission -> !operation.permissions().contains(permission))
            .distinct()
            .toList();
    for (List<String> scopes : List.of(List.of("dashboards_read"), others)) {
      var key = makeApplicationKey("scopes", scopes).getAttributes().getKey();
      var client = client(Credentials.ADMIN.withApplicationKey(key));
      refused(403, () -> operation.call().with(client), NO_PERMISSION);
    }
  }

  @Test
  void noCredentials() {
    is(send("GET", "/api/v2/api_keys", null, Credentials.NONE), 403, API_KEY_REQUIRED_BODY);
  }

  @Test
  void unknownApiKeyToTheByte() {
    var credentials = Credentials.ADMIN.withApiKey(UNKNOWN_API_KEY);
    is(send("GET", "/api/v2/api_keys", null, credentials), 403, UNKNOWN_API_KEY_BODY);
  }

  @Test
  void revokedKeys() throws Exception {
    var apiKey = makeApiKey();
    var applicationKey = makeApplicationKey();
    var caller =
        keysAs(new Credentials(apiKey.getAttributes().getKey(), applicationKey.getAttributes().getKey(), null));
    understood(caller.listApplicationKeys());
    caller.deleteApplicationKey(applicationKey.getId());
    refused(401, caller::listApplicationKeys, "Unauthorized");
    Server.keys().deleteAPIKey(apiKey.getId());
    refused(403, caller::listApplicationKeys, "Forbidden");
  }
}
