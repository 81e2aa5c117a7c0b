package conformance;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.RetryConfig;
import com.datadog.api.client.v2.api.KeyManagementApi;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** A key's limit of requests: what the client is told, and that it waits and asks again when it is let. */
class RateLimitTest extends Made {
  /** Makes an application key that may be used once in so many seconds. */
  private Credentials limited(int periodSeconds) {
    var limit = object("requests", 1, "period_seconds", periodSeconds);
    var body = object("name", unique("key"), "scopes", null, "request_limit", limit);
    var made = send("POST", "/claviger/v1/application_keys", body, Credentials.ADMIN).json();
    cleanUp("/api/v2/application_keys/" + made.get("id").textValue());
    return Credentials.ADMIN.withApplicationKey(made.get("secret").textValue());
  }

  @Test
  void tooOften() {
    var keys = keysAs(limited(60));
    refused(
        429,
        () -> {
          // A minute may end in between, once.
          for (int i = 0; i < 3; i++) {
            keys.listCurrentUserApplicationKeys();
          }
        },
        "Rate limit exceeded");
  }

  @Test
  void theClientWaitsAndAsksAgain() throws Exception {
    var client = client(limited(1));
    client.setRetry(new RetryConfig(true, 2, 2, 3));
    var keys = new KeyManagementApi(client);
    Instant start = Instant.now();
    for (int i = 0; i < 3; i++) {
      understood(keys.listCurrentUserApplicationKeys());
    }
    // Three in three different seconds.
    assertTrue(Duration.between(start, Instant.now()).compareTo(Duration.ofSeconds(1)) >= 0);
  }
}
