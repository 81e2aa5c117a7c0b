//! Bad input: refused in its dialect's own words, never as our fault, and without changing anything.

mod bodies;
mod harmless;
pub(crate) mod mutations;
mod protocol;

use serde_json::Value;

use crate::support::{Answer, TestServer};

/// Everything of the first org that a refused request must leave as it is. When keys were last used is not part of
/// it: presenting them is using them.
async fn state(server: &TestServer) -> (String, Value) {
    let client = server.client();
    let mut state = Vec::new();
    for path in
        ["/api/v2/api_keys", "/api/v2/application_keys", "/api/v2/users", "/api/v2/roles", "/claviger/v1/org"]
    {
        let mut list = client.get(path).await.expect(200).json();
        for item in list["data"].as_array_mut().into_iter().flatten() {
            let attributes = item["attributes"].as_object_mut().unwrap();
            for usage in ["date_last_used", "used_in_last_24_hours", "last_used_date", "last_used_at"] {
                attributes.remove(usage);
            }
        }
        state.push(list);
    }
    (server.engine.applied().to_string(), Value::Array(state))
}

/// Whether a text is a refusal in the words of the dialect that the path belongs to.
fn is_in_words(path: &str, text: &str) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(text) else { return false };
    let errors = body["errors"].as_array().filter(|errors| !errors.is_empty());
    let has_texts = |error: &Value, names: &[&str]| names.iter().all(|name| error[name].is_string());
    match path {
        path if path.starts_with("/claviger/") => {
            errors.is_some_and(|errors| errors.iter().all(|error| has_texts(error, &["code", "detail"])))
        }
        path if path.starts_with("/verify") && errors.is_none() => {
            body["valid"] == false && body["reason"].is_string()
        }
        path if path.starts_with("/verify") => {
            errors.is_some_and(|errors| errors.iter().all(|error| has_texts(error, &["code", "detail"])))
        }
        // What concerns the credentials or the server is told as everywhere.
        path if path.starts_with("/api/v2/actions/") => errors.is_some_and(|errors| {
            errors.iter().all(|error| error.is_string() || has_texts(error, &["detail"]))
        }),
        // Reading one role is told by a newer service.
        path if path.starts_with("/api/v2/roles/") && errors.is_some_and(|errors| errors[0].is_object()) => {
            errors.is_some_and(|errors| errors.iter().all(|error| has_texts(error, &["title", "detail"])))
        }
        _ => errors.is_some_and(|errors| errors.iter().all(Value::is_string)),
    }
}

/// Checks that an answer refuses, in its dialect's words.
#[track_caller]
fn assert_refused(about: &str, path: &str, answer: &Answer) {
    assert!(answer.status.is_client_error(), "{about}: {} {}", answer.status, answer.text);
    let tells_objects = path.starts_with("/api/v2/actions/") && answer.text.contains("\"detail\"");
    let media = if tells_objects { "application/vnd.api+json" } else { "application/json" };
    assert_eq!(answer.header("content-type"), media, "{about}");
    assert!(is_in_words(path, &answer.text), "{about}: {:?}", answer.text);
    assert!(answer.text.len() < 4096, "{about}: a refusal does not give back what was sent");
}
