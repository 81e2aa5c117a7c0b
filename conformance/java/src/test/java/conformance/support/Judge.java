package conformance.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datadog.api.client.AbstractOpenApiSchema;
import com.datadog.api.client.ApiException;
import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.function.Executable;
import org.openapitools.jackson.nullable.JsonNullable;

/** What is expected of answers, and the forms that values have on the wire. */
public final class Judge {
  public static final String UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
  public static final String TIME_V1 = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d";
  public static final String TIME_V2 = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}\\+00:00";
  public static final String API_KEY_SECRET = "[0-9a-f]{32}";
  public static final String APPLICATION_KEY_SECRET = "[a-f0-9]{40}|ddapp_[a-zA-Z0-9]{34}";

  public static final String UNKNOWN_API_KEY = "0".repeat(32);
  public static final String UNKNOWN_APPLICATION_KEY = "0".repeat(40);
  public static final String[] NO_PERMISSION = {"Forbidden", "Failed permission authorization checks"};
  public static final String API_KEY_REQUIRED_BODY = "{\"errors\":[\"API key required\"]}";
  // To the byte: clients and scripts compare with it.
  public static final String UNKNOWN_API_KEY_BODY =
      "{\"status\":\"error\",\"code\":403,\"errors\":[\"Forbidden\"],\"statuspage\":\"http://status.datadoghq.com\","
          + "\"twitter\":\"http://twitter.com/datadogops\",\"email\":\"support@datadoghq.com\"}\n";

  private Judge() {}

  /** Asserts the form of a value. */
  public static void matches(String form, String value) {
    assertTrue(value.matches(form), () -> value + " is not of the form " + form);
  }

  /** Asserts that the client's call fails so; with any error texts, where none are given. */
  public static void refused(int status, Executable call, String... texts) {
    ApiException failure = assertThrows(ApiException.class, call);
    assertEquals(status, failure.getCode(), failure.getResponseBody());
    errors(failure.getResponseBody(), texts);
  }

  /** Asserts the status with which the client's call fails, whatever the form of its error. */
  public static void fails(int status, Executable call) {
    ApiException failure = assertThrows(ApiException.class, call);
    assertEquals(status, failure.getCode(), failure.getResponseBody());
  }

  /** Asserts a failure on the wire in the form of the key services: a list of strings, as JSON. */
  public static void failed(Server.Answer answer, int status, String... texts) {
    assertEquals(status, answer.status(), answer.text());
    assertEquals("application/json", answer.contentType());
    assertEquals(1, answer.json().size(), answer.text());
    errors(answer.text(), texts);
  }

  private static void errors(String body, String... texts) {
    List<String> found = new ArrayList<>();
    for (JsonNode error : Made.tree(body).path("errors")) {
      assertTrue(error.isTextual(), body);
      found.add(error.textValue());
    }
    assertTrue(!found.isEmpty(), body);
    if (texts.length > 0) {
      assertEquals(List.of(texts), found);
    }
  }

  /** Asserts an answer to the byte. */
  public static void is(Server.Answer answer, int status, String text) {
    assertEquals(new Server.Answer(status, "application/json", text), answer);
  }

  /** The client's answer, once the client has known how to read all of it. */
  public static <T> T understood(T answer) {
    assertRead(answer, answer.getClass().getSimpleName());
    return answer;
  }

  /** Each model of the client says in a public field whether some of it was not understood. */
  private static void assertRead(Object value, String where) {
    if (value instanceof JsonNullable<?> nullable) {
      assertRead(nullable.isPresent() ? nullable.get() : null, where);
    } else if (value instanceof Map<?, ?> map) {
      map.forEach((key, entry) -> assertRead(entry, where + "." + key));
    } else if (value instanceof Iterable<?> items) {
      items.forEach(item -> assertRead(item, where));
    } else if (value instanceof AbstractOpenApiSchema any) {
      assertRead(any.getActualInstance(), where);
      assertFields(any, where);
    } else if (value != null && value.getClass().getName().matches("com\\.datadog\\.api\\.client\\.v\\d\\.model\\..*")) {
      assertFields(value, where);
    }
  }

  private static void assertFields(Object model, String where) {
    for (Field field : model.getClass().getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers())) {
        continue;
      }
      field.setAccessible(true);
      try {
        Object value = field.get(model);
        if (field.getName().equals("unparsed")) {
          assertEquals(false, value, () -> where + " was not understood: " + model);
        } else {
          assertRead(value, where + "." + field.getName());
        }
      } catch (IllegalAccessException error) {
        throw new AssertionError(error);
      }
    }
  }
}
