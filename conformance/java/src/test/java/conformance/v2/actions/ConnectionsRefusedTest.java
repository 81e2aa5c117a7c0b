package conformance.v2.actions;

import static conformance.support.Judge.understood;
import static conformance.support.Server.send;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.ApiException;
import com.datadog.api.client.v2.api.ActionConnectionApi;
import com.fasterxml.jackson.databind.node.ObjectNode;
import conformance.support.Connections;
import conformance.support.Server.Credentials;
import java.time.OffsetDateTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /api/v2/actions/connections}: what is refused, in the recorded words, and who may not. */
class ConnectionsRefusedTest extends Connections {
  private final ObjectNode aws = exampleOf("AWSAssumeRole").create();
  private final ObjectNode gitlab = exampleOf("GitlabAPIKey").create();

  @Test
  void anAccountIdThatIsNone() throws Exception {
    var bad = aws.deepCopy();
    bad.withObject("credentials").put("account_id", "1");
    assertEquals(
        recorded("create-a-new-action-connection-returns-bad-request"),
        detail(400, () -> connections().createActionConnection(creation(bad))));
    for (String id : List.of(make(aws).getId(), unknownId())) {
      assertEquals(
          recorded("update-an-existing-action-connection-returns-bad-request"),
          detail(400, () -> connections().updateActionConnection(id, change("integration", bad))));
    }
  }

  @Test
  void anIdThatNothingHas() {
    String id = unknownId();
    assertEquals(
        recorded("get-an-existing-action-connection-returns-not-found"),
        detail(404, () -> connections().getActionConnection(id)));
    assertEquals(
        recorded("update-an-existing-action-connection-returns-not-found"),
        detail(404, () -> connections().updateActionConnection(id, change("integration", aws))));
    assertEquals(
        recorded("delete-an-existing-action-connection-returns-successfully-deleted-action-connection"),
        detail(404, () -> connections().deleteActionConnection(id)));
  }

  @Test
  void anIdThatIsNone() {
    List<Executable> calls =
        List.of(
            () -> connections().getActionConnection("invalidId"),
            () -> connections().updateActionConnection("invalidId", change("name", "Renamed")),
            () -> connections().deleteActionConnection("invalidId"));
    for (Executable call : calls) {
      assertEquals("error connectionId not a valid UUID", detail(400, call));
    }
  }

  private record Call(String right, Executable make) {}

  /** One of each operation, on connections made for them. */
  private List<Call> calls(ActionConnectionApi api) throws ApiException {
    String first = make(gitlab).getId();
    String last = make(gitlab).getId();
    return List.of(
        new Call("read", () -> api.getActionConnection(first)),
        new Call("write", () -> cleanUp(PATH + "/" + api.createActionConnection(creation(gitlab)).getData().getId())),
        new Call("write", () -> api.updateActionConnection(first, change("name", "Renamed"))),
        new Call("write", () -> api.deleteActionConnection(last)));
  }

  @Test
  void aKeyMustBeRegistered() throws Throwable {
    var key = makeApplicationKey();
    var calls = calls(connectionsAs(Credentials.ADMIN.withApplicationKey(key.getAttributes().getKey())));
    for (Call call : calls) {
      String told = detail(403, call.make());
      assertTrue(told.contains("not registered"), told);
    }
    understood(connections().registerAppKey(key.getId()));
    cleanUp("/api/v2/actions/app_key_registrations/" + key.getId());
    for (Call call : calls) {
      call.make().execute();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"connections_read", "connections_write", "connection_write", "dashboards_read"})
  void aTokenMustNameTheScope(String scope) throws Throwable {
    var end = OffsetDateTime.now().plusDays(30).toString();
    var attributes = object("name", unique("token"), "scopes", List.of(scope), "expires_at", end);
    var path = "/api/v2/personal_access_tokens";
    var made = send("POST", path, data("personal_access_tokens", attributes), Credentials.ADMIN);
    assertEquals(201, made.status(), made.text());
    cleanUp(path + "/" + made.json().at("/data/id").textValue());
    var token = Credentials.bearer(made.attributes().get("key").textValue());
    for (Call call : calls(connectionsAs(token))) {
      if (scope.startsWith("connection") && scope.endsWith(call.right())) {
        call.make().execute();
      } else {
        assertEquals("Failed permission authorization checks", detail(403, call.make()));
      }
    }
  }
}
