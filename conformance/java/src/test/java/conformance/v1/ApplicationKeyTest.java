package conformance.v1;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.datadog.api.client.v1.api.KeyManagementApi;
import com.datadog.api.client.v1.model.ApplicationKey;
import com.datadog.api.client.v2.api.KeyManagementApi.ListCurrentUserApplicationKeysOptionalParameters;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /api/v1/application_key}: the secret is {@code hash}, names are taken once per owner. */
class ApplicationKeyTest extends Made {
  private static final String NOT_FOUND = "Application key not found";
  private final KeyManagementApi keys = new KeyManagementApi(client());

  private static ApplicationKey named(String name) {
    return new ApplicationKey().name(name);
  }

  private ApplicationKey make(String name) throws Exception {
    ApplicationKey made = understood(keys.createApplicationKey(named(name))).getApplicationKey();
    cleanUp("/api/v1/application_key/" + made.getHash());
    return made;
  }

  @Test
  void createMakesAKeyWithoutScopes() throws Exception {
    String name = unique("key");
    ApplicationKey made = make(name);
    assertEquals(List.of(name, EMAIL), List.of(made.getName(), made.getOwner()));
    matches(APPLICATION_KEY_SECRET, made.getHash());
    assertEquals(false, made.getAdditionalProperty("revoked"));
    var listed =
        keys().listCurrentUserApplicationKeys(new ListCurrentUserApplicationKeysOptionalParameters().filter(name));
    assertEquals(null, listed.getData().get(0).getAttributes().getScopes());
  }

  @Test
  void missingName() {
    String text = "Required parameter 'name' is missing";
    refused(400, () -> keys.createApplicationKey(new ApplicationKey()), text);
    var answer = send("POST", "/api/v1/application_key", object(), Credentials.ADMIN);
    is(answer, 400, "{\"errors\": [\"" + text + "\"]}");
  }

  @Test
  void nameTakenOnCreateAndOnRename() throws Exception {
    ApplicationKey one = make(unique("one"));
    ApplicationKey other = make(unique("other"));
    String text = "An application key with the name " + one.getName() + " already exists";
    refused(409, () -> keys.createApplicationKey(named(one.getName())), text);
    refused(409, () -> keys.updateApplicationKey(other.getHash(), named(one.getName())), text);
    var answer = send("POST", "/api/v1/application_key", object("name", one.getName()), Credentials.ADMIN);
    is(answer, 409, "{\"errors\": [\"" + text + "\"]}");
  }

  @Test
  void getWhatV1AndV2Made() throws Exception {
    ApplicationKey made = make(unique("key"));
    assertEquals(made, understood(keys.getApplicationKey(made.getHash())).getApplicationKey());
    var attributes = makeApplicationKey().getAttributes();
    assertEquals(
        attributes.getName(), keys.getApplicationKey(attributes.getKey()).getApplicationKey().getName());
  }

  @Test
  void listShowsSecretsByName() throws Exception {
    String prefix = unique("");
    ApplicationKey b = make(prefix + "b");
    ApplicationKey c = make(prefix + "C");
    ApplicationKey a = make(prefix + "a");
    var listed = understood(keys.listApplicationKeys()).getApplicationKeys();
    assertEquals(List.of(a, b, c), listed.stream().filter(key -> key.getName().startsWith(prefix)).toList());
  }

  @Test
  void updateChangesTheNameAlone() throws Exception {
    ApplicationKey made = make(unique("key"));
    String name = unique("renamed");
    var updated = understood(keys.updateApplicationKey(made.getHash(), named(name))).getApplicationKey();
    assertEquals(made.name(name), updated);
  }

  @Test
  void deleteAnswersTheKeyAsRevokedOnce() throws Exception {
    ApplicationKey made = make(unique("key"));
    ApplicationKey deleted = understood(keys.deleteApplicationKey(made.getHash())).getApplicationKey();
    assertEquals(made.getHash(), deleted.getHash());
    assertEquals(true, deleted.getAdditionalProperty("revoked"));
    unknownOrMalformedKey(made.getHash());
  }

  @ParameterizedTest
  @ValueSource(strings = {"0000000000000000000000000000000000000000", "invalidId"})
  void unknownOrMalformedKey(String key) {
    refused(404, () -> keys.getApplicationKey(key), NOT_FOUND);
    refused(404, () -> keys.updateApplicationKey(key, named(unique("key"))), NOT_FOUND);
    refused(404, () -> keys.deleteApplicationKey(key), NOT_FOUND);
  }
}
