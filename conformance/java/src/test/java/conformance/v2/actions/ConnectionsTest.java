package conformance.v2.actions;

import static conformance.support.Judge.UUID;
import static conformance.support.Judge.fails;
import static conformance.support.Judge.matches;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.v2.model.ActionConnectionData;
import com.datadog.api.client.v2.model.ActionConnectionDataType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import conformance.support.Connections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code /api/v2/actions/connections}: one of each credential type, and how they change. */
class ConnectionsTest extends Connections {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** This release of the client has no member for tags. */
  private static Object tags(ActionConnectionData connection) {
    return connection.getAttributes().getAdditionalProperty("tags");
  }

  @Test
  void thereIsAnExampleOfEveryType() {
    assertEquals(25, examples().map(Example::credentials).distinct().count());
  }

  @ParameterizedTest
  @MethodSource("examples")
  void fromItsCreationToItsEnd(Example example) throws Exception {
    JsonNode first = emptied(example.create());
    var made = make(example.create(), "tags", List.of("env:test"));
    matches(UUID, made.getId());
    assertEquals(ActionConnectionDataType.ACTION_CONNECTION, made.getType());
    assertEquals(first, shown(made));
    assertEquals(List.of("env:test"), tags(made));
    assertEquals(first, shown(read(made.getId())));

    var renamed = update(made.getId(), "name", "Renamed");
    assertEquals("Renamed", renamed.getAttributes().getName());
    assertEquals(first, shown(renamed));
    JsonNode second = emptied(updated(example.create(), example.update()));
    var tags = List.of("env:prod", "team:a");
    assertEquals(second, shown(update(made.getId(), "integration", example.update(), "tags", tags)));
    var again = read(made.getId());
    assertEquals(second, shown(again));
    assertEquals(tags, tags(again));
    assertEquals("Renamed", again.getAttributes().getName());

    connections().deleteActionConnection(made.getId());
    fails(404, () -> connections().getActionConnection(made.getId()));
  }

  @Test
  void listsMergeByName() throws Exception {
    var create = exampleOf("HTTPTokenAuth").create();
    String id = make(create).getId();
    JsonNode change =
        JSON.readTree(
            """
            {"type": "HTTP", "credentials": {
              "type": "HTTPTokenAuth",
              "tokens": [{"name": "token2", "type": "SECRET", "value": "", "deleted": true},
                         {"name": "token3", "type": "SECRET", "value": "canary-third"}],
              "headers": [{"name": "header-name", "value": "{{ token3 }}"}, {"name": "X-New", "value": "new"}],
              "url_parameters": [{"name": "urlParamName", "deleted": true}, {"name": "page", "value": "1"}],
              "body": {"content": "plain", "content_type": "text/plain"}}}
            """);
    update(id, "integration", change);
    assertEquals(emptied(updated(create, change)), shown(read(id)));
  }

  @Test
  void anExternalIdStaysUntilANewOneIsAskedFor() throws Exception {
    var example = exampleOf("AWSAssumeRole");
    var made = make(example.create());
    matches("[0-9a-f]{32}", externalId(made));
    matches("\\d{12}", made.getAttributes().getIntegration().getAWSIntegration().getCredentials().getAWSAssumeRole().getPrincipalId());
    assertEquals(externalId(made), externalId(update(made.getId(), "integration", example.update())));
    var anew = example.update().deepCopy();
    anew.withObject("credentials").put("generate_new_external_id", true);
    var changed = update(made.getId(), "integration", anew);
    assertNotEquals(externalId(made), externalId(changed));
    assertEquals(externalId(changed), externalId(read(made.getId())));
  }

  private static String externalId(ActionConnectionData connection) {
    var integration = connection.getAttributes().getIntegration().getAWSIntegration();
    return integration.getCredentials().getAWSAssumeRole().getExternalId();
  }

  @ParameterizedTest
  @CsvSource({
    "HTTPTokenAuth, base_url, credentials/tokens must bring token1 anew",
    "DatadogAPIKey, datacenter, credentials/app_key",
    "FreshserviceAPIKey, domain, credentials/api_key",
    "OktaAPIToken, domain, credentials/api_token",
    "ServiceNowBasicAuth, instance, credentials/password",
  })
  void secretsAreNotAimedElsewhereByWhoDoesNotHaveThem(String credentials, String member, String missing)
      throws Exception {
    var example = exampleOf(credentials);
    String id = make(example.create()).getId();
    var integration = JSON.createObjectNode();
    integration.set("type", example.create().get("type"));
    integration.putObject("credentials").put("type", credentials);
    boolean isInside = !member.equals("base_url");
    var place = isInside ? integration.withObject("credentials") : integration;
    place.set(member, (isInside ? example.update().get("credentials") : example.update()).get(member));
    String told =
        detail(400, () -> connections().updateActionConnection(id, change("integration", integration)));
    assertTrue(told.contains(missing), told);
    assertEquals(emptied(example.create()), shown(read(id)));
  }
}
