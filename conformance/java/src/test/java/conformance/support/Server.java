package conformance.support;

import com.datadog.api.client.ApiClient;
import com.datadog.api.client.ApiException;
import com.datadog.api.client.Pair;
import com.datadog.api.client.ServerConfiguration;
import com.datadog.api.client.v2.api.KeyManagementApi;
import com.datadog.api.client.v2.api.RolesApi;
import com.datadog.api.client.v2.api.ServiceAccountsApi;
import com.datadog.api.client.v2.api.UsersApi;
import com.fasterxml.jackson.databind.JsonNode;
import jakarta.ws.rs.core.GenericType;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Where the server is, official clients as whoever a test wants to be, and plain HTTP. */
public final class Server {
  public static final String API_KEY = environment("CLAVIGER_API_KEY");
  public static final String APPLICATION_KEY = environment("CLAVIGER_APPLICATION_KEY");
  public static final String ORG_ID = environment("CLAVIGER_ORG_ID");
  public static final String USER_ID = environment("CLAVIGER_USER_ID");
  public static final String EMAIL = environment("CLAVIGER_EMAIL");

  private static final String URL = environment("CLAVIGER_URL").replaceAll("/$", "");
  private static final HttpClient PLAIN =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(30)).build();

  private Server() {}

  private static String environment(String name) {
    String value = System.getenv(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalStateException(name + " is not set");
    }
    return value;
  }

  /** What a request carries; null is not sent. */
  public record Credentials(String apiKey, String applicationKey, String token) {
    public static final Credentials NONE = new Credentials(null, null, null);

    /** The org's first user. */
    public static final Credentials ADMIN = new Credentials(API_KEY, APPLICATION_KEY, null);

    public Credentials withApiKey(String key) {
      return new Credentials(key, applicationKey, token);
    }

    public Credentials withApplicationKey(String key) {
      return new Credentials(apiKey, key, token);
    }

    public static Credentials bearer(String token) {
      return new Credentials(null, null, token);
    }
  }

  /** The official client of whoever has these credentials. Retries are off: the first answer counts. */
  public static ApiClient client(Credentials credentials) {
    ApiClient client = new ApiClient();
    client.setServers(List.of(new ServerConfiguration(URL, "", new HashMap<>())));
    client.enableRetry(false);
    Map<String, String> keys = new HashMap<>();
    if (credentials.apiKey() != null) {
      keys.put("apiKeyAuth", credentials.apiKey());
    }
    if (credentials.applicationKey() != null) {
      keys.put("appKeyAuth", credentials.applicationKey());
    }
    client.configureApiKeys(keys);
    if (credentials.token() != null) {
      client.addDefaultHeader("Authorization", "Bearer " + credentials.token());
    }
    return client;
  }

  public static ApiClient client() {
    return client(Credentials.ADMIN);
  }

  /** Key management, v2. */
  public static KeyManagementApi keys() {
    return new KeyManagementApi(client());
  }

  public static KeyManagementApi keysAs(Credentials credentials) {
    return new KeyManagementApi(client(credentials));
  }

  /** Users, invitations and the current user. */
  public static UsersApi users() {
    return new UsersApi(client());
  }

  /** Roles and permissions. */
  public static RolesApi roles() {
    return new RolesApi(client());
  }

  /** Service accounts and their application keys. */
  public static ServiceAccountsApi serviceAccounts() {
    return new ServiceAccountsApi(client());
  }

  /**
   * An operation that this release of the client has no method for, sent by the same means as those that it has: its
   * servers, authentication, serialisation and errors.
   */
  public static JsonNode invoke(ApiClient client, String method, String path, Object body, Pair... query)
      throws ApiException {
    String[] json = {"application/json"};
    var builder =
        client.createBuilder(
            "conformance", path, new ArrayList<>(List.of(query)), new HashMap<>(), new HashMap<>(), json,
            new String[] {"apiKeyAuth", "appKeyAuth"});
    return client
        .invokeAPI(method, builder, new HashMap<>(), json, body, new HashMap<>(), false, new GenericType<JsonNode>() {})
        .getData();
  }

  /** What came back by plain HTTP, undigested. */
  public record Answer(int status, String contentType, String text) {
    public JsonNode json() {
      return Made.tree(text);
    }

    public JsonNode attributes() {
      return json().at("/data/attributes");
    }
  }

  /** Sends one request by plain HTTP. The body is text as it is, null for none, or anything else as JSON. */
  public static Answer send(String method, String path, Object body, Credentials credentials, String... query) {
    StringBuilder target = new StringBuilder(URL).append(path);
    for (int i = 0; i < query.length; i += 2) {
      target.append(i == 0 ? '?' : '&').append(encoded(query[i])).append('=').append(encoded(query[i + 1]));
    }
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(target.toString())).header("Accept", "application/json");
    if (credentials.apiKey() != null) {
      request.header("DD-API-KEY", credentials.apiKey());
    }
    if (credentials.applicationKey() != null) {
      request.header("DD-APPLICATION-KEY", credentials.applicationKey());
    }
    if (credentials.token() != null) {
      request.header("Authorization", "Bearer " + credentials.token());
    }
    if (body == null) {
      request.method(method, HttpRequest.BodyPublishers.noBody());
    } else {
      String text = body instanceof String given ? given : Made.json(body);
      request.header("Content-Type", "application/json").method(method, HttpRequest.BodyPublishers.ofString(text));
    }
    try {
      HttpResponse<String> answer = PLAIN.send(request.build(), HttpResponse.BodyHandlers.ofString());
      return new Answer(answer.statusCode(), answer.headers().firstValue("Content-Type").orElse(""), answer.body());
    } catch (IOException | InterruptedException error) {
      throw new AssertionError(method + " " + path, error);
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
