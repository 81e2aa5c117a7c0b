package conformance.v2;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.datadog.api.client.ApiException;
import com.fasterxml.jackson.databind.JsonNode;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import org.junit.jupiter.api.Test;

/** {@code /api/v2/validate} and {@code /api/v2/validate_keys}, for which this release of the client has no methods. */
class ValidateTest extends Made {
  private static JsonNode validate(Credentials credentials) throws ApiException {
    return invoke(client(credentials), "GET", "/api/v2/validate", null);
  }

  private static JsonNode validateKeys(Credentials credentials) throws ApiException {
    return invoke(client(credentials), "GET", "/api/v2/validate_keys", null);
  }

  @Test
  void apiKeyAlone() throws Exception {
    for (boolean isEnabled : new boolean[] {true, false}) {
      var made = makeApiKey("remote_config_read_enabled", isEnabled);
      var key = new Credentials(made.getAttributes().getKey(), UNKNOWN_APPLICATION_KEY, null);
      var data = validate(key).get("data");
      assertEquals(ORG_ID, data.get("id").textValue());
      assertEquals("validate_v2", data.get("type").textValue());
      assertEquals(made.getId(), data.at("/attributes/api_key_id").textValue());
      assertEquals(isEnabled ? "[\"remote_config_read\"]" : "[]", data.at("/attributes/api_key_scopes").toString());
      assertEquals(true, data.at("/attributes/valid").booleanValue());
    }
    var unknown = Credentials.ADMIN.withApiKey(UNKNOWN_API_KEY);
    assertEquals(403, assertThrows(ApiException.class, () -> validate(unknown)).getCode());
  }

  @Test
  void bothKeys() throws Exception {
    assertEquals("{\"status\":\"ok\"}", validateKeys(Credentials.ADMIN).toString());
    var scoped = makeApplicationKey("scopes", java.util.List.of("dashboards_read")).getAttributes().getKey();
    assertEquals("{\"status\":\"ok\"}", validateKeys(Credentials.ADMIN.withApplicationKey(scoped)).toString());
  }

  @Test
  void unknownOrMissingKeys() {
    var admin = Credentials.ADMIN;
    refused(401, () -> validateKeys(admin.withApplicationKey(UNKNOWN_APPLICATION_KEY)), "Unauthorized");
    refused(401, () -> validateKeys(admin.withApplicationKey(null)), "Unauthorized");
    refused(403, () -> validateKeys(admin.withApiKey(UNKNOWN_API_KEY)), "Forbidden");
    refused(403, () -> validateKeys(admin.withApiKey(null)), "API key required");
  }
}
