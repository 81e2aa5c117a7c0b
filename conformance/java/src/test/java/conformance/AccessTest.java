package conformance;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;

import com.datadog.api.client.ApiClient;
import com.datadog.api.client.v1.model.ApiKey;
import com.datadog.api.client.v1.model.ApplicationKey;
import com.datadog.api.client.v2.api.KeyManagementApi;
import com.datadog.api.client.v2.model.APIKeyCreateRequest;
import com.datadog.api.client.v2.model.APIKeyUpdateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyCreateRequest;
import com.datadog.api.client.v2.model.ApplicationKeyUpdateRequest;
import conformance.support.Made;
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
 * both versions.
 */
class AccessTest extends Made {
  private static final String ID = unknownId();
  private static final List<String> READ = List.of("org_app_keys_read", "user_app_keys");
  private static final List<String> WRITE = List.of("org_app_keys_write", "user_app_keys");
  private static final List<String> OWN = List.of("user_app_keys");

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

  static Stream<Operation> operations() {
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
    keys().deleteAPIKey(apiKey.getId());
    refused(403, caller::listApplicationKeys, "Forbidden");
  }
}
