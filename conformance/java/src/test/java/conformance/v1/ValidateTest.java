package conformance.v1;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.datadog.api.client.v1.api.AuthenticationApi;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code GET /api/v1/validate}: an API key alone is judged, whatever application key comes with it. */
class ValidateTest extends Made {
  private static Boolean validate(Credentials credentials) throws Exception {
    return understood(new AuthenticationApi(client(credentials)).validate()).getValid();
  }

  @Test
  void goodApiKey() throws Exception {
    assertEquals(true, validate(Credentials.ADMIN));
    is(send("GET", "/api/v1/validate", null, Credentials.ADMIN), 200, "{\"valid\":true}");
  }

  @Test
  void applicationKeyIsIgnored() throws Exception {
    assertEquals(true, validate(Credentials.ADMIN.withApplicationKey(null)));
    assertEquals(true, validate(Credentials.ADMIN.withApplicationKey(UNKNOWN_APPLICATION_KEY)));
  }

  @Test
  void apiKeyJustMadeThenRevoked() throws Exception {
    var made = makeApiKey();
    var credentials = Credentials.ADMIN.withApiKey(made.getAttributes().getKey());
    assertEquals(true, validate(credentials));
    keys().deleteAPIKey(made.getId());
    refused(403, () -> validate(credentials), "Forbidden");
  }

  @Test
  void unknownApiKey() {
    for (String key : List.of(UNKNOWN_API_KEY, "nonsense")) {
      refused(403, () -> validate(Credentials.ADMIN.withApiKey(key)), "Forbidden");
      is(send("GET", "/api/v1/validate", null, Credentials.ADMIN.withApiKey(key)), 403, UNKNOWN_API_KEY_BODY);
    }
  }

  @Test
  void noApiKey() {
    is(send("GET", "/api/v1/validate", null, Credentials.NONE), 403, API_KEY_REQUIRED_BODY);
  }
}
