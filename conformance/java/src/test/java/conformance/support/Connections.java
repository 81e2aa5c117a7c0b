package conformance.support;

import static conformance.support.Judge.understood;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.ApiClient;
import com.datadog.api.client.ApiException;
import com.datadog.api.client.v2.api.ActionConnectionApi;
import com.datadog.api.client.v2.model.ActionConnectionData;
import com.datadog.api.client.v2.model.CreateActionConnectionRequest;
import com.datadog.api.client.v2.model.UpdateActionConnectionRequest;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.ws.rs.client.ClientRequestContext;
import jakarta.ws.rs.client.ClientResponseContext;
import jakarta.ws.rs.client.ClientResponseFilter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;

/**
 * Connections for tests, and what answers show of them; the parent of classes of tests of connections. The examples
 * are shared with every other client's suite.
 */
public abstract class Connections extends Made {
  protected static final String PATH = "/api/v2/actions/connections";
  // Every secret of the examples begins so, and so does every other that tests of connections give away.
  private static final String CANARY = "canary-";
  private static final List<Example> EXAMPLES = readExamples();

  /** A valid connection of one credential type, and how it may change. */
  public record Example(String credentials, ObjectNode create, ObjectNode update) {
    @Override
    public String toString() {
      return credentials;
    }
  }

  protected static Stream<Example> examples() {
    return EXAMPLES.stream();
  }

  protected static Example exampleOf(String credentials) {
    return examples().filter(one -> one.credentials().equals(credentials)).findFirst().orElseThrow();
  }

  private static List<Example> readExamples() {
    var examples = new ArrayList<Example>();
    for (JsonNode one : file("connections.json")) {
      var example =
          new Example(one.get("credentials").textValue(), (ObjectNode) one.get("create"), (ObjectNode) one.get("update"));
      for (JsonNode pointer : one.get("secrets")) {
        for (var form : List.of(example.create(), example.update())) {
          assertTrue(form.at(pointer.textValue()).textValue().startsWith(CANARY));
        }
      }
      examples.add(example);
    }
    return examples;
  }

  /** A file of the folder that all suites are in. Maven runs tests in the suite's own. */
  private static JsonNode file(String name) {
    try {
      return tree(Files.readString(Path.of("..", name)));
    } catch (IOException error) {
      throw new AssertionError(name, error);
    }
  }

  /** The detail of the error that ends a recorded scenario. */
  protected static String recorded(String name) {
    JsonNode exchanges = file("recorded/v2-action_connection-" + name + "-response.json").get("exchanges");
    return exchanges.get(exchanges.size() - 1).at("/response/body/errors/0/detail").textValue();
  }

  /** What answers show of an {@code integration} value: its secrets are there, but empty. */
  protected static ObjectNode emptied(ObjectNode integration) {
    return (ObjectNode) tree(integration.toString().replaceAll('"' + CANARY + "[^\"]*\"", "\"\""));
  }

  /** An {@code integration} value after a change: what the change does not name stays, and lists merge by name. */
  protected static ObjectNode updated(ObjectNode before, JsonNode change) {
    ObjectNode after = before.deepCopy();
    for (Map.Entry<String, JsonNode> entry : change.properties()) {
      String name = entry.getKey();
      JsonNode value = entry.getValue();
      if (name.equals("credentials")) {
        after.set(name, updated((ObjectNode) before.get(name), value));
      } else if (value.isArray()) {
        after.set(name, merged(after.withArray(name), value));
      } else {
        after.set(name, value);
      }
    }
    return after;
  }

  private static ArrayNode merged(ArrayNode before, JsonNode change) {
    Map<String, Object> items = object();
    before.forEach(item -> items.put(item.get("name").textValue(), item));
    for (JsonNode item : change) {
      if (item.path("deleted").asBoolean()) {
        items.remove(item.get("name").textValue());
      } else {
        items.put(item.get("name").textValue(), item);
      }
    }
    ArrayNode after = before.arrayNode();
    items.values().forEach(item -> after.add((JsonNode) item));
    return after;
  }

  /** Hears every answer as it comes in, and lets none through that tells a secret. */
  private static final class Ear implements ClientResponseFilter {
    @Override
    public void filter(ClientRequestContext request, ClientResponseContext answer) throws IOException {
      byte[] body = answer.hasEntity() ? answer.getEntityStream().readAllBytes() : new byte[0];
      String told = answer.getHeaders() + new String(body, StandardCharsets.UTF_8);
      assertFalse(told.contains(CANARY), () -> request.getUri() + " tells a secret: " + told);
      answer.setEntityStream(new ByteArrayInputStream(body));
    }
  }

  protected static ActionConnectionApi connectionsAs(Server.Credentials credentials) {
    ApiClient client = Server.client(credentials);
    client.getHttpClient().register(new Ear());
    return new ActionConnectionApi(client);
  }

  protected static ActionConnectionApi connections() {
    return connectionsAs(Server.Credentials.ADMIN);
  }

  /** A body of the client's own types, made from JSON; the client writes the same again. */
  private static <T> T typed(Class<T> type, Map<String, Object> attributes) {
    var json = data("action_connection", attributes);
    T body = body(type, json);
    assertEquals(tree(json(json)), written(body));
    return body;
  }

  protected static CreateActionConnectionRequest creation(Object integration, Object... attributes) {
    var given = object("name", unique("connection"), "integration", integration);
    given.putAll(object(attributes));
    return typed(CreateActionConnectionRequest.class, given);
  }

  protected static UpdateActionConnectionRequest change(Object... attributes) {
    return typed(UpdateActionConnectionRequest.class, object(attributes));
  }

  /** Makes a connection for the length of the test. */
  protected ActionConnectionData make(Object integration, Object... attributes) throws ApiException {
    var made = understood(connections().createActionConnection(creation(integration, attributes))).getData();
    cleanUp(PATH + "/" + made.getId());
    return made;
  }

  protected static ActionConnectionData read(String id) throws ApiException {
    return understood(connections().getActionConnection(id)).getData();
  }

  protected static ActionConnectionData update(String id, Object... attributes) throws ApiException {
    return understood(connections().updateActionConnection(id, change(attributes))).getData();
  }

  /** What the client read as the {@code integration} value, without what the server adds to those of AWS. */
  protected static JsonNode shown(ActionConnectionData connection) {
    JsonNode integration = written(connection.getAttributes().getIntegration());
    ((ObjectNode) integration.get("credentials")).remove(List.of("external_id", "principal_id"));
    return integration;
  }

  /** Asserts that the client's call fails with one error, and returns its detail. */
  protected static String detail(int status, Executable call) {
    ApiException failure = assertThrows(ApiException.class, call);
    assertEquals(status, failure.getCode(), failure.getResponseBody());
    JsonNode errors = tree(failure.getResponseBody()).get("errors");
    assertEquals(1, errors.size(), failure.getResponseBody());
    return errors.get(0).get("detail").textValue();
  }
}
