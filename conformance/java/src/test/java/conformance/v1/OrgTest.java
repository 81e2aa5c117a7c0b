package conformance.v1;

import static conformance.support.Judge.*;
import static conformance.support.Server.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.datadog.api.client.v1.api.OrganizationsApi;
import com.datadog.api.client.v1.model.OrganizationCreateBody;
import com.datadog.api.client.v1.model.OrganizationCreateResponse;
import conformance.support.Made;
import conformance.support.Server.Credentials;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code POST /api/v1/org}: a new org with its first admin and keys, apart from every other org. */
class OrgTest extends Made {
  private final List<String> made = new ArrayList<>();

  /** A name that no other org has; the vendor's schema has room for 32 letters. */
  private static String orgName() {
    return unknownId().replace("-", "");
  }

  private OrganizationCreateResponse make(String name) throws Exception {
    var body = new OrganizationCreateBody().name(name);
    var answer = understood(new OrganizationsApi(client()).createChildOrg(body));
    made.add(answer.getOrg().getPublicId());
    return answer;
  }

  /** No vendor's endpoint takes an org away. */
  @AfterEach
  void disableWhatWasMade() {
    for (String id : made) {
      var answer = send("PATCH", "/claviger/v1/orgs/" + id, object("disabled", true), Credentials.ADMIN);
      assertEquals(200, answer.status(), answer.text());
    }
  }

  @Test
  void create() throws Exception {
    String name = orgName();
    var answer = make(name);
    assertEquals(name, answer.getOrg().getName());
    matches(UUID, answer.getOrg().getPublicId());
    assertNotEquals(ORG_ID, answer.getOrg().getPublicId());
    matches(API_KEY_SECRET, answer.getApiKey().getKey());
    matches(APPLICATION_KEY_SECRET, answer.getApplicationKey().getHash());
    assertEquals(answer.getUser().getHandle(), answer.getUser().getEmail());
  }

  @Test
  void itsKeysOpenItAndNothingElse() throws Exception {
    var answer = make(orgName());
    String other = makeApiKey().getId();
    String applicationKey = answer.getApplicationKey().getHash();
    var inside = keysAs(new Credentials(answer.getApiKey().getKey(), applicationKey, null));
    assertEquals(1, inside.listAPIKeys().getData().size());
    refused(404, () -> inside.getAPIKey(other), "API key not found");
    var crossed = keysAs(Credentials.ADMIN.withApplicationKey(applicationKey));
    refused(401, crossed::listAPIKeys, "Unauthorized");
  }

  @Test
  void missingName() {
    var answer = send("POST", "/api/v1/org", object(), Credentials.ADMIN);
    is(answer, 400, "{\"errors\": [\"Required parameter 'name' is missing\"]}");
  }
}
